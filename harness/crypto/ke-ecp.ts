/** ECP groups (RFC 5903): public value x | y, shared secret x, with the receiver's checks of RFC 6989 section 2.3. */
import { createECDH } from "node:crypto";
import { concat, fromHex, plain } from "../wire/bytes.ts";
import type { Ke, KeError, KeyPair, Random } from "./types.ts";

interface EcpGroup {
  id: number;
  name: string;
  /** Name in OpenSSL. */
  curve: string;
  /** Octets of a coordinate. */
  size: number;
  /** Bits of the first octet a scalar may have set. */
  topMask: number;
  prime: Uint8Array;
}

const GROUPS: readonly EcpGroup[] = [
  {
    id: 19,
    name: "ECP256",
    curve: "prime256v1",
    size: 32,
    topMask: 0xff,
    prime: fromHex(`ffffffff00000001${"00".repeat(12)}${"ff".repeat(12)}`),
  },
  {
    id: 20,
    name: "ECP384",
    curve: "secp384r1",
    size: 48,
    topMask: 0xff,
    prime: fromHex(`${"ff".repeat(31)}feffffffff0000000000000000ffffffff`),
  },
  {
    id: 21,
    name: "ECP521",
    curve: "secp521r1",
    size: 66,
    topMask: 0x01,
    prime: fromHex(`01${"ff".repeat(65)}`),
  },
];

const UNCOMPRESSED = Uint8Array.of(4);
/** A scalar lies outside 1..n-1 once in 2^32 draws; a source that misses this often is no random source. */
const MAX_DRAWS = 64;

function keyPair(group: EcpGroup, scalar: Uint8Array): KeyPair | undefined {
  const own = createECDH(group.curve);
  try {
    own.setPrivateKey(scalar);
  } catch {
    return undefined;
  }
  return {
    publicValue: plain(own.getPublicKey().subarray(1)),
    derive(peer) {
      const refused = checkCoordinates(group, peer);
      if (refused) return refused;
      try {
        return plain(own.computeSecret(concat(UNCOMPRESSED, peer)));
      } catch {
        return { error: "off-curve", reason: `(x, y) is no point of ${group.name}` };
      }
    },
  };
}

function checkCoordinates({ name, size, prime }: EcpGroup, peer: Uint8Array): KeError | undefined {
  if (peer.length !== 2 * size) {
    return { error: "length", reason: `public value has ${peer.length} octets, ${name} needs ${2 * size}` };
  }
  const inField = [peer.subarray(0, size), peer.subarray(size)].every((c) => Buffer.compare(c, prime) < 0);
  return inField ? undefined : { error: "range", reason: "a coordinate is not below the prime of the field" };
}

function method(group: EcpGroup): Ke {
  return {
    id: group.id,
    name: group.name,
    publicLength: 2 * group.size,
    sharedLength: group.size,
    generate(random: Random) {
      for (let draw = 0; draw < MAX_DRAWS; draw++) {
        const scalar = Uint8Array.from(random(group.size));
        scalar[0]! &= group.topMask;
        const pair = keyPair(group, scalar);
        if (pair) return pair;
      }
      throw new RangeError(`${group.name}: no private key in ${MAX_DRAWS} draws of the random source`);
    },
  };
}

export const ECP_METHODS: readonly Ke[] = GROUPS.map(method);
