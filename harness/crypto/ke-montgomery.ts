/** Curve25519 and Curve448 (RFC 8031, RFC 7748). */
import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { concat, fromHex, plain } from "../wire/bytes.ts";
import type { Ke, KeyPair, Random } from "./types.ts";

interface MontgomeryCurve {
  id: number;
  name: string;
  size: number;
  /** DER in front of the raw octets: PKCS #8 private key, and SubjectPublicKeyInfo. */
  pkcs8: Uint8Array;
  spki: Uint8Array;
}

const CURVES: readonly MontgomeryCurve[] = [
  {
    id: 31,
    name: "CURVE25519",
    size: 32,
    pkcs8: fromHex("302e020100300506032b656e04220420"),
    spki: fromHex("302a300506032b656e032100"),
  },
  {
    id: 32,
    name: "CURVE448",
    size: 56,
    pkcs8: fromHex("3046020100300506032b656f043a0438"),
    spki: fromHex("3042300506032b656f033900"),
  },
];

/** node:crypto takes what RFC 8031 section 3.1 asks for: values not below the prime, and X25519's top bit, ignored. */
function keyPair({ size, name, pkcs8, spki }: MontgomeryCurve, scalar: Uint8Array): KeyPair {
  const privateKey = createPrivateKey({
    key: Buffer.from(concat(pkcs8, scalar)),
    format: "der",
    type: "pkcs8",
  });
  const exported = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    publicValue: plain(exported.subarray(-size)),
    derive(peer) {
      if (peer.length !== size) {
        return { error: "length", reason: `public value has ${peer.length} octets, ${name} needs ${size}` };
      }
      const publicKey = createPublicKey({
        key: Buffer.from(concat(spki, peer)),
        format: "der",
        type: "spki",
      });
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
