/** MODP groups (RFC 2409, RFC 3526) with the receiver's check of RFC 6989 section 2.1. */
import { createDiffieHellman, getDiffieHellman } from "node:crypto";
import { plain } from "../wire/bytes.ts";
import { leftPad } from "./bytes.ts";
import type { Ke, KeError, KeyPair, Random } from "./types.ts";

/** `exponent`: octets of a private key, the longer of the two sizes RFC 3526 section 8 gives for the group. */
interface ModpGroup {
  id: number;
  bits: number;
  exponent: number;
}

const GROUPS: readonly ModpGroup[] = [
  { id: 2, bits: 1024, exponent: 32 },
  { id: 5, bits: 1536, exponent: 32 },
  { id: 14, bits: 2048, exponent: 40 },
  { id: 15, bits: 3072, exponent: 53 },
  { id: 16, bits: 4096, exponent: 60 },
  { id: 17, bits: 6144, exponent: 68 },
  { id: 18, bits: 8192, exponent: 78 },
];

/** The key pair of a known private exponent. */
function modpKeyPair(id: number, octets: number, exponent: Uint8Array): KeyPair {
  const group = getDiffieHellman(`modp${id}`);
  const prime = group.getPrime();
  const own = createDiffieHellman(prime, group.getGenerator());
  own.setPrivateKey(exponent);
  return {
    publicValue: leftPad(own.generateKeys(), octets),
    derive: (peer) => checkModp(prime, peer) ?? leftPad(own.computeSecret(peer), octets),
  };
}

/** RFC 6989 section 2.1 and RFC 7296 section 3.4: full length, and 1 < r < p-1. */
function checkModp(prime: Buffer, peer: Uint8Array): KeError | undefined {
  if (peer.length !== prime.length) {
    return { error: "length", reason: `public value has ${peer.length} octets, the modulus ${prime.length}` };
  }
  const one = leftPad(Uint8Array.of(1), prime.length);
  const last = plain(Buffer.from(prime));
  last[last.length - 1]! -= 1;
  const inside = Buffer.compare(one, peer) < 0 && Buffer.compare(peer, last) < 0;
  return inside ? undefined : { error: "range", reason: "public value is not in 1 < r < p-1" };
}

function method({ id, bits, exponent }: ModpGroup): Ke {
  const octets = bits / 8;
  return {
    id,
    name: `MODP${bits}`,
    publicLength: octets,
    sharedLength: octets,
    generate(random: Random) {
      const secret = Uint8Array.from(random(exponent));
      secret[0]! |= 0x80;
      return modpKeyPair(id, octets, secret);
    },
  };
}

export const MODP_METHODS: readonly Ke[] = GROUPS.map(method);
