import { cmac as nobleCmac } from "@noble/ciphers/aes.js";
import { hmac as nobleHmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { expect } from "chai";
import fc from "fast-check";
import { fromHex, hex } from "../wire/bytes.ts";
import { aesCmac, aesXcbcMac } from "./aes-mac.ts";
import { counting } from "./bytes.ts";
import { ALL_INTEG, integTransform } from "./integ.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const RFC4493_KEY = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
const RFC4493_MESSAGE = fromHex(
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef" +
    "f69f2445df4f9b17ad2b417be66c3710",
);

describe("crypto: published vectors of the integrity transforms", () => {
  const xcbc: [octets: number, mac: string][] = [
    [0, "75f0251d528ac01c4573dfd584d79f29"],
    [3, "5b376580ae2f19afe7219ceef172756f"],
    [16, "d2a246fa349b68a79998a4394ff7a263"],
    [20, "47f51b4564966215b8985c63055ed308"],
    [32, "f54f0ec8d2b9f3d36807734bd5283fd4"],
    [34, "becbb3bccdb518a30677d5481fb6b4d8"],
  ];
  for (const [octets, mac] of xcbc) {
    it(`RFC 3566: AES-XCBC-MAC of ${octets} octets`, () => {
      const [key, data] = [counting(0, 16), counting(0, octets)];
      expect(hex(aesXcbcMac(key, data))).to.equal(mac);
      expect(hex(integTransform(5)!.compute(key, data))).to.equal(mac.slice(0, 24));
    });
  }

  it("RFC 3566: AES-XCBC-MAC of 1000 zero octets", () => {
    expect(hex(aesXcbcMac(counting(0, 16), new Uint8Array(1000)))).to.equal(
      "f0dafee895db30253761103b5d84528f",
    );
  });

  const cmac: [octets: number, mac: string][] = [
    [0, "bb1d6929e95937287fa37d129b756746"],
    [16, "070a16b46b4d4144f79bdd9dd04a287c"],
    [40, "dfa66747de9ae63030ca32611497c827"],
    [64, "51f0bebf7e3b9d92fc49741779363cfe"],
  ];
  for (const [octets, mac] of cmac) {
    it(`RFC 4493: AES-CMAC of ${octets} octets`, () => {
      const data = RFC4493_MESSAGE.subarray(0, octets);
      expect(hex(aesCmac(RFC4493_KEY, data))).to.equal(mac);
      expect(hex(integTransform(8)!.compute(RFC4493_KEY, data))).to.equal(mac.slice(0, 24));
    });
  }

  it("RFC 2202 case 1: HMAC-SHA1-96", () => {
    const icv = integTransform(2)!.compute(new Uint8Array(20).fill(0x0b), ascii("Hi There"));
    expect(hex(icv)).to.equal("b617318655057264e28bc0b6");
  });

  const rfc4868: [id: number, keyOctets: number, icv: string][] = [
    [12, 32, "198a607eb44bfbc69903a0f1cf2bbdc5"],
    [13, 48, "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"],
    [14, 64, "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"],
  ];
  for (const [id, keyOctets, icv] of rfc4868) {
    it(`RFC 4868 section 2.7.2.1: ${integTransform(id)!.name}`, () => {
      const key = new Uint8Array(keyOctets).fill(0x0b);
      expect(hex(integTransform(id)!.compute(key, ascii("Hi There")))).to.equal(icv);
    });
  }
});

describe("crypto: properties of the integrity transforms", () => {
  const hashes = { 2: sha1, 12: sha256, 13: sha384, 14: sha512 };
  const noble = (id: number, key: Uint8Array, data: Uint8Array): Uint8Array =>
    id === 8 ? nobleCmac(data, key) : nobleHmac(hashes[id as keyof typeof hashes], key, data);

  for (const integ of ALL_INTEG) {
    it(`${integ.name} gives its ICV length${integ.id === 5 ? "" : " and agrees with @noble"}`, () => {
      const key = fc.uint8Array({ minLength: integ.keyLength, maxLength: integ.keyLength });
      fc.assert(
        fc.property(key, fc.uint8Array({ maxLength: 300 }), (k, data) => {
          const icv = integ.compute(k, data);
          expect(icv.length).to.equal(integ.icvLength);
          if (integ.id !== 5) expect(icv).to.deep.equal(noble(integ.id, k, data).slice(0, integ.icvLength));
        }),
      );
    });
  }
});
