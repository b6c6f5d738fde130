import { createCipheriv, createDecipheriv } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { fromHex, hex } from "../wire/bytes.ts";
import { keyWrap } from "./key-wrap.ts";

const AIV = fromHex("a65959a6");
/** RFC 5649 section 6. */
const KEK = fromHex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
const VECTORS = [
  [
    "c37b7e6492584340bed12207808941155068f738",
    "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
  ],
  ["466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"],
] as const;

const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

describe("key wrap of RFC 5649", () => {
  it("reproduces the vectors of the RFC", () => {
    for (const [key, wrapped] of VECTORS) {
      expect(hex(keyWrap(2)!.wrap(KEK, fromHex(key)))).to.equal(wrapped);
      expect(hex(keyWrap(2)!.unwrap(KEK, fromHex(wrapped))!)).to.equal(key);
    }
  });

  it("knows three ids", () => {
    expect([0, 1, 2, 3, 4, 1024].map((id) => keyWrap(id)?.name)).to.deep.equal([
      undefined,
      "KW_5649_128",
      "KW_5649_192",
      "KW_5649_256",
      undefined,
      undefined,
    ]);
  });

  for (const [id, bits] of [
    [1, 128],
    [2, 192],
    [3, 256],
  ] as const) {
    const { keyLength, wrap, unwrap } = keyWrap(id)!;

    it(`KW_5649_${bits} agrees with OpenSSL, up to the 256 octets that it must be able to wrap`, () => {
      const sized = fc.tuple(octets(keyLength), fc.uint8Array({ minLength: 1, maxLength: 256 }));
      const { encrypt, decrypt } = openssl(bits);
      fc.assert(
        fc.property(sized, ([kek, key]) => {
          const wrapped = wrap(kek, key);
          expect(wrapped).to.have.length(8 * (Math.ceil(key.length / 8) + 1));
          expect(hex(wrapped)).to.equal(hex(encrypt(kek, key)));
          expect(hex(decrypt(kek, wrapped))).to.equal(hex(key));
          expect(hex(unwrap(kek, wrapped)!)).to.equal(hex(key));
        }),
        { numRuns: 50 },
      );
    });

    it(`KW_5649_${bits} opens nothing that was changed, cut or is of another size, and throws nothing`, () => {
      const hostile = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 80 }));
      fc.assert(fc.property(hostile, ([kek, wrapped]) => unwrap(kek, wrapped) === undefined));
      const kek = new Uint8Array(keyLength).fill(7);
      const wrapped = wrap(kek, new Uint8Array(20).fill(9));
      for (let at = 0; at < wrapped.length; at++) {
        expect(unwrap(kek, wrapped.subarray(0, at))).to.equal(undefined);
        expect(
          unwrap(
            kek,
            wrapped.map((octet, index) => (index === at ? octet ^ 1 : octet)),
          ),
        ).to.equal(undefined);
      }
    });
  }

  it("opens no length field beyond the data, and no padding but zeros", () => {
    const kek = new Uint8Array(16);
    for (const bad of ["a65959a600000009 0102030405060708", "a65959a600000007 0102030405060708"]) {
      // Up to 8 octets of key are one block of AES behind the AIV.
      const cipher = createCipheriv("aes-128-ecb", kek, null).setAutoPadding(false);
      expect(keyWrap(1)!.unwrap(kek, cipher.update(fromHex(bad)))).to.equal(undefined);
    }
  });

  it("wraps no empty key, nor with a key of another size", () => {
    expect(() => keyWrap(1)!.wrap(new Uint8Array(16), new Uint8Array())).to.throw(RangeError);
    expect(() => keyWrap(1)!.wrap(new Uint8Array(32), new Uint8Array(1))).to.throw(RangeError);
  });
});

function openssl(bits: number) {
  const name = `id-aes${bits}-wrap-pad`;
  return {
    encrypt: (kek: Uint8Array, key: Uint8Array) => {
      const cipher = createCipheriv(name, kek, AIV);
      return Buffer.concat([cipher.update(key), cipher.final()]);
    },
    decrypt: (kek: Uint8Array, wrapped: Uint8Array) => {
      const decipher = createDecipheriv(name, kek, AIV);
      return Buffer.concat([decipher.update(wrapped), decipher.final()]);
    },
  };
}
