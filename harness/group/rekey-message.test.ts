import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import { keyWrap } from "../crypto/key-wrap.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import { type SchemeName, schemeByName } from "../crypto/signatures.ts";
import { REKEY_DATAGRAM } from "../wire/group-vectors.ts";
import { concat, fromHex, hex, type Payload } from "../wire/index.ts";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import type { OutgoingRekey } from "./hooks.ts";
import { splitRekeyKeymat, suiteOf } from "./keys.ts";
import { RekeyFragments } from "./rekey-fragments.ts";
import {
  buildRekey,
  type RekeyAuth,
  type RekeySa,
  type RekeySender,
  rekeyProtection,
} from "./rekey-message.ts";
import { openRekey } from "./rekey-open.ts";

const counted = (first: number, octets: number): Uint8Array =>
  Uint8Array.from({ length: octets }, (_, at) => first + at);

/** Test key 1 of RFC 8032 section 7.1. */
const ED25519 = createPrivateKey({
  key: Buffer.from(
    fromHex(
      "302e020100300506032b657004220420 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    ),
  ),
  format: "der",
  type: "pkcs8",
});

const spi = fromHex("a0a1a2a3a4a5a6a7b0b1b2b3b4b5b6b7");
const remove: Payload = { kind: "Delete", type: 42, protocolId: 3, spiSize: 4, spis: [fromHex("c0000001")] };

function authOf(name: SchemeName, privateKey: KeyObject): RekeyAuth {
  const scheme = schemeByName(name);
  return { scheme, algorithmIdentifier: scheme.algorithmIdentifier, publicKey: createPublicKey(privateKey) };
}

function rekeySa(auth: RekeyAuth, spec = "aes256gcm16-kw256"): RekeySa {
  const proposal = parseProposal(spec, 6);
  if (isSpecError(proposal)) throw new Error(proposal.reason);
  const suite = suiteOf(proposal.transforms)!;
  const kwa = keyWrap(3)!;
  const size = suite.encr.keyLength + (suite.integ?.keyLength ?? 0);
  const KEYMAT = concat(counted(0x40, size), counted(0x80, 32));
  return { spi, suite, kwa, auth, ...splitRekeyKeymat(KEYMAT, suite, kwa)! };
}

function sender(sa: RekeySa, privateKey?: KeyObject, chunk?: number): RekeySender {
  return { sa, protection: rekeyProtection(sa), privateKey, random: seededRandom("rekey"), chunk };
}

const signedSa = rekeySa(authOf("ed25519", ED25519));

function message(changes: Partial<OutgoingRekey> = {}): OutgoingRekey {
  return { spi, messageId: 7, flags: 8, payloads: [remove], signed: true, ...changes };
}

/** What a member makes of the only datagram of a message. */
function outcome(
  changes: Partial<OutgoingRekey>,
  sa = signedSa,
  key: KeyObject | undefined = ED25519,
): string {
  return said(openRekey(buildRekey(message(changes), sender(sa, key))[0]!, sa));
}

const said = (result: ReturnType<typeof openRekey>): string => {
  if (result === "wait") return "wait";
  return "error" in result ? result.error : result.payloads.map(({ kind }) => kind).join(" ");
};

describe("GSA_REKEY", () => {
  it("is the vector's datagram, byte for byte", () => {
    const from = sender(signedSa, ED25519);
    from.protection.sealed = 6;
    expect(hex(buildRekey(message(), from)[0]!)).to.equal(hex(fromHex(REKEY_DATAGRAM)));
  });

  it("opens the vector's datagram", () => {
    const result = openRekey(fromHex(REKEY_DATAGRAM), signedSa);
    if (result === "wait" || "error" in result) throw new Error();
    expect(result).to.include({ messageId: 7, flags: 8 });
    expect(result.payloads[0]).to.deep.equal(remove);
    expect(result.findings).to.deep.equal([]);
  });

  const keys: [SchemeName, KeyObject][] = [
    ["ed25519", ED25519],
    ["rsa-pss-sha256", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
    ["rsa-pkcs1-sha512", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
    ["ed448", generateKeyPairSync("ed448").privateKey],
    ["ecdsa-sha256", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey],
    ["ecdsa-sha384", generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
    ["ecdsa-sha512", generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey],
  ];
  for (const [name, key] of keys) {
    for (const spec of ["aes256gcm16-kw256", "aes128-sha256-kw256", "chacha20poly1305-kw256"]) {
      it(`signed with ${name} under ${spec} is taken, and not under another key`, () => {
        const sa = rekeySa(authOf(name, key), spec);
        for (let messageId = 0; messageId < 5; messageId++)
          expect(outcome({ messageId }, sa, key)).to.equal("Delete AUTH");
        const other = rekeySa(authOf("ed25519", generateKeyPairSync("ed25519").privateKey), spec);
        const [datagram] = buildRekey(message(), sender(other, generateKeyPairSync("ed25519").privateKey));
        expect(said(openRekey(datagram!, sa))).to.be.oneOf(["algorithm", "signature"]);
      });
    }
  }

  it("is the same message from the same randomness, also with ECDSA", () => {
    const [, key] = keys[4]!;
    const sa = rekeySa(authOf("ecdsa-sha256", key));
    const once = buildRekey(message(), sender(sa, key));
    expect(buildRekey(message(), sender(sa, key))).to.deep.equal(once);
  });

  it("authenticated implicitly has no AUTH", () => {
    const sa = rekeySa("implicit");
    expect(outcome({ signed: false }, sa, undefined)).to.equal("Delete");
    expect(outcome({ signed: true }, sa, undefined)).to.equal("AUTH with implicit");
    expect(outcome({ signed: false })).to.equal("missing AUTH");
  });

  it("signed over anything else is refused", () => {
    const unadjusted = (octets: Uint8Array) => octets.map((octet, at) => (at === 27 ? octet + 25 : octet));
    expect(outcome({ signedOctets: unadjusted })).to.equal("signature");
    expect(outcome({ signature: (s) => s.map((octet, at) => (at === 9 ? octet ^ 1 : octet)) })).to.equal(
      "signature",
    );
    expect(outcome({ signature: () => new Uint8Array() })).to.equal("signature");
    expect(outcome({ signature: (s) => concat(s, s) })).to.equal("signature");
    expect(outcome({ algorithmIdentifier: schemeByName("ed448").algorithmIdentifier })).to.equal("algorithm");
    expect(outcome({ algorithmIdentifier: new Uint8Array() })).to.equal("algorithm");
    const spoilt = buildRekey(
      message({ signature: () => new Uint8Array(64) }),
      sender(signedSa, ED25519),
    )[0]!;
    expect(said(openRekey(spoilt, signedSa, { overlooks: new Set(["signature"] as const) }))).to.equal(
      "Delete AUTH",
    );
  });

  it("covers RESERVED of the SK payload", () => {
    expect(outcome({ reserved: 0x55 })).to.equal("Delete AUTH");
  });

  it("of another exchange, SPI, direction or version is none", () => {
    const datagram = fromHex(REKEY_DATAGRAM);
    for (const [at, octet] of [
      [0, 0],
      [15, 0],
      [16, 0],
      [17, 0x30],
      [18, 42],
      [19, 0x28],
      [27, 0],
    ] as const) {
      const changed = Uint8Array.from(datagram, (old, index) => (index === at ? octet : old));
      expect(said(openRekey(changed, signedSa)), String(at)).to.equal("header");
    }
    expect(outcome({ flags: 0 })).to.equal("Delete AUTH");
  });

  it("with an unknown critical payload is refused, while that of a known one means nothing", () => {
    const raw = (critical: boolean): Payload => ({
      kind: "raw",
      type: 200,
      data: new Uint8Array(4),
      critical,
    });
    expect(outcome({ payloads: [remove, raw(false)] })).to.equal("Delete raw AUTH");
    expect(outcome({ payloads: [remove, raw(true)] })).to.equal("malformed");
    expect(outcome({ payloads: [{ ...remove, critical: true }] })).to.equal("Delete AUTH");
  });

  it("with payloads that cannot be read is malformed", () => {
    const raw = (type: number, octets: string): Payload => ({ kind: "raw", type, data: fromHex(octets) });
    expect(outcome({ payloads: [raw(51, "00")] })).to.equal("malformed");
    expect(outcome({ payloads: [raw(52, "03ff0008c0000001")] })).to.equal("malformed");
    expect(outcome({ payloads: [raw(39, "0e00000007300506032b6570"), remove] })).to.equal("malformed");
    expect(outcome({ payloads: [{ kind: "SK", type: 46, innerType: 0, data: new Uint8Array(9) }] })).to.equal(
      "malformed",
    );
  });
});

describe("GSA_REKEY in fragments", () => {
  const many: Payload[] = Array.from({ length: 9 }, () => remove);
  const fragmentsOf = (changes: Partial<OutgoingRekey> = {}, chunk = 40): Uint8Array[] =>
    buildRekey(message({ payloads: many, ...changes }), sender(signedSa, ED25519, chunk));
  const kinds = `${"Delete ".repeat(9)}AUTH`;

  it("is whole in any order, with RESERVED of the first fragment", () => {
    for (const reserved of [undefined, 0x2a]) {
      for (const order of [(list: Uint8Array[]) => list, (list: Uint8Array[]) => [...list].reverse()]) {
        const fragments = new RekeyFragments();
        const results = order(fragmentsOf({ reserved })).map((octets) =>
          said(openRekey(octets, signedSa, { fragments })),
        );
        expect(results.pop()).to.equal(kinds);
        expect(new Set(results)).to.deep.equal(new Set(["wait"]));
        expect(fragments.size).to.equal(0);
      }
    }
  });

  it("is refused if fragments were not agreed on, and one that was there is dropped", () => {
    const [first] = fragmentsOf();
    expect(said(openRekey(first!, signedSa))).to.equal("fragment");
    const fragments = new RekeyFragments();
    expect(said(openRekey(first!, signedSa, { fragments }))).to.equal("wait");
    expect(said(openRekey(first!, signedSa, { fragments }))).to.equal("fragment");
  });

  it("with a forged fragment is none, and goes on with the good one", () => {
    const fragments = new RekeyFragments();
    const [first, ...rest] = fragmentsOf();
    const forged = first!.map((octet, at, { length }) => (at === length - 1 ? octet ^ 1 : octet));
    expect(said(openRekey(forged, signedSa, { fragments }))).to.equal("icv");
    expect(fragments.size).to.equal(0);
    for (const octets of rest) openRekey(octets, signedSa, { fragments });
    expect(said(openRekey(first!, signedSa, { fragments }))).to.equal(kinds);
  });

  it("keeps little of a member that begins sets without end", () => {
    const fragments = new RekeyFragments();
    for (let messageId = 0; messageId < 200; messageId++) {
      const [first] = fragmentsOf({ messageId }, 150);
      expect(said(openRekey(first!, signedSa, { fragments }))).to.equal("wait");
    }
    expect(fragments.size).to.be.at.most(4 * 150);
  });

  it("of more octets than are collected is dropped", () => {
    const big: Payload = { kind: "VendorID", type: 43, data: new Uint8Array(40_000) };
    const fragments = new RekeyFragments();
    const results = fragmentsOf({ payloads: [big, big] }, 1400).map((octets) =>
      said(openRekey(octets, signedSa, { fragments })),
    );
    expect(results).to.include("fragment");
    expect(fragments.size).to.be.at.most(65_000);
  });
});

describe("GSA_REKEY from hostile hands", () => {
  const datagram = fromHex(REKEY_DATAGRAM);
  const [fragment] = buildRekey(message(), sender(signedSa, ED25519, 40));

  it("cut at every length is dropped", () => {
    for (const whole of [datagram, fragment!]) {
      for (let size = 0; size < whole.length; size++)
        expect(
          said(openRekey(whole.subarray(0, size), signedSa, { fragments: new RekeyFragments() })),
        ).to.equal("header");
    }
  });

  it("cut with a Length that fits is dropped", () => {
    for (let size = 32; size < datagram.length; size++) {
      const cut = datagram.slice(0, size);
      cut.set([size >> 8, size & 0xff], 26);
      cut.set([0, size - 28], 30);
      expect(said(openRekey(cut, signedSa))).to.equal("icv");
    }
  });

  it("with any octets changed is dropped, and nothing is thrown", () => {
    const random = seededRandom("mutations");
    for (let round = 0; round < 4000; round++) {
      const source = round % 2 === 0 ? datagram : fragment!;
      const [changes, ...octets] = random(9);
      const changed = source.slice();
      for (let i = 0; i <= changes! % 4; i++)
        changed[octets[2 * i]! % source.length]! ^= octets[2 * i + 1]! | 1;
      const result = said(openRekey(changed, signedSa, { fragments: new RekeyFragments() }));
      if (hex(changed) !== hex(source)) expect(result).to.be.oneOf(["header", "icv", "fragment"]);
    }
  });

  it("with any inner octets under the right keys, nothing is thrown", () => {
    const random = seededRandom("inner");
    for (let round = 0; round < 3000; round++) {
      const [size, type] = random(2);
      const data = random(size!);
      for (let at = 0; at + 4 < data.length; at += 1 + (data[at]! % 30)) data.set([51 + (at & 1), 0, 0], at);
      const inner: Payload = { kind: "raw", type: [33, 39, 42, 44, 51, 52][type! % 6]!, data };
      const payloads = round % 2 === 0 ? [inner] : [remove, inner];
      expect(outcome({ payloads, signed: round % 3 === 0 })).to.be.a("string");
    }
  });
});
