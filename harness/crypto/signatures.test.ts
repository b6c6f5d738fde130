import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { seededRandom } from "./seeded-random.ts";
import { oldMethods, type SchemeName, schemeByName, schemeOfIdentifier, schemes } from "./signatures.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const PAIRS = {
  rsa,
  "P-256": ec("P-256"),
  "P-384": ec("P-384"),
  "P-521": ec("P-521"),
  ed25519: generateKeyPairSync("ed25519"),
  ed448: generateKeyPairSync("ed448"),
  secp256k1: ec("secp256k1"),
  x25519: generateKeyPairSync("x25519"),
};
const pairs = Object.values(PAIRS);
const random = () => seededRandom("signatures");
const abc = new TextEncoder().encode("abc");
const method = (number: number) => oldMethods.find((m) => m.method === number)!;

/** Appendix A of RFC 7427 and RFC 8420, and the forms of PSS that daemons send. */
const IDENTIFIERS: [SchemeName, string][] = [
  ["rsa-pkcs1-sha1", "300d06092a864886f70d0101050500"],
  ["rsa-pkcs1-sha256", "300d06092a864886f70d01010b0500"],
  ["rsa-pkcs1-sha384", "300d06092a864886f70d01010c0500"],
  ["rsa-pkcs1-sha512", "300d06092a864886f70d01010d0500"],
  ["ecdsa-sha1", "300906072a8648ce3d0401"],
  ["ecdsa-sha256", "300a06082a8648ce3d040302"],
  ["ecdsa-sha384", "300a06082a8648ce3d040303"],
  ["ecdsa-sha512", "300a06082a8648ce3d040304"],
  [
    "rsa-pss-sha256",
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d01010830" +
      "0d06096086480165030402010500a203020120",
  ],
  [
    "rsa-pss-sha384",
    "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d01010830" +
      "0d06096086480165030402020500a203020130",
  ],
  [
    "rsa-pss-sha512",
    "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d01010830" +
      "0d06096086480165030402030500a203020140",
  ],
  ["ed25519", "300506032b6570"],
  ["ed448", "300506032b6571"],
];

describe("signature schemes (RFC 7427, RFC 8420)", () => {
  it("name themselves as the RFCs do", () => {
    expect(schemes.map((s) => s.name)).to.have.members(IDENTIFIERS.map(([name]) => name));
    for (const [name, identifier] of IDENTIFIERS) {
      expect(hex(schemeByName(name).algorithmIdentifier)).to.equal(identifier);
      expect(schemeOfIdentifier(fromHex(identifier))?.name).to.equal(name);
    }
  });

  it("are known by the other encodings that RFC 4055 allows", () => {
    const pss72 =
      "304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a864886f70d01010830" +
      "0d06096086480165030402010500a203020120a303020101";
    const pssWithoutNull =
      "303d06092a864886f70d01010a3030a00d300b0609608648016503040201a11a301806092a864886f70d01010830" +
      "0b0609608648016503040201a203020120";
    expect(schemeOfIdentifier(fromHex(pss72))?.name).to.equal("rsa-pss-sha256");
    expect(schemeOfIdentifier(fromHex(pssWithoutNull))?.name).to.equal("rsa-pss-sha256");
    expect(schemeOfIdentifier(fromHex("300b06092a864886f70d01010b"))?.name).to.equal("rsa-pkcs1-sha256");
  });

  it("are not seen in an identifier that means something else", () => {
    const others = {
      "PSS with SHA-1": "300d06092a864886f70d01010a3000",
      "a salt of 20 octets":
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d01010830" +
        "0d06096086480165030402010500a203020114",
      "trailerField 2":
        "304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a864886f70d01010830" +
        "0d06096086480165030402010500a203020120a303020102",
      "MGF1 with another hash":
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d01010830" +
        "0d06096086480165030402020500a203020120",
      "ECDSA with NULL": "300c06082a8648ce3d0403020500",
      "a length of two octets": "30810d06092a864886f70d01010b0500",
      "octets behind it": "300506032b657000",
    };
    for (const [what, identifier] of Object.entries(others)) {
      expect(schemeOfIdentifier(fromHex(identifier)), what).to.equal(undefined);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (der) => schemeOfIdentifier(der) === undefined));
  });

  it("verify what they sign, and that with node:crypto", () => {
    for (const scheme of schemes) {
      const fitting = pairs.filter((pair) => scheme.fits(pair.privateKey));
      expect(fitting.length, scheme.name).to.equal(scheme.name.startsWith("ecdsa") ? 3 : 1);
      const octets = fc.uint8Array({ maxLength: 300 });
      fc.assert(
        fc.property(octets, fc.constantFrom(...fitting), (message, { privateKey, publicKey }) => {
          const signature = scheme.sign(privateKey, message, random());
          return (
            hex(signature) === hex(scheme.sign(privateKey, message, random())) &&
            scheme.verify(publicKey, message, signature) &&
            !scheme.verify(publicKey, concat(message, abc), signature)
          );
        }),
        { numRuns: 10 },
      );
    }
  });

  it("never use a key that does not fit", () => {
    for (const scheme of schemes) {
      for (const { privateKey, publicKey } of pairs.filter((pair) => !scheme.fits(pair.privateKey))) {
        expect(() => scheme.sign(privateKey, abc, random())).to.throw(`${scheme.name} does not sign with`);
        expect(scheme.verify(publicKey, abc, new Uint8Array(64))).to.equal(false);
      }
    }
  });

  it("draw the salt of PSS from the given randomness, and encode for every length of a modulus", () => {
    const scheme = schemeByName("rsa-pss-sha256");
    const first = scheme.sign(rsa.privateKey, abc, random());
    expect(scheme.sign(rsa.privateKey, abc, seededRandom("another"))).not.to.deep.equal(first);
    for (const modulusLength of [1024, 1025, 1030, 1031]) {
      const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
      const signature = scheme.sign(privateKey, abc, random());
      expect(signature.length).to.equal(Math.ceil(modulusLength / 8));
      expect(scheme.verify(publicKey, abc, signature), `${modulusLength} bits`).to.equal(true);
    }
    const short = generateKeyPairSync("rsa", { modulusLength: 512 }).privateKey;
    expect(() => scheme.sign(short, abc, random())).to.throw(
      "an RSA key of 512 bits is too short for sha256",
    );
  });

  it("make the AUTH of the worked example with the key of RFC 8032 test 1", () => {
    const key = createPrivateKey({
      key: {
        kty: "OKP",
        crv: "Ed25519",
        d: base64url("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
        x: base64url("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
      },
      format: "jwk",
    });
    expect(hex(schemeByName("ed25519").sign(key, signedOctets(), random()))).to.equal(
      "d8df011e221586e94f83ff2ef26c5c95c9fdc24e5a4d5e63e96c39f85ffe43dd" +
        "1c7630b674de7833ef2bdac50bfcb45f7571cca3fcf13360b84a119d04535d08",
    );
  });
});

const base64url = (digits: string): string => Buffer.from(digits, "hex").toString("base64url");

/** InitiatorSignedOctets: the IKE_SA_INIT request with a list of hashes, Nr = 20..3f, prf(SK_pi, IDi'). */
const signedOctets = (): Uint8Array =>
  fromHex(`a1a2a3a4a5a6a7a800000000000000002120220800000000000000e0220000300000002c010100040300000c0100000c
    800e01000300000802000005030000080300000c000000080400001f28000028001f000048d5ddd4061257ba166fa3f9
    bbdb74f1a4e81c089384fa77f790709f0dfbc76629000024000102030405060708090a0b0c0d0e0f1011121314151617
    18191a1b1c1d1e1f2900001c0000400447299a7a1fecc5335f8faf525d8c7864f635761b2900001c00004005d26b58a6
    cc72e9f67f18931132d5bdd2824bbaf4000000100000402f0002000300040005
    202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
    8db696c9fe1e5d3a34d4730f81cdc61000454e2e6e2fcd2740d2e12cc8cf0799`);

/** RFC 4754 section 8, of the message "abc". */
const RFC4754 = [
  {
    method: 9,
    crv: "P-256",
    x: "2442A5CC0ECD015FA3CA31DC8E2BBC70BF42D60CBCA20085E0822CB04235E970",
    y: "6FC98BD7E50211A4A27102FA3549DF79EBCB4BF246B80945CDDFE7D509BBFD7D",
    d: "DC51D3866A15BACDE33D96F992FCA99DA7E6EF0934E7097559C27F1614C88A7F",
    signature:
      "CB28E0999B9C7715FD0A80D8E47A77079716CBBF917DD72E97566EA1C066957C" +
      "86FA3BB4E26CAD5BF90B7F81899256CE7594BB1EA0C89212748BFF3B3D5B0315",
  },
  {
    method: 10,
    crv: "P-384",
    x: "96281BF8DD5E0525CA049C048D345D3082968D10FEDF5C5ACA0C64E6465A97EA5CE10C9DFEC21797415710721F437922",
    y: "447688BA94708EB6E2E4D59F6AB6D7EDFF9301D249FE49C33096655F5D502FAD3D383B91C5E7EDAA2B714CC99D5743CA",
    d: "0BEB646634BA87735D77AE4809A0EBEA865535DE4C1E1DCB692E84708E81A5AF62E528C38B2A81B35309668D73524D9F",
    signature:
      "FB017B914E29149432D8BAC29A514640B46F53DDAB2C69948084E2930F1C8F7E08E07C9C63F2D21A07DCB56A6AF56EB3" +
      "B263A1305E057F984D38726A1B46874109F417BCA112674C528262A40A629AF1CBB9F516CE0FA7D2FF630863A00E8B9F",
  },
  {
    method: 11,
    crv: "P-521",
    x:
      "0151518F1AF0F563517EDD5485190DF95A4BF57B5CBA4CF2A9A3F6474725A35F" +
      "7AFE0A6DDEB8BEDBCD6A197E592D40188901CECD650699C9B5E456AEA5ADD19052A8",
    y:
      "006F3B142EA1BFFF7E2837AD44C9E4FF6D2D34C73184BBAD90026DD5E6E85317" +
      "D9DF45CAD7803C6C20035B2F3FF63AFF4E1BA64D1C077577DA3F4286C58F0AEAE643",
    d:
      "0065FDA3409451DCAB0A0EAD45495112A3D813C17BFD34BDF8C1209D7DF58491" +
      "20597779060A7FF9D704ADF78B570FFAD6F062E95C7E0C5D5481C5B153B48B375FA1",
    signature:
      "0154FD3836AF92D0DCA57DD5341D3053988534FDE8318FC6AAAAB68E2E6F4339" +
      "B19F2F281A7E0B22C269D93CF8794A9278880ED7DBB8D9362CAEACEE544320552251" +
      "017705A7030290D1CEB605A9A1BB03FF9CDD521E87A696EC926C8C10C8362DF4" +
      "975367101F67D1CF9BCCBF2F3D239534FA509E70AAC851AE01AAC68D62F866472660",
  },
];

describe("signature methods 1 and 9 to 11", () => {
  for (const { method: number, crv, x, y, d, signature } of RFC4754) {
    it(`verifies the ${crv} signature of RFC 4754, and makes its own`, () => {
      const jwk = { kty: "EC", crv, x: base64url(x), y: base64url(y), d: base64url(d) };
      const key = createPrivateKey({ key: jwk, format: "jwk" });
      const { verify, sign: make } = method(number);
      expect(verify(key, abc, fromHex(signature))).to.equal(true);
      expect(verify(key, concat(abc, abc), fromHex(signature))).to.equal(false);
      const own = make(key, abc, random());
      expect(own.length).to.equal(signature.length / 2);
      expect(verify(key, abc, own)).to.equal(true);
    });
  }

  it("bind an ECDSA method to its curve", () => {
    const fitting = (key: KeyObject) => oldMethods.filter((m) => m.fits(key)).map((m) => m.method);
    expect(Object.values(PAIRS).map(({ publicKey }) => fitting(publicKey))).to.deep.equal([
      [1],
      [9],
      [10],
      [11],
      [],
      [],
      [],
      [],
    ]);
    expect(() => method(9).sign(PAIRS["P-384"].privateKey, abc, random())).to.throw("secp384r1 key");
  });

  it("sign with SHA-1 by RSA, and verify SHA-2 too (RFC 7296 section 3.8)", () => {
    const own = method(1).sign(rsa.privateKey, abc, random());
    expect(schemeByName("rsa-pkcs1-sha1").verify(rsa.publicKey, abc, own)).to.equal(true);
    for (const hash of ["sha1", "sha256", "sha384", "sha512"]) {
      expect(method(1).verify(rsa.publicKey, abc, sign(hash, abc, rsa.privateKey)), hash).to.equal(true);
    }
    expect(method(1).verify(rsa.publicKey, abc, sign("md5", abc, rsa.privateKey))).to.equal(false);
    const pss = schemeByName("rsa-pss-sha256").sign(rsa.privateKey, abc, random());
    expect(method(1).verify(rsa.publicKey, abc, pss)).to.equal(false);
  });
});

describe("hostile signatures", () => {
  const ways = [...schemes, ...oldMethods];
  const good = ways.flatMap((way) =>
    pairs
      .filter(({ privateKey }) => way.fits(privateKey))
      .map(({ privateKey, publicKey }) => ({
        way,
        publicKey,
        signature: way.sign(privateKey, abc, random()),
      })),
  );

  it("do not verify with a turned bit, cut short or lengthened", () => {
    for (const { way, publicKey, signature } of good) {
      fc.assert(
        fc.property(fc.nat({ max: signature.length * 8 - 1 }), (bit) => {
          const turned = Uint8Array.from(signature);
          turned[bit >> 3]! ^= 1 << (bit & 7);
          return !way.verify(publicKey, abc, turned);
        }),
        { numRuns: 30 },
      );
      const lengths = [new Uint8Array(0), signature.subarray(1), signature.subarray(0, -1)];
      for (const other of [
        ...lengths,
        concat(signature, Uint8Array.of(0)),
        concat(Uint8Array.of(0), signature),
      ]) {
        expect(way.verify(publicKey, abc, other), `${way.name} of ${other.length}`).to.equal(false);
      }
    }
  });

  it("do not verify and throw nothing when they are any octets", () => {
    for (const { way, publicKey } of good) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => !way.verify(publicKey, abc, octets)),
        { numRuns: 30 },
      );
    }
    for (const { way, publicKey } of good)
      expect(way.verify(publicKey, abc, new Uint8Array(65_536))).to.equal(false);
  });

  it("do not verify with r or s zero, negative, not below q, or in other than the shortest DER", () => {
    const { publicKey } = PAIRS["P-256"];
    const der = schemeByName("ecdsa-sha256");
    const { signature } = good.find((g) => g.way === der && g.publicKey === publicKey)!;
    const [r, s] = integersOf(signature);
    const q = fromHex("00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const zero = Uint8Array.of(0);
    expect(der.verify(publicKey, abc, pairOf(r!, s!))).to.equal(true);
    for (const [a, b] of [
      [zero, s!],
      [r!, zero],
      [zero, zero],
      [q, s!],
      [r!, q],
      [Uint8Array.of(0xff), s!],
      [Uint8Array.of(1), Uint8Array.of(1)],
      [concat(zero, zero, r!), s!],
      [new Uint8Array(0), s!],
    ]) {
      expect(der.verify(publicKey, abc, pairOf(a!, b!)), hex(pairOf(a!, b!))).to.equal(false);
    }
    const concatenated = method(9).sign(PAIRS["P-256"].privateKey, abc, random());
    expect(der.verify(publicKey, abc, concatenated)).to.equal(false);
    expect(method(9).verify(publicKey, abc, signature)).to.equal(false);
    for (const half of [zero, q.subarray(1)]) {
      const filled = new Uint8Array(32);
      filled.set(half);
      expect(method(9).verify(publicKey, abc, concat(filled, concatenated.subarray(32)))).to.equal(false);
      expect(method(9).verify(publicKey, abc, concat(concatenated.subarray(0, 32), filled))).to.equal(false);
    }
  });

  it("do not verify when S of Ed25519 is its order too big (RFC 8032 section 5.1.7)", () => {
    const { publicKey } = PAIRS.ed25519;
    const { signature } = good.find((g) => g.publicKey === publicKey)!;
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${hex(Uint8Array.from(signature.subarray(32)).reverse())}`) + order;
    const tooBig = fromHex(s.toString(16).padStart(64, "0")).reverse();
    expect(
      schemeByName("ed25519").verify(publicKey, abc, concat(signature.subarray(0, 32), tooBig)),
    ).to.equal(false);
  });
});

/** The two INTEGERs of a short `SEQUENCE`, their contents. */
function integersOf(der: Uint8Array): Uint8Array[] {
  const first = der.subarray(4, 4 + der[3]!);
  return [first, der.subarray(6 + der[3]!)];
}

function pairOf(r: Uint8Array, s: Uint8Array): Uint8Array {
  const body = concat(Uint8Array.of(2, r.length), r, Uint8Array.of(2, s.length), s);
  return concat(Uint8Array.of(0x30, body.length), body);
}
