import { expect } from "chai";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { counting } from "./bytes.ts";
import { encrTransform } from "./encr.ts";
import { integTransform } from "./integ.ts";
import { keMethod } from "./ke.ts";
import { childKeymat, ikeKeys, pskAuth, rekeyedSkeyseed, signedOctets, skeyseed } from "./keys.ts";
import { prfPlus, prfTransform } from "./prf.ts";

const EMPTY = new Uint8Array(0);
const prf = (id: number) => prfTransform(id)!;

describe("crypto: NIST SP 800-135 IKEv2 key derivation", () => {
  it("HMAC-SHA1: SKEYSEED, prf+, KEYMAT with and without g^ir, rekey", () => {
    const [Ni, Nr] = [fromHex("32b50d5f4a3763f3"), fromHex("9206a04b26564cb1")];
    const gir = fromHex("4b2c1f971981a8ad8d0abeafabf38cf75fc8349c148142465ed9c8b516b8be52");
    const girNew = fromHex("863f3c9d06efd39d2b907b97f8699e5dd5251ef64a2a176f36ee40c87d4f9330");
    const seed = skeyseed(prf(2), Ni, Nr, gir);
    expect(hex(seed)).to.equal("a9a7b222b59f8f48645f28a1db5b5f5d7479cba7");
    const [SPIi, SPIr] = [fromHex("34c9e7c188868785"), fromHex("3ff77d760d2b2199")];
    const stream = prfPlus(prf(2), seed, concat(Ni, Nr, SPIi, SPIr), 64) as Uint8Array;
    expect(hex(stream)).to.equal(
      "a14293677cc80ff8f9cc0eee30d895da9d8f405666e30ef0dfcb63c634a46002a2a63080e514a062768b76606f9fa5e9" +
        "92204fc5a670bde3f10d6b027113936a",
    );
    const { SK_d } = ikeKeys(prf(2), encrTransform(12, 128)!, integTransform(2), seed, Ni, Nr, SPIi, SPIr);
    expect(SK_d).to.deep.equal(stream.slice(0, 20));
    const child = (g?: Uint8Array) =>
      childKeymat(prf(2), SK_d, Ni, Nr, encrTransform(12, 128)!, integTransform(2), g);
    const first = child().initiatorToResponder;
    expect(hex(concat(first.encr, first.integ))).to.equal(
      "8059e3ee8810e6c3a91bc8bcd2a7a41151b8d0e6ae239c7b38093ad85ef4c5811a8e7b5d",
    );
    const withKe = child(girNew).initiatorToResponder;
    expect(hex(concat(withKe.encr, withKe.integ))).to.equal(
      "bb43244c1860ad65ee1e211ffe8bb3661750c8f89cb9f547df7f4fa61d37301628190e38",
    );
    expect(hex(rekeyedSkeyseed(prf(2), SK_d, girNew, Ni, Nr))).to.equal(
      "63e81194946ebd05df7df5ebf5d8750056bf1f1d",
    );
  });

  it("HMAC-SHA2-256: SKEYSEED and prf+", () => {
    const [Ni, Nr] = [fromHex("ed80dc79912c32a9"), fromHex("35fb6d1a3feac078")];
    const gir = fromHex(
      "42968e5d0ccc3cfc5a3e4bc1bba370cea1fae0d54c49ccba34b2bee804beeb2e9e8c57a4e01bd45102cf2433aacc6cfe" +
        "c06792f363e5170e6aa6650274e906648e449d27a8f00b5b44261982c9835c748a751ec5138eaacc5e025661339538a6" +
        "1bf418e454699e19c32db8d9ce5dd86b220f1e89afc5872e68be36cb1a0c8866",
    );
    const seed = skeyseed(prf(5), Ni, Nr, gir);
    expect(hex(seed)).to.equal("37fde90b81d63692620f67367b62092e3efdc6a03509137d731004767ff35010");
    const spis = fromHex("47c1858efc932ea4606fd05609624002");
    expect(hex(prfPlus(prf(5), seed, concat(Ni, Nr, spis), 64) as Uint8Array)).to.equal(
      "63d018a08f7a29daa7d1f92cb63f45fa39bbaf5e5f1a78139613bb891e3e6bf9d0448f7c74e05b4c1a25c0b61e62c875" +
        "e852f287e192d4ae536112db51972164",
    );
  });
});

describe("crypto: worked example of the RFC 7296 digest, section 9.5", () => {
  const PRF = prf(5);
  const [Ni, Nr] = [counting(0, 32), counting(0x20, 32)];
  const [SPIi, SPIr] = [counting(0xa1, 8), counting(0xb1, 8)];
  const x25519 = keMethod(31)!;
  const scalar = fromHex("751fb4308655b476b6789b7325f9ea8cddd16a58533ff6d9e60009464a5f9d94");
  const peer = fromHex("0be7c1f5aad87d7e448662673298a443478b859745179eaf564c79c0ef6eee25");
  const gir = x25519.generate(() => scalar).derive(peer) as Uint8Array;
  const SKEYSEED = skeyseed(PRF, Ni, Nr, gir);
  const integ = integTransform(12)!;
  const keys = ikeKeys(PRF, encrTransform(12, 256)!, integ, SKEYSEED, Ni, Nr, SPIi, SPIr);
  const request = fromHex(
    "a1a2a3a4a5a6a7a800000000000000002120220800000000000000d0220000300000002c010100040300000c0100000c" +
      "800e01000300000802000005030000080300000c000000080400001f28000028001f000048d5ddd4061257ba166fa3f9" +
      "bbdb74f1a4e81c089384fa77f790709f0dfbc76629000024000102030405060708090a0b0c0d0e0f1011121314151617" +
      "18191a1b1c1d1e1f2900001c0000400447299a7a1fecc5335f8faf525d8c7864f635761b0000001c00004005d26b58a6" +
      "cc72e9f67f18931132d5bdd2824bbaf4",
  );
  const response = fromHex(
    "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82120222000000000000000d0220000300000002c010100040300000c0100000c" +
      "800e01000300000802000005030000080300000c000000080400001f28000028001f00000be7c1f5aad87d7e44866267" +
      "3298a443478b859745179eaf564c79c0ef6eee2529000024202122232425262728292a2b2c2d2e2f3031323334353637" +
      "38393a3b3c3d3e3f2900001c00004004386160d0e5a11f38c88048f8856ee57941f3b8360000001c0000400514582c0d" +
      "c0ced614e5a0da9bb238b973839eb071",
  );
  const idBody = (name: string): Uint8Array => concat(fromHex("02000000"), new TextEncoder().encode(name));

  it("derives the IKE keys", () => {
    expect(hex(SKEYSEED)).to.equal("57537a70ced6a4abd62b10ac224bedc279492add0ce9fb31634fcdc67f9f91a6");
    expect(Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, hex(key)]))).to.deep.equal({
      SK_d: "deb0ec02974e35bbcb542702dcf2172ae1e32986dfdf44dfe0495c8239f80265",
      SK_ai: "0af23adade0117db951a2b1f9610ce89226a162c89ad232df4441eae8aa32e39",
      SK_ar: "3deb9493c04d96cda5098ffe2c5e25e68293bc2fb603068cc2d3a86102cf5617",
      SK_ei: "bb7a734293240c553e5b759d0a2463dd89d84b4fe1fbcac4ec588155f7e66e5b",
      SK_er: "0bf9dcb4af523977f1353bcf2565c53f455b29cfe51cbc6e0efe9d65cd17ec06",
      SK_pi: "15ada32b68265ebd75b0233e158a67efa257d75ce34a4608043a8815cb70bef0",
      SK_pr: "5c4f7d0977c9c2cac1e00605c007db8aa50df000dc8afeb3d5ee630511db327a",
    });
  });

  it("computes both AUTH values", () => {
    const secret = new TextEncoder().encode("interop-test-psk");
    const signedI = signedOctets(request, Nr, PRF, keys.SK_pi, idBody("i.example.org"));
    const signedR = signedOctets(response, Ni, PRF, keys.SK_pr, idBody("r.example.org"));
    expect(hex(pskAuth(PRF, secret, signedI))).to.equal(
      "b4e7d821d4e7f151a3991e779aea914afc66646d0483921a4632d676e96b22ec",
    );
    expect(hex(pskAuth(PRF, secret, signedR))).to.equal(
      "fa51f1151bc548d3bc99d6b6e5ea16c454aea735affb83a6311b9ad53338e48f",
    );
  });

  it("computes both AUTH values of NULL authentication, digest of RFC 7619 section 9", () => {
    const anonymous = fromHex("0d000000");
    const signedI = signedOctets(request, Nr, PRF, keys.SK_pi, anonymous);
    const signedR = signedOctets(response, Ni, PRF, keys.SK_pr, anonymous);
    expect(hex(pskAuth(PRF, keys.SK_pi, signedI))).to.equal(
      "bc78f6841b4656d5a134d5486099b6495b34cfdd3840d10e32bd5da04508e934",
    );
    expect(hex(pskAuth(PRF, keys.SK_pr, signedR))).to.equal(
      "752a880e345ee86616c97d20ed5864500d85554aaed0c156828c469bb078e245",
    );
  });

  it("cuts the KEYMAT of the first Child SA", () => {
    const child = childKeymat(PRF, keys.SK_d, Ni, Nr, encrTransform(12, 128)!, integ);
    const { initiatorToResponder: ir, responderToInitiator: ri } = child;
    expect(hex(concat(ir.encr, ir.integ, ri.encr, ri.integ))).to.equal(
      "d540ef08222f99def023ad64eb4a497a05a30dccbb4ca123c53a33f4b4dde044cfe4f4a0945cf5da9f18cc066905a88d" +
        "7618f357424442bbac68b537c70733888de652d2a227a34e6be05cd174f1407182f4efdaa3911ec936df0d223c0fda29",
    );
  });

  it("seals the empty INFORMATIONAL request, AES-CBC-256 with HMAC-SHA2-256-128", () => {
    const header = fromHex("a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e202508000000020000005000000034");
    const plaintext = concat(new Uint8Array(15), Uint8Array.of(15));
    const body = encrTransform(12, 256)!.seal(keys.SK_ei, counting(0x70, 16), plaintext, EMPTY);
    const message = concat(header, counting(0x70, 16), body);
    expect(hex(concat(message, integ.compute(keys.SK_ai, message)))).to.equal(
      "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e202508000000020000005000000034707172737475767778797a7b7c7d7e7f" +
        "0f9bed2a3d99307bef2c11f0ba688b8f683750e90c2c522028dfcfdf4cb46e94",
    );
  });

  it("with AES-GCM-16 takes no SK_a, and opens the digest's messages", () => {
    const encr = encrTransform(20, 256)!;
    const gcm = ikeKeys(PRF, encr, undefined, SKEYSEED, Ni, Nr, SPIi, SPIr);
    expect([gcm.SK_ai.length, gcm.SK_ar.length]).to.deep.equal([0, 0]);
    expect(hex(gcm.SK_ei)).to.equal(
      "0af23adade0117db951a2b1f9610ce89226a162c89ad232df4441eae8aa32e393deb9493",
    );
    expect(hex(gcm.SK_er)).to.equal(
      "c04d96cda5098ffe2c5e25e68293bc2fb603068cc2d3a86102cf5617bb7a734293240c55",
    );
    const message = fromHex(
      "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20250800000003000000412a0000250000000000000002dc5fb9661ed47bf3" +
        "a45ebdde5b80b8e3855829cf5041df638b",
    );
    const opened = encr.open(
      gcm.SK_ei,
      message.subarray(32, 40),
      message.subarray(40),
      message.subarray(0, 32),
    );
    expect(hex(opened!)).to.equal("000000080100000000");
  });
});

describe("crypto: the AES PRFs take 8 octets of each nonce for SKEYSEED", () => {
  for (const id of [4, 8]) {
    it(prf(id).name, () => {
      const [Ni, Nr, gir] = [counting(0, 32), counting(64, 20), counting(9, 32)];
      const key = concat(Ni.subarray(0, 8), Nr.subarray(0, 8));
      expect(skeyseed(prf(id), Ni, Nr, gir)).to.deep.equal(prf(id).compute(key, gir));
    });
  }
});
