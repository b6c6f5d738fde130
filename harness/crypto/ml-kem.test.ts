import { createHash } from "node:crypto";
import { ml_kem512, ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { isKeError, keMethod } from "./ke.ts";
import { seededRandom } from "./seeded-random.ts";
import type { Ke, KeyPair, Random } from "./types.ts";

const LIBRARY = new Map([
  [35, ml_kem512],
  [36, ml_kem768],
  [37, ml_kem1024],
]);
const IDS = [...LIBRARY.keys()];
const ke = (id: number): Ke => keMethod(id)!;
const sha256 = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex");
/** A random source that gives these octets once, and throws for another amount. */
const fixed =
  (octets: Uint8Array): Random =>
  (length) => {
    if (length !== octets.length) throw new RangeError(`${length} octets drawn, ${octets.length} expected`);
    return octets;
  };
const respond = (id: number, random: Random, key: Uint8Array): KeyPair => ke(id).respond!(random, key);
const secretOf = (pair: KeyPair, peer: Uint8Array): Uint8Array => {
  const result = pair.derive(peer);
  if (isKeError(result)) throw new Error(result.reason);
  return result;
};
const errorOf = (pair: KeyPair, peer: Uint8Array): string => {
  const result = pair.derive(peer);
  return isKeError(result) ? result.error : "none";
};
const flipped = (octets: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(octets);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

/** Known answers of strongSwan's first test of each set: hashes and the two secrets. */
const KNOWN = [
  {
    id: 35,
    key: "852523749efd2b78d1074e5de629060312cd9397933a19ddb7482cfda5e92614",
    ciphertext: "24c70cd6e421179021ceafe8f55174621a05d3ce98c26a291248c5dec264a32b",
    secret: "b4c8e3c4115f9511f2fddb288c4b78c5cd7c89d2d4d321f46b4edc54ddf0eb36",
    rejected: "eed0aff6e872e9785c5005a439d86770d13ee2662f469c95decf5b39e8288455",
  },
  {
    id: 36,
    key: "86adbca81f4fee893e2fb58fb98aa2fe188f501fed268d7f4056f8c05c4e53c4",
    ciphertext: "2f316e212e96c92553ecf0610a7e85072c0e7a0583434201f9fd35296432b30d",
    secret: "ac865f839fef1bf3d528dd7504bed2f64b5502b0fa81d1c32763658e4aac5037",
    rejected: "088b6554ddf5887adfe8d4e82ff6809ca0cd56aee96aea3a0cc0d29bd5f87bb0",
  },
  {
    id: 37,
    key: "61b95ec8c32ae85ad7a17ae5b9c2dfb083e05f767da3ba9a0a8092ea6b4cbf7a",
    ciphertext: "a4e86d1a8e7e4d60df14dc3d2771a02d981bae2614bd16531211fc7a5dd4be09",
    secret: "ea636ce31b73f40229572146b97e590f1605fdadd1c3781861530effcf2b1e18",
    rejected: "695f4570661718f128ddc52a69613f4e6ef0ceb8e0ff205f1823a1186d4ff683",
  },
];
const D = "7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d";
const Z = "b505d7cfad1b497499323c8686325e4792f267aafa3f87ca60d01cb54f29202a";
const M = "eb4a7c66ef4eba2ddb38c88d8bc706b1d639002198172a7b1942eca8f6c001ba";

describe("crypto: ML-KEM as a key exchange method", () => {
  for (const known of KNOWN) {
    const { id, name, publicLength, responseLength } = ke(known.id);

    it(`${name}: known answers, implicit rejection included`, () => {
      const own = ke(id).generate(fixed(fromHex(D + Z)));
      expect(sha256(own.publicValue)).to.equal(known.key);
      const { publicValue: ciphertext, derive } = respond(id, fixed(fromHex(M)), own.publicValue);
      expect(sha256(ciphertext)).to.equal(known.ciphertext);
      expect(hex(derive(own.publicValue) as Uint8Array)).to.equal(known.secret);
      expect(hex(secretOf(own, ciphertext))).to.equal(known.secret);
      expect(hex(secretOf(own, flipped(ciphertext, 0)))).to.equal(known.rejected);
    });

    it(`${name}: octets as the draft's table 1 has them`, () => {
      const sizes = { 35: [800, 768], 36: [1184, 1088], 37: [1568, 1568] }[id];
      expect([publicLength, responseLength]).to.deep.equal(sizes);
    });

    it(`${name}: any flipped bit of the ciphertext gives another secret`, () => {
      const own = ke(id).generate(seededRandom("own"));
      const { publicValue: ciphertext } = respond(id, seededRandom("peer"), own.publicValue);
      const secret = secretOf(own, ciphertext);
      fc.assert(
        fc.property(fc.nat(ciphertext.length * 8 - 1), (bit) => {
          expect(secretOf(own, flipped(ciphertext, bit))).not.to.deep.equal(secret);
        }),
        { numRuns: 20 },
      );
    });

    it(`${name}: both sides get one secret from any seeds`, () => {
      const draw = (octets: number) => fc.uint8Array({ minLength: octets, maxLength: octets });
      fc.assert(
        fc.property(draw(64), draw(32), (seed, message) => {
          const own = ke(id).generate(fixed(seed));
          const peer = respond(id, fixed(message), own.publicValue);
          expect(secretOf(own, peer.publicValue)).to.deep.equal(peer.derive(own.publicValue));
        }),
        { numRuns: 10 },
      );
    });

    it(`${name} refuses encapsulation keys and ciphertexts of any other length`, () => {
      const own = ke(id).generate(seededRandom("own"));
      const octets = fc.uint8Array({ maxLength: 2 * publicLength, size: "max" });
      fc.assert(
        fc.property(octets, (value) => {
          const peer = respond(id, seededRandom("peer"), value);
          if (value.length !== publicLength) {
            expect(errorOf(peer, value)).to.equal("length");
            expect(peer.publicValue.length).to.equal(0);
          }
          if (value.length !== responseLength) expect(errorOf(own, value)).to.equal("length");
        }),
      );
    });

    it(`${name} refuses a coefficient of 3329 or more, wherever it stands (FIPS 203 section 7.2)`, () => {
      const own = ke(id).generate(seededRandom("own"));
      const coefficients = ((publicLength - 32) * 2) / 3;
      fc.assert(
        fc.property(fc.nat(coefficients - 1), fc.integer({ min: 3329, max: 4095 }), (index, value) => {
          const key = withCoefficient(own.publicValue, index, value);
          expect(errorOf(respond(id, seededRandom("peer"), key), key)).to.equal("range");
        }),
      );
      const highest = withCoefficient(own.publicValue, coefficients - 1, 3328);
      expect(errorOf(respond(id, seededRandom("peer"), highest), highest)).to.equal("none");
      const zero = new Uint8Array(publicLength);
      expect(errorOf(respond(id, seededRandom("peer"), zero), zero)).to.equal("none");
      const ones = new Uint8Array(publicLength).fill(0xff);
      expect(errorOf(respond(id, seededRandom("peer"), ones), ones)).to.equal("range");
    });
  }
});

/** The key with one of its 12-bit coefficients replaced. */
function withCoefficient(key: Uint8Array, index: number, value: number): Uint8Array {
  const copy = Uint8Array.from(key);
  const at = (index >> 1) * 3;
  if (index % 2 === 0) {
    copy[at] = value & 0xff;
    copy[at + 1] = (copy[at + 1]! & 0xf0) | (value >> 8);
  } else {
    copy[at + 1] = (copy[at + 1]! & 0x0f) | ((value & 0x0f) << 4);
    copy[at + 2] = value >> 4;
  }
  return copy;
}

describe("crypto: the library refuses a decapsulation key that does not fit (FIPS 203 section 7.3)", () => {
  for (const id of IDS) {
    const library = LIBRARY.get(id)!;
    const { publicKey, secretKey } = library.keygen(seededRandom("own")(64));
    const ciphertext = library.encapsulate(publicKey, seededRandom("peer")(32)).cipherText;
    // dk is dkPKE | ek | H(ek) | z.
    const keyAt = secretKey.length - 64 - publicKey.length;
    const hashAt = secretKey.length - 64;

    it(`${ke(id).name}: a changed hash, a changed encapsulation key, another length`, () => {
      expect(library.decapsulate(ciphertext, secretKey).length).to.equal(32);
      for (const bit of [8 * hashAt, 8 * hashAt + 255, 8 * keyAt, 8 * hashAt - 1])
        expect(() => library.decapsulate(ciphertext, flipped(secretKey, bit))).to.throw("hash check");
      for (const other of [secretKey.subarray(1), concat(secretKey, Uint8Array.of(0))])
        expect(() => library.decapsulate(ciphertext, other)).to.throw();
    });
  }
});
