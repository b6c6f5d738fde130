import { cbc as nobleCbc, ctr as nobleCtr, gcm as nobleGcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 as nobleChacha } from "@noble/ciphers/chacha.js";
import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { counting } from "./bytes.ts";
import { ALL_ENCR, encrTransform } from "./encr.ts";
import type { Encr } from "./types.ts";

const NONE = new Uint8Array(0);
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Vector {
  name: string;
  encr: [id: number, keyBits?: number];
  key: string;
  iv: string;
  plaintext: string | Uint8Array;
  aad?: string;
  sealed: string;
}

const SUNSCREEN =
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";

const VECTORS: Vector[] = [
  {
    name: "RFC 3602 case 1",
    encr: [12, 128],
    key: "06a9214036b8a15b512e03d534120006",
    iv: "3dafba429d9eb430b422da802c9fac41",
    plaintext: ascii("Single block msg"),
    sealed: "e353779c1079aeb82708942dbe77181a",
  },
  {
    name: "RFC 3602 case 2",
    encr: [12, 128],
    key: "c286696d887c9aa0611bbb3e2025a45a",
    iv: "562e17996d093d28ddb3ba695a2e6f58",
    plaintext: counting(0, 32),
    sealed: "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
  },
  {
    name: "RFC 3602 case 5",
    encr: [12, 128],
    key: "90d382b410eeba7ad938c46cec1a82bf",
    iv: "e96e8c08ab465763fd098d45dd3ff893",
    plaintext: concat(
      fromHex("08000ebda70a00008e9c083db95b0700"),
      counting(8, 48),
      counting(1, 14),
      Uint8Array.of(14, 1),
    ),
    sealed:
      "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856a4699e523a55db080b59ec3a8e4b7e52" +
      "775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6",
  },
  {
    name: "RFC 3686 vector 1",
    encr: [13, 128],
    key: "ae6852f8121067cc4bf7a5765577f39e00000030",
    iv: "0000000000000000",
    plaintext: ascii("Single block msg"),
    sealed: "e4095d4fb7a7b3792d6175a3261311b8",
  },
  {
    name: "RFC 3686 vector 2",
    encr: [13, 128],
    key: "7e24067817fae0d743d6ce1f32539163006cb6db",
    iv: "c0543b59da48d90b",
    plaintext: counting(0, 32),
    sealed: "5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28",
  },
  {
    name: "RFC 3686 vector 4",
    encr: [13, 192],
    key: "16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb7851500000048",
    iv: "36733c147d6d93cb",
    plaintext: ascii("Single block msg"),
    sealed: "4b55384fe259c9c84e7935a003cbe928",
  },
  {
    name: "RFC 3686 vector 7",
    encr: [13, 256],
    key: "776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c10400000060",
    iv: "db5672c97aa8f0b2",
    plaintext: ascii("Single block msg"),
    sealed: "145ad01dbf824ec7560863dc71e3e0c0",
  },
  {
    name: "GCM specification, test case 4 (McGrew and Viega)",
    encr: [20, 128],
    key: "feffe9928665731c6d6a8f9467308308cafebabe",
    iv: "facedbaddecaf888",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525" +
      "b16aedf5aa0de657ba637b39",
    aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    sealed:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05" +
      "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
  },
  {
    name: "GCM specification, test case 16",
    encr: [20, 256],
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308cafebabe",
    iv: "facedbaddecaf888",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525" +
      "b16aedf5aa0de657ba637b39",
    aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838" +
      "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  },
  {
    name: "RFC 8439 section 2.8.2",
    encr: [28],
    key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f07000000",
    iv: "4041424344454647",
    plaintext: ascii(SUNSCREEN),
    aad: "50515253c0c1c2c3c4c5c6c7",
    sealed:
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
      "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
  },
  {
    name: "RFC 7634 appendix B",
    encr: [28],
    key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3",
    iv: "1011121314151617",
    plaintext: "0000000c000040010000000a00",
    aad: "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
    sealed: "610394701f8d017f7c129248896b71bfe25236efd7cdc67066906315b2",
  },
  {
    name: "RFC 3610 packet vector 1 (CCM with a nonce of 13 octets)",
    encr: [14, 128],
    key: "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf000000",
    iv: "03020100a0a1a2a3a4a5",
    plaintext: counting(8, 23),
    aad: "0001020304050607",
    sealed: "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0",
  },
  {
    name: "SP 800-38C example 3 (CCM with a nonce of 12 octets)",
    encr: [14, 128],
    key: "404142434445464748494a4b4c4d4e4f101112",
    iv: "131415161718191a1b",
    plaintext: counting(0x20, 24),
    aad: "000102030405060708090a0b0c0d0e0f10111213",
    sealed: "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951",
  },
  {
    name: "digest section 9, AES-CCM-16 in ESP",
    encr: [16, 128],
    key: "000102030405060708090a0b0c0d0e0fa0a1a2",
    iv: "1011121314151617",
    plaintext: "4500001c000100004001f68cc0a80102c0a802010800f7fd0001000101020204",
    aad: "c0ffee0100000001",
    sealed:
      "8baa7a61e0fd0ab0b6ce3eb31a45f53bbde48f3f2177e49eac58d4b04de89575f5312ee7c770d750f3c58c14dfdc9bdf",
  },
  {
    name: "digest section 9, AES-GMAC in ESP",
    encr: [21, 128],
    key: "000102030405060708090a0b0c0d0e0fa0a1a2a3",
    iv: "1011121314151617",
    plaintext: "4500001c000100004001f68cc0a80102c0a802010800f7fd0001000101020204",
    aad: "c0ffee0100000001",
    sealed:
      "4500001c000100004001f68cc0a80102c0a802010800f7fd000100010102020443bcf06160bf8577246fe33979934151",
  },
];

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === "string" ? fromHex(value) : value;

describe("crypto: published vectors of the encryption transforms", () => {
  for (const vector of VECTORS) {
    it(vector.name, () => {
      const encr = encrTransform(...vector.encr)!;
      const [key, iv, plaintext] = [fromHex(vector.key), fromHex(vector.iv), bytesOf(vector.plaintext)];
      const aad = fromHex(vector.aad ?? "");
      expect(hex(encr.seal(key, iv, plaintext, aad))).to.equal(vector.sealed);
      expect(encr.open(key, iv, fromHex(vector.sealed), aad)).to.deep.equal(plaintext);
    });
  }

  it("AES-CCM-8 without a plaintext: the tag, and no other", () => {
    const encr = encrTransform(14, 128)!;
    const [key, iv] = [new Uint8Array(19), new Uint8Array(8)];
    const vectors: [aad: number, tag: string][] = [
      [0, "67bbe37a923da302"],
      [8, "7eae73cc19fc5d2a"],
    ];
    for (const [aad, tag] of vectors) {
      expect(hex(encr.seal(key, iv, NONE, new Uint8Array(aad)))).to.equal(tag);
      expect(encr.open(key, iv, fromHex(tag), new Uint8Array(aad))).to.deep.equal(NONE);
      expect(encr.open(key, iv, new Uint8Array(8), new Uint8Array(aad))).to.equal(undefined);
    }
  });
});

describe("crypto: look-up of encryption transforms", () => {
  it("needs a Key Length for AES and refuses one elsewhere", () => {
    expect(encrTransform(12)).to.equal(undefined);
    expect(encrTransform(20, 160)).to.equal(undefined);
    expect(encrTransform(28, 256)).to.equal(undefined);
    expect(encrTransform(2)).to.equal(undefined);
  });

  it("has the sizes of the registry", () => {
    const sizes = (id: number, bits?: number): number[] => {
      const encr = encrTransform(id, bits)!;
      return [encr.keyLength, encr.saltLength, encr.ivLength, encr.blockSize, encr.icvLength];
    };
    expect(sizes(3)).to.deep.equal([24, 0, 8, 8, 0]);
    expect(sizes(11)).to.deep.equal([0, 0, 0, 1, 0]);
    expect(sizes(12, 192)).to.deep.equal([24, 0, 16, 16, 0]);
    expect(sizes(13, 256)).to.deep.equal([36, 4, 8, 1, 0]);
    expect(sizes(14, 128)).to.deep.equal([19, 3, 8, 1, 8]);
    expect(sizes(15, 192)).to.deep.equal([27, 3, 8, 1, 12]);
    expect(sizes(16, 256)).to.deep.equal([35, 3, 8, 1, 16]);
    expect(sizes(18, 128)).to.deep.equal([20, 4, 8, 1, 8]);
    expect(sizes(19, 192)).to.deep.equal([28, 4, 8, 1, 12]);
    expect(sizes(20, 256)).to.deep.equal([36, 4, 8, 1, 16]);
    expect(sizes(21, 256)).to.deep.equal([36, 4, 8, 1, 16]);
    expect(sizes(28)).to.deep.equal([36, 4, 8, 1, 16]);
  });
});

const octets = (size: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: size, maxLength: size });
const inputs = (encr: Encr) =>
  fc.record({
    key: octets(encr.keyLength),
    iv: octets(encr.ivLength),
    blocks: fc.uint8Array({ maxLength: 80 }),
    aad: fc.uint8Array({ maxLength: 20 }),
  });
const padTo = (data: Uint8Array, block: number): Uint8Array =>
  concat(data, new Uint8Array((block - (data.length % block)) % block));
const nameOf = (encr: Encr): string => `${encr.name} ${8 * (encr.keyLength - encr.saltLength)}`;

describe("crypto: properties of the encryption transforms", () => {
  for (const encr of ALL_ENCR) {
    it(`${nameOf(encr)} opens what it sealed, and no AEAD opens a changed octet`, () => {
      fc.assert(
        fc.property(inputs(encr), fc.nat(), ({ key, iv, blocks, aad }, place) => {
          const plaintext = padTo(blocks, encr.blockSize);
          const sealed = encr.seal(key, iv, plaintext, aad);
          expect(sealed.length).to.equal(plaintext.length + encr.icvLength);
          expect(encr.open(key, iv, sealed, aad)).to.deep.equal(plaintext);
          if (!encr.aead) return;
          sealed[place % sealed.length]! ^= 1;
          expect(encr.open(key, iv, sealed, aad)).to.equal(undefined);
          expect(encr.open(key, iv, sealed.subarray(0, encr.icvLength - 1), aad)).to.equal(undefined);
        }),
        { numRuns: 30 },
      );
    });
  }

  it("a CBC cipher opens no partial block", () => {
    expect(encrTransform(12, 128)!.open(NONE, NONE, new Uint8Array(17), NONE)).to.equal(undefined);
  });

  const noble = (encr: Encr, key: Uint8Array, iv: Uint8Array, aad: Uint8Array) => {
    const cipherKey = key.subarray(0, encr.keyLength - encr.saltLength);
    const nonce = concat(key.subarray(cipherKey.length), iv);
    if (encr.id === 12) return nobleCbc(cipherKey, iv, { disablePadding: true });
    if (encr.id === 13) return nobleCtr(cipherKey, concat(nonce, Uint8Array.of(0, 0, 0, 1)));
    return encr.id === 28 ? nobleChacha(cipherKey, nonce, aad) : nobleGcm(cipherKey, nonce, aad);
  };

  for (const encr of ALL_ENCR.filter(({ id }) => [12, 13, 20, 28].includes(id))) {
    it(`${nameOf(encr)} agrees with @noble/ciphers`, () => {
      fc.assert(
        fc.property(inputs(encr), ({ key, iv, blocks, aad }) => {
          const plaintext = padTo(blocks, encr.blockSize);
          expect(encr.seal(key, iv, plaintext, aad)).to.deep.equal(
            noble(encr, key, iv, aad).encrypt(plaintext),
          );
        }),
        { numRuns: 40 },
      );
    });
  }
});
