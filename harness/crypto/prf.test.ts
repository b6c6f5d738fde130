import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { counting } from "./bytes.ts";
import { prfPlus, prfTransform } from "./prf.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const prf = (id: number) => prfTransform(id)!;

describe("crypto: published vectors of the pseudo-random functions", () => {
  const rfc4231: [
    name: string,
    key: Uint8Array,
    data: Uint8Array,
    sha256: string,
    sha384: string,
    sha512: string,
  ][] = [
    [
      "case 1",
      new Uint8Array(20).fill(0x0b),
      ascii("Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ],
    [
      "case 2",
      ascii("Jefe"),
      ascii("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ],
    [
      "case 6: a key longer than the block",
      new Uint8Array(131).fill(0xaa),
      ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    ],
  ];
  for (const [name, key, data, sha256, sha384, sha512] of rfc4231) {
    it(`RFC 4231 ${name}`, () => {
      expect(hex(prf(5).compute(key, data))).to.equal(sha256);
      expect(hex(prf(6).compute(key, data))).to.equal(sha384);
      expect(hex(prf(7).compute(key, data))).to.equal(sha512);
    });
  }

  it("RFC 2202 cases 1 and 2: HMAC-SHA1", () => {
    const one = prf(2).compute(new Uint8Array(20).fill(0x0b), ascii("Hi There"));
    const two = prf(2).compute(ascii("Jefe"), ascii("what do ya want for nothing?"));
    expect(hex(one)).to.equal("b617318655057264e28bc0b6fb378c8ef146be00");
    expect(hex(two)).to.equal("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  });

  const rfc4434: [octets: number, output: string][] = [
    [16, "47f51b4564966215b8985c63055ed308"],
    [10, "0fa087af7d866e7653434e602fdde835"],
    [18, "8cd3c93ae598a9803006ffb67c40e9e4"],
  ];
  for (const [octets, output] of rfc4434) {
    it(`RFC 4434: key of ${octets} octets`, () => {
      const key = octets === 18 ? concat(counting(0, 16), Uint8Array.of(0xed, 0xcb)) : counting(0, octets);
      expect(hex(prf(4).compute(key, counting(0, 20)))).to.equal(output);
    });
  }

  const rfc4615: [octets: number, output: string][] = [
    [18, "84a348a4a45d235babfffc0d2b4da09a"],
    [16, "980ae87b5f4c9c5214f5b6a8455e4c2d"],
    [10, "290d9e112edb09ee141fcf64c0b72f3d"],
  ];
  for (const [octets, output] of rfc4615) {
    it(`RFC 4615: key of ${octets} octets`, () => {
      const key = octets === 18 ? concat(counting(0, 16), Uint8Array.of(0xed, 0xcb)) : counting(0, octets);
      expect(hex(prf(8).compute(key, counting(0, 20)))).to.equal(output);
    });
  }
});

describe("crypto: prf+", () => {
  it("chains blocks numbered from 1 (RFC 7296 section 2.13)", () => {
    const [key, seed] = [counting(1, 20), counting(50, 7)];
    const one = prf(2).compute(key, concat(seed, Uint8Array.of(1)));
    const two = prf(2).compute(key, concat(one, seed, Uint8Array.of(2)));
    expect(prfPlus(prf(2), key, seed, 40)).to.deep.equal(concat(one, two));
  });

  it("gives 255 blocks and refuses one octet more", () => {
    const most = prfPlus(prf(5), counting(0, 32), fromHex("00"), 255 * 32);
    expect(most).to.have.lengthOf(255 * 32);
    expect(prfPlus(prf(5), counting(0, 32), fromHex("00"), 255 * 32 + 1)).to.have.property(
      "error",
      "too-long",
    );
  });

  it("is the prefix of every longer stream", () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 4, 5, 6, 7, 8), fc.uint8Array(), fc.nat(300), (id, seed, octets) => {
        const long = prfPlus(prf(id), counting(0, 16), seed, 300) as Uint8Array;
        expect(prfPlus(prf(id), counting(0, 16), seed, octets)).to.deep.equal(long.slice(0, octets));
      }),
    );
  });

  it("knows no MD5, TIGER or unassigned PRF", () => {
    for (const id of [0, 1, 3, 9]) expect(prfTransform(id)).to.equal(undefined);
  });
});
