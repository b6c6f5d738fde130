import { getDiffieHellman } from "node:crypto";
import { x448 } from "@noble/curves/ed448.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { expect } from "chai";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { leftPad } from "./bytes.ts";
import { ALL_KE, isKeError, keMethod } from "./ke.ts";
import { seededRandom } from "./seeded-random.ts";
import type { Ke, KeyPair, Random } from "./types.ts";

const ke = (id: number) => keMethod(id)!;
/** A key pair with this private key: the methods take the octets of the random source as they are. */
const pairOf = (id: number, scalar: string): KeyPair => ke(id).generate(() => fromHex(scalar));
/** The key pair of the side that has the other's public value already. */
const answer = (method: Ke, random: Random, peerPublic: Uint8Array): KeyPair =>
  method.respond?.(random, peerPublic) ?? method.generate(random);
const errorOf = (pair: KeyPair, peer: Uint8Array): string => {
  const result = pair.derive(peer);
  return isKeError(result) ? result.error : "none";
};

interface Vector {
  name: string;
  id: number;
  i: string;
  r: string;
  publicI: string;
  publicR: string;
  shared: string;
}

const VECTORS: Vector[] = [
  {
    name: "RFC 5903 section 8.1 (ECP256)",
    id: 19,
    i: "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
    r: "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
    publicI:
      "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180" +
      "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
    publicR:
      "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63" +
      "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
    shared: "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE",
  },
  {
    name: "RFC 5903 section 8.2 (ECP384)",
    id: 20,
    i: "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896783AB194",
    r: "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942E0308312916B8ED2960E4BD55A7448FC",
    publicI:
      "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6DE3AC808ACB4BDB4C88732AEE95F41AA" +
      "9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C634573A81C",
    publicR:
      "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0774A3571" +
      "DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96DB9E6386C",
    shared:
      "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A270F59746",
  },
  {
    name: "RFC 5903 section 8.3 (ECP521)",
    id: 21,
    i:
      "0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A095AA85A30FE1C2952C6771D937BA9777" +
      "F5957B2639BAB072462F68C27A57382D4A52",
    r:
      "0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E9C677D600B343757A3BDBF2A3163E4C2" +
      "F869CCA7458AA4A4EFFC311F5CB151685EB9",
    publicI:
      "0015417E84DBF28C0AD3C278713349DC7DF153C897A1891BD98BAB4357C9ECBEE1E3BF42E00B8E380AEAE57C2D107564" +
      "941885942AF5A7F4601723C4195D176CED3E017CAE20B6641D2EEB695786D8C946146239D099E18E1D5A514C739D7CB4" +
      "A10AD8A788015AC405D7799DC75E7B7D5B6CF2261A6A7F1507438BF01BEB6CA3926F9582",
    publicR:
      "00D0B3975AC4B799F5BEA16D5E13E9AF971D5E9B984C9F39728B5E5739735A219B97C356436ADC6E95BB0352F6BE64A6" +
      "C2912D4EF2D0433CED2B6171640012D9460F015C68226383956E3BD066E797B623C27CE0EAC2F551A10C2C724D985207" +
      "7B87220B6536C5C408A1D2AEBB8E86D678AE49CB57091F4732296579AB44FCD17F0FC56A",
    shared:
      "01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04D1427E73CA4BAA240A34786859810C06" +
      "B3C715A3A8CC3151F2BEE417996D19F3DDEA",
  },
  {
    name: "RFC 7748 section 6.1 (Curve25519)",
    id: 31,
    i: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    r: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    publicI: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    publicR: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
  },
  {
    name: "RFC 8031 appendix A (Curve25519)",
    id: 31,
    i: "751fb4308655b476b6789b7325f9ea8cddd16a58533ff6d9e60009464a5f9d94",
    r: "0a54645253290d60ddadd0e030bacd9e5501efdc220755a1e978f1b839a05688",
    publicI: "48d5ddd4061257ba166fa3f9bbdb74f1a4e81c089384fa77f790709f0dfbc766",
    publicR: "0be7c1f5aad87d7e448662673298a443478b859745179eaf564c79c0ef6eee25",
    shared: "c74950607a12327f3204d94b6825bfb068b7f8319a9e3708ed3d43ce8130c950",
  },
  {
    name: "RFC 7748 section 6.2 (Curve448)",
    id: 32,
    i: "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
    r: "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
    publicI:
      "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
    publicR:
      "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
    shared:
      "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d",
  },
];

describe("crypto: published vectors of the key exchange methods", () => {
  for (const vector of VECTORS) {
    it(vector.name, () => {
      const [i, r] = [pairOf(vector.id, vector.i), pairOf(vector.id, vector.r)];
      expect(hex(i.publicValue)).to.equal(vector.publicI.toLowerCase());
      expect(hex(r.publicValue)).to.equal(vector.publicR.toLowerCase());
      expect(hex(i.derive(r.publicValue) as Uint8Array)).to.equal(vector.shared.toLowerCase());
      expect(hex(r.derive(i.publicValue) as Uint8Array)).to.equal(vector.shared.toLowerCase());
    });
  }
});

function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let power = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * power) % modulus;
    power = (power * power) % modulus;
  }
  return result;
}
const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes)}`);

describe("crypto: properties of the key exchange methods", () => {
  for (const method of ALL_KE) {
    it(`${method.name}: both sides get one secret of the registry's size, and a seed repeats it`, () => {
      const a = method.generate(seededRandom("a"));
      const b = answer(method, seededRandom("b"), a.publicValue);
      const shared = a.derive(b.publicValue) as Uint8Array;
      expect(shared).to.deep.equal(b.derive(a.publicValue));
      expect(shared.length).to.equal(method.sharedLength);
      expect(a.publicValue.length).to.equal(method.publicLength);
      expect(b.publicValue.length).to.equal(method.responseLength ?? method.publicLength);
      expect(method.generate(seededRandom("a")).publicValue).to.deep.equal(a.publicValue);
    });

    it(`${method.name} refuses a public value of another length`, () => {
      const pair = method.generate(seededRandom("a"));
      const { publicLength, responseLength = publicLength } = method;
      for (const length of [0, responseLength - 1, responseLength + 1]) {
        expect(errorOf(pair, new Uint8Array(length).fill(2))).to.equal("length");
      }
      for (const length of [0, publicLength - 1, publicLength + 1]) {
        const value = new Uint8Array(length).fill(2);
        expect(errorOf(answer(method, seededRandom("b"), value), value)).to.equal("length");
      }
    });
  }

  it("knows no unassigned method", () => {
    for (const id of [0, 1, 3, 13, 22, 33]) expect(keMethod(id)).to.equal(undefined);
  });

  it("ECP, X25519 and X448 agree with @noble/curves", () => {
    for (let round = 0; round < 10; round++) {
      const draw = seededRandom(round);
      for (const [id, curve] of [
        [19, p256],
        [20, p384],
        [21, p521],
      ] as const) {
        const secret = curve.utils.randomSecretKey(draw(curve.lengths.seed!));
        const peer = ke(id).generate(draw);
        const ours = pairOf(id, hex(secret));
        expect(ours.publicValue).to.deep.equal(curve.getPublicKey(secret, false).slice(1));
        const theirs = curve.getSharedSecret(secret, concat(Uint8Array.of(4), peer.publicValue));
        expect(ours.derive(peer.publicValue)).to.deep.equal(theirs.slice(1));
      }
      for (const [id, curve] of [
        [31, x25519],
        [32, x448],
      ] as const) {
        const [secret, u] = [draw(ke(id).publicLength), draw(ke(id).publicLength)];
        const ours = pairOf(id, hex(secret));
        expect(ours.publicValue).to.deep.equal(curve.getPublicKey(secret));
        expect(ours.derive(u)).to.deep.equal(curve.getSharedSecret(secret, u));
      }
    }
  });
});

describe("crypto: MODP public values and secrets", () => {
  const prime = getDiffieHellman("modp2").getPrime();
  const value = (n: bigint): Uint8Array => leftPad(fromHex(n.toString(16).padStart(256, "0")), 128);
  const p = toBigInt(prime);
  const pair = ke(2).generate(seededRandom("modp"));

  it("takes 2 and p-2, refuses 0, 1, p-1, p and more (RFC 6989 section 2.1)", () => {
    expect(isKeError(pair.derive(value(2n)))).to.equal(false);
    expect(isKeError(pair.derive(value(p - 2n)))).to.equal(false);
    for (const bad of [0n, 1n, p - 1n, p, p + 1n, 2n ** 1024n - 1n]) {
      expect(errorOf(pair, value(bad))).to.equal("range");
    }
  });

  it("pads a short secret to the modulus", () => {
    const exponent = new Uint8Array(32);
    exponent[0] = 0x80;
    const own = ke(2).generate(() => exponent);
    let tried = 0;
    for (let base = 2n; tried < 1; base++) {
      const shared = modPow(base, toBigInt(exponent), p);
      if (shared >> 1016n !== 0n) continue;
      tried++;
      expect(own.derive(value(base))).to.deep.equal(value(shared));
    }
  });
});

describe("crypto: hostile public values", () => {
  it("ECP: off the curve, zero, coordinates not below the prime (RFC 6989 section 2.3)", () => {
    for (const id of [19, 20, 21]) {
      const pair = ke(id).generate(seededRandom("ecp"));
      const off = ke(id).generate(seededRandom("peer")).publicValue;
      off[off.length - 1]! ^= 1;
      expect(errorOf(pair, off)).to.equal("off-curve");
      expect(errorOf(pair, new Uint8Array(off.length))).to.equal("off-curve");
      expect(errorOf(pair, new Uint8Array(off.length).fill(0xff))).to.equal("range");
    }
  });

  it("X25519 and X448: small order gives a zero secret (RFC 8031 section 2.3)", () => {
    for (const id of [31, 32]) {
      const pair = ke(id).generate(seededRandom("small"));
      const one = new Uint8Array(ke(id).publicLength);
      expect(errorOf(pair, one)).to.equal("zero-secret");
      one[0] = 1;
      expect(errorOf(pair, one)).to.equal("zero-secret");
    }
    const order8 = fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    expect(errorOf(ke(31).generate(seededRandom("small")), order8)).to.equal("zero-secret");
  });

  it("X25519 ignores the top bit and takes a value not below the prime (RFC 8031 section 3.1)", () => {
    const pair = ke(31).generate(seededRandom("top"));
    const peer = ke(31).generate(seededRandom("peer")).publicValue;
    const masked = Uint8Array.from(peer);
    masked[31]! |= 0x80;
    expect(pair.derive(masked)).to.deep.equal(pair.derive(peer));
    const nine = new Uint8Array(32);
    nine[0] = 9;
    const nineAndPrime = fromHex(`f6${"ff".repeat(30)}7f`);
    expect(pair.derive(nineAndPrime)).to.deep.equal(pair.derive(nine));
  });

  it("a source that never gives a scalar in range is an error, not a loop", () => {
    expect(() => ke(19).generate((octets) => new Uint8Array(octets))).to.throw(RangeError);
  });
});
