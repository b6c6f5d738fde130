/** Curve25519 and Curve448 (RFC 8031, RFC 7748). */
import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { plain } from "../wire/bytes.ts";
import type { Ke, KeyPair, Random } from "./types.ts";

interface MontgomeryCurve {
  id: number;
  /** As IANA names it. */
  name: string;
  /** As RFC 8037 names it. */
  crv: "X25519" | "X448";
  size: number;
}

const CURVES: readonly MontgomeryCurve[] = [
  { id: 31, name: "CURVE25519", crv: "X25519", size: 32 },
  { id: 32, name: "CURVE448", crv: "X448", size: 56 },
];

const base64url = (octets: Uint8Array): string => Buffer.from(octets).toString("base64url");

/**
 * node:crypto takes what RFC 8031 section 3.1 asks for: values not below the prime, and X25519's top bit, ignored.
 * Keys go in and out as JWK (RFC 8037): reading DER takes OpenSSL 3 ten times as long. It works out the public value
 * of a private key by itself, and only wants the field to be there.
 */
function keyPair({ size, name, crv }: MontgomeryCurve, scalar: Uint8Array): KeyPair {
  const jwk = { kty: "OKP", crv, d: base64url(scalar), x: base64url(new Uint8Array(size)) };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const { x = "" } = privateKey.export({ format: "jwk" });
  return {
    publicValue: Uint8Array.from(Buffer.from(x, "base64url")),
    derive(peer) {
      if (peer.length !== size) {
        return { error: "length", reason: `public value has ${peer.length} octets, ${name} needs ${size}` };
      }
      const publicKey = createPublicKey({ key: { kty: "OKP", crv, x: base64url(peer) }, format: "jwk" });
      try {
        return plain(diffieHellman({ privateKey, publicKey }));
      } catch {
        return { error: "zero-secret", reason: "the shared secret is all zero: a point of small order" };
      }
    },
  };
}

function method(curve: MontgomeryCurve): Ke {
  return {
    id: curve.id,
    name: curve.name,
    publicLength: curve.size,
    sharedLength: curve.size,
    generate: (random: Random) => keyPair(curve, random(curve.size)),
  };
}

export const MONTGOMERY_METHODS: readonly Ke[] = CURVES.map(method);
