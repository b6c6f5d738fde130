import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { decode, encode, pack, unpack } from "./frodokem-matrix.ts";
import { isKeError, keMethod } from "./ke.ts";
import { seededRandom } from "./seeded-random.ts";
import type { Ke, KeyPair, Random } from "./types.ts";

/** Known answers of the first test of each set in strongSwan's branch: SHA-256 of what is sent, and the two secrets. */
const KNOWN = [
  {
    id: 1083,
    key: "4419f4f14c3363551186b99382bf3e62ac2382b7b5d4ca70392dda5869c8bda1",
    ciphertext: "56d2bdd0c6e92bc365f286be757e46a0e040c875ef5020bbbfabee002852e7e4",
    secret: "ee5ba8cebb0b41e9030ca1fbc3beadb9",
    rejected: "0500cc0b7624b2d207dccf1db9e4121b",
  },
  {
    id: 1086,
    key: "10e63efe340a73d46d78f768cfea235d0d7da1e9c636d6edc32d2a4ed4b13cdc",
    ciphertext: "2711c7e863c9d81c08182b3ee1e1c953cbffb15dd50bff8825c6c2a71a4fd01d",
    secret: "2ed42ce7d5dbfb115f2e2bdcb650b3fa",
    rejected: "b1b3e91b22bbe36ffbaf5f5ce71eb009",
  },
  {
    id: 1084,
    key: "477d38490e9cf967dd038af6b934d075127c0d05159de04fc937b6165b3df21d",
    ciphertext: "641fa30089d397828ca9d1c0f2807bebe870a3bdc7dc5ba8866c543ebf47bc98",
    secret: "d9388d1b0f97c5db5f9b4a7e99427cfe90e3e10c5c569d02",
    rejected: "0bab9f28d74937cf319178ee2ea52d52aaeabe0846fc96cd",
  },
  {
    id: 1087,
    key: "75ed58dd9cb2501af13e56bbd8579b7317998d828ca293e39809f4004404e789",
    ciphertext: "6e358f98cf02ecbf38b8df5061491dec1eae052ea6806561c3a4aa5ed215f7a3",
    secret: "5b6e5a69a3d5f8e75eea3a6e95595ed0278da55b8b373142",
    rejected: "f700689d252f6921329c34404dcf6c0781eed718150eea3a",
  },
  {
    id: 1085,
    key: "e283bfd59bcca4da5380bca9e43c0dfcc3b3b2b4d3f3a02c642e0d439203ee81",
    ciphertext: "4a377dba12e378eb9a82320281c9e86108d831b2debae1e19cc5195fe86d7320",
    secret: "376955161273fc667f3feae5ec98681820dbd759971bb0a2d2bec4510f557e83",
    rejected: "0a4adc40ddbfa12a1f221bdaf164143fc838ab19009cbd9b776b7b0e280c4a9b",
  },
  {
    id: 1088,
    key: "974d5514fb13114bb667527e84090b6de0dfeea01435c60a3edc570d331a5bd6",
    ciphertext: "aa07799759e87ad1d080b2d1eb31d11e3ef93e665df9a8bae5027f4e40fc7a46",
    secret: "8d20f971464df19e0561bdd385afd0e2ef0ce212efd45a632f5d2c64f3d66aac",
    rejected: "e7381d6ac45b12a0dab64e53df3a984b26b18e88dfce4310395074f36c71403e",
  },
];

/** s | seedSE | z, cut to what a set takes. */
const OF_KEYS =
  "7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2db505d7cfad1b497499323c8686325e4792f267aafa3f87ca60d01cb54f29202a" +
  "3e784ccb7ebcdcfd45542b7f6af778742e0f4479175084aa488b3b74340678aa38e22e9628b0a161fdeb0bd252173b9c";
/** u | salt, by the octets of the shared secret. */
const OF_CIPHERTEXTS = new Map([
  [
    16,
    "eb4a7c66ef4eba2ddb38c88d8bc706b1" + "d639002198172a7b1942eca8f6c001ba26202bee59ac275484ea767d41d8d357",
  ],
  [
    24,
    "ee716762c15e3b72aa7650a63b9a510040b03c0fe70475c0" +
      "463bbc45a0ba5b7980dd46eef82fb062035077d042f306bb6391040e0dd965f1fda9d183ca9fccb48fc010b184ab0033",
  ],
  [
    32,
    "9f08587687ff66765c671de73e918d2823ca573ff4e7a31a9160324026e540ea" +
      "cb3a04e0d54c75deb9705bfdfbdf935a7528802ee6e5b0c6a73b2b761d9bd0848a6e4cf3fc4ca84f14e0331af35bfef41e42b13a6dae6df937f738c1857ba1ca",
  ],
]);
const SIZES = new Map([
  [16, [9616, 9752]],
  [24, [15632, 15792]],
  [32, [21520, 21696]],
]);

const sha256 = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex");
/** A random source that gives these octets one after another, and throws beyond them. */
function stream(octets: Uint8Array): Random {
  let at = 0;
  return (length) => {
    at += length;
    if (at > octets.length) throw new RangeError("more octets drawn than the vector has");
    return octets.subarray(at - length, at);
  };
}
const respond = (method: Ke, random: Random, key: Uint8Array): KeyPair => method.respond!(random, key);
const secretOf = (pair: KeyPair, peer: Uint8Array): string => {
  const result = pair.derive(peer);
  return isKeError(result) ? result.error : hex(result);
};
const flipped = (octets: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(octets);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

describe("crypto: FrodoKEM as a key exchange method", () => {
  for (const known of KNOWN) {
    const method = keMethod(known.id)!;
    const { name, publicLength, responseLength, sharedLength } = method;

    it(`${name}: known answers, implicit rejection included`, () => {
      const own = method.generate(stream(fromHex(OF_KEYS)));
      expect(sha256(own.publicValue)).to.equal(known.key);
      const random = stream(fromHex(OF_CIPHERTEXTS.get(sharedLength)!));
      const peer = respond(method, random, own.publicValue);
      expect(sha256(peer.publicValue)).to.equal(known.ciphertext);
      expect(secretOf(peer, own.publicValue)).to.equal(known.secret);
      expect(secretOf(own, peer.publicValue)).to.equal(known.secret);
      expect(secretOf(own, flipped(peer.publicValue, 0))).to.equal(known.rejected);
    });

    it(`${name}: octets of the salted variant`, () => {
      expect([publicLength, responseLength]).to.deep.equal(SIZES.get(sharedLength));
    });

    it(`${name}: any flipped bit of the ciphertext gives another secret`, () => {
      const own = method.generate(seededRandom("own"));
      const peer = respond(method, seededRandom("peer"), own.publicValue);
      const secret = secretOf(own, peer.publicValue);
      expect(secret).to.equal(secretOf(peer, own.publicValue));
      fc.assert(
        fc.property(fc.nat(peer.publicValue.length * 8 - 1), (bit) => {
          expect(secretOf(own, flipped(peer.publicValue, bit))).not.to.equal(secret);
        }),
        { numRuns: 4 },
      );
    });

    it(`${name} refuses the unsalted ciphertext, and has no check for keys but their length`, () => {
      const own = method.generate(seededRandom("own"));
      const peer = respond(method, seededRandom("peer"), own.publicValue);
      expect(secretOf(own, peer.publicValue.subarray(0, -2 * sharedLength))).to.equal("length");
      expect(secretOf(own, concat(peer.publicValue, Uint8Array.of(0)))).to.equal("length");
      const short = respond(method, seededRandom("peer"), own.publicValue.subarray(1));
      expect(secretOf(short, own.publicValue)).to.equal("length");
      const ones = respond(method, seededRandom("peer"), new Uint8Array(publicLength).fill(0xff));
      expect(ones.publicValue.length).to.equal(responseLength);
    });
  }
});

describe("crypto: the encodings of FrodoKEM", () => {
  for (const [D, B, L] of [
    [15, 2, 16],
    [16, 3, 24],
    [16, 4, 32],
  ] as const) {
    it(`gives back what was put in, D = ${D} and B = ${B}`, () => {
      const octets = fc.uint8Array({ minLength: L, maxLength: L });
      fc.assert(
        fc.property(octets, (u) => {
          expect(decode(encode(u, D, B), D, B)).to.deep.equal(u);
        }),
      );
      const entries = fc.uint16Array({ minLength: 64, maxLength: 64, max: 2 ** D - 1 });
      fc.assert(
        fc.property(entries, (matrix) => {
          expect(unpack(pack(matrix, D), D)).to.deep.equal(matrix);
        }),
      );
    });

    it(`decodes what errors of less than half a step have moved, D = ${D} and B = ${B}`, () => {
      const half = 2 ** (D - B - 1);
      const octets = fc.uint8Array({ minLength: L, maxLength: L });
      fc.assert(
        fc.property(octets, fc.integer({ min: -half, max: half - 1 }), (u, error) => {
          const moved = encode(u, D, B).map((entry) => entry + error);
          expect(decode(moved, D, B)).to.deep.equal(u);
        }),
      );
    });
  }
});
