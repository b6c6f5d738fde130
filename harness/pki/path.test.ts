import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { Name } from "@peculiar/x509";
import { expect } from "chai";
import fc from "fast-check";
import { fromHex } from "../wire/bytes.ts";
import { parseAddress } from "../wire/ip.ts";
import { comparable, comparableName, readCertificate } from "./certificate.ts";
import type { Identity } from "./identity-match.ts";
import { type Fault, type PathResult, validatePath } from "./path.ts";
import { pki } from "./pki.ts";
import type { CertificateWishes } from "./types.ts";

const DATE = Date.UTC(2026, 0, 1);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fqdn = (name: string): Identity => ({ type: 2, data: bytes(name) });
const PEER = fqdn("peer.example");

const chainOf = async (wishes: CertificateWishes = {}, identity = "peer.example") =>
  (await (await pki()).credential(identity, "ecdsa256", wishes)).chain;
const trust = async () => [(await pki()).ca];
const because = (result: PathResult): Fault | "accepted" =>
  "refused" in result ? result.because : "accepted";

/** What comes of the certificate for `peer.example` with these wishes. */
async function judged(wishes: CertificateWishes, overlook: Fault[] = []): Promise<Fault | "accepted"> {
  return because(validatePath(await chainOf(wishes), await trust(), PEER, DATE, overlook));
}

const FAULTY: [CertificateWishes, Fault][] = [
  [{ validity: "expired" }, "expired"],
  [{ validity: "not yet valid" }, "not yet valid"],
  [{ intermediate: "expired" }, "expired"],
  [{ intermediate: "missing" }, "unknown issuer"],
  [{ intermediate: "is no CA" }, "not a CA"],
  [{ issuer: "unknown" }, "unknown issuer"],
  [{ issuer: "itself" }, "unknown issuer"],
  [{ signature: "broken" }, "bad signature"],
  [{ usage: "no signature" }, "usage"],
  [{ usage: "code signing" }, "usage"],
  [{ extension: "unknown critical" }, "critical extension"],
  [{ names: ["other.example"] }, "name"],
  [{ names: [] }, "name"],
  [{ bomb: "long chain" }, "unknown issuer"],
  [{ bomb: "huge" }, "malformed"],
  [{ bomb: "garbage" }, "malformed"],
];

describe("validatePath", () => {
  it("accepts a certificate of the CA, and one below a CA of it, and gives its key", async () => {
    for (const wishes of [{}, { intermediate: "good" }] as const) {
      const chain = await chainOf(wishes);
      const result = validatePath(chain, await trust(), PEER, DATE);
      const key = "key" in result ? result.key : undefined;
      expect(key?.equals(new X509Certificate(chain[0]!).publicKey)).to.equal(true);
    }
  });

  for (const [wishes, fault] of FAULTY) {
    it(`refuses ${JSON.stringify(wishes)}: ${fault}`, async () => {
      const result = validatePath(await chainOf(wishes), await trust(), PEER, DATE);
      expect(because(result)).to.equal(fault);
      expect("refused" in result && result.refused).to.match(new RegExp(`^${fault}: [\\x20-\\x7e]+$`));
      expect(await judged(wishes, [fault])).to.equal(fault === "malformed" ? fault : "accepted");
    });
  }

  it("names the next fault once one is overlooked", async () => {
    const wishes: CertificateWishes = { validity: "expired", names: ["other.example"] };
    expect(await judged(wishes)).to.equal("expired");
    expect(await judged(wishes, ["expired"])).to.equal("name");
    expect(await judged(wishes, ["expired", "name"])).to.equal("accepted");
  });

  it("finds the issuer in any order, among other certificates and octets that are none", async () => {
    const [end, between] = await chainOf({ intermediate: "good" });
    const [stranger] = await chainOf({ issuer: "itself" });
    const noise = Uint8Array.of(0x30, 0);
    const chain = [end!, noise, stranger!, (await pki()).ca, between!];
    expect(because(validatePath(chain, await trust(), PEER, DATE))).to.equal("accepted");
    const late = [end!, ...Array.from({ length: 9 }, () => noise), between!];
    expect(because(validatePath(late, await trust(), PEER, DATE)), "an eleventh").to.equal("unknown issuer");
  });

  it("accepts nothing without trust, without certificates, or from a CA that sent itself", async () => {
    const [end] = await chainOf();
    const { ca } = await pki();
    expect(because(validatePath([end!, ca], [], PEER, DATE))).to.equal("unknown issuer");
    expect(because(validatePath([end!], [Uint8Array.of(1)], PEER, DATE))).to.equal("unknown issuer");
    expect(because(validatePath([], [ca], PEER, DATE))).to.equal("malformed");
    const [self] = await chainOf({ issuer: "itself" });
    expect(because(validatePath([self!, self!, self!], [ca], PEER, DATE))).to.equal("not a CA");
  });

  it("looks at the dates of the CA too", async () => {
    const later = Date.UTC(2050, 0, 1);
    const result = validatePath(await chainOf(), await trust(), PEER, later);
    expect("refused" in result && result.refused).to.equal(
      "expired: CN=peer.example, O=ipsec-bakeoff ended at 2049-12-31T23:59:59.000Z",
    );
  });

  it("takes PEM, or a certificate with octets behind it, for malformed", async () => {
    const [end] = await chainOf();
    const pem = bytes(new X509Certificate(end!).toString());
    for (const odd of [pem, Uint8Array.of(...end!, 0), end!.subarray(0, -1)]) {
      expect(because(validatePath([odd], await trust(), PEER, DATE))).to.equal("malformed");
    }
  });
});

describe("identities in certificates (RFC 4945 section 3.1)", () => {
  const asked = async (identity: string, asked: Identity) =>
    because(validatePath(await chainOf({}, identity), await trust(), asked, DATE)) === "accepted";

  it("matches host names without regard to case, and no part of one", async () => {
    expect(await asked("a.example", fqdn("A.Example"))).to.equal(true);
    for (const other of ["example", "b.a.example", "a.exampl", "*.example", "a.example\0", ""]) {
      expect(await asked("a.example", fqdn(other)), other).to.equal(false);
    }
    expect(await asked("*.example", fqdn("a.example")), "no wildcards").to.equal(false);
  });

  it("matches mailboxes with regard to case in front of the at sign", async () => {
    const mail = (text: string): Identity => ({ type: 3, data: bytes(text) });
    expect(await asked("user@a.example", mail("user@A.example"))).to.equal(true);
    expect(await asked("user@a.example", mail("User@a.example"))).to.equal(false);
    expect(await asked("user@a.example", fqdn("user@a.example")), "as FQDN").to.equal(false);
  });

  it("matches addresses by their octets", async () => {
    const v4 = (text: string): Identity => ({ type: 1, data: parseAddress(text)! });
    const v6 = (text: string): Identity => ({ type: 5, data: parseAddress(text)! });
    expect(await asked("192.0.2.1", v4("192.0.2.1"))).to.equal(true);
    expect(await asked("192.0.2.1", v4("192.0.2.2"))).to.equal(false);
    expect(await asked("192.0.2.1", { type: 1, data: new Uint8Array(0) })).to.equal(false);
    expect(await asked("2001:db8::a:0:1", v6("2001:db8:0:0::a:0:1"))).to.equal(true);
    expect(await asked("192.0.2.1", fqdn("192.0.2.1")), "as FQDN").to.equal(false);
  });

  it("matches distinguished names whatever their string types, case and white space", async () => {
    const dn = (text: string): Identity => ({
      type: 9,
      data: new Uint8Array(new Name(text).toArrayBuffer()),
    });
    const identity = "dn:CN=a peer, O=Example, C=CH";
    expect(await asked(identity, dn("CN=a peer, O=Example, C=CH"))).to.equal(true);
    expect(await asked(identity, dn("CN=A  Peer, O=example, C=ch"))).to.equal(true);
    const utf8 = new Name([{ CN: [{ utf8String: "a peer" }] }, { O: ["Example"] }, { C: ["CH"] }]);
    expect(await asked(identity, { type: 9, data: new Uint8Array(utf8.toArrayBuffer()) })).to.equal(true);
    for (const other of ["CN=a peer, O=Example", "O=Example, CN=a peer, C=CH", "CN=apeer, O=Example, C=CH"]) {
      expect(await asked(identity, dn(other)), other).to.equal(false);
    }
    for (const other of ["", "3000", "30", "0500"]) {
      expect(await asked(identity, { type: 9, data: fromHex(other) }), other).to.equal(false);
    }
    expect(comparable(new Name(""))).to.equal("");
  });

  it("leaves a KEY_ID to the caller, and knows no certificate for other types", async () => {
    expect(await asked("a.example", { type: 11, data: bytes("any") })).to.equal(true);
    for (const type of [0, 4, 10, 13, 201]) {
      expect(await asked("a.example", { type, data: bytes("a.example") }), String(type)).to.equal(false);
    }
  });
});

describe("hostile certificates", () => {
  it("never throw, whatever the octets", async () => {
    const { ca } = await pki();
    const octets = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 20 }), octets, fc.nat(255), (chain, data, type) => {
        return because(validatePath(chain, [ca], { type, data }, DATE)) === "malformed";
      }),
    );
    fc.assert(fc.property(octets, (der) => typeof comparableName(der) !== "object"));
  });

  it("are refused with any one octet changed, none added or missing", async () => {
    const [end, between] = await chainOf({ intermediate: "good" });
    const anchors = await trust();
    const property = (which: "end" | "between") => {
      const original = which === "end" ? end! : between!;
      return fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(original);
        changed[at]! ^= change;
        const chain = which === "end" ? [changed, between!] : [end!, changed];
        return because(validatePath(chain, anchors, PEER, DATE)) !== "accepted";
      });
    };
    fc.assert(property("end"), { numRuns: 300 });
    fc.assert(property("between"), { numRuns: 300 });
  }).timeout(20_000);

  it("never throw with pieces cut out, doubled or swapped, even with every fault overlooked", async () => {
    const [end] = await chainOf();
    const anchors = await trust();
    const all: Fault[] = FAULTY.map(([, fault]) => fault);
    const at = fc.nat(end!.length);
    fc.assert(
      fc.property(at, at, at, (a, b, c) => {
        const changed = Uint8Array.from([
          ...end!.subarray(0, a),
          ...end!.subarray(b, c),
          ...end!.subarray(b),
        ]);
        return typeof because(validatePath([changed, end!], anchors, PEER, DATE, all)) === "string";
      }),
      { numRuns: 200 },
    );
  }).timeout(20_000);

  it("are not read when nested without end, or larger than any that is used", () => {
    const nested = new Uint8Array(16_000).fill(0x30);
    for (let at = 1; at < nested.length; at += 2) nested[at] = 0x80;
    expect(readCertificate(nested)).to.be.a("string");
    expect(readCertificate(new Uint8Array(40_000))).to.contain("40000 octets are more than");
  });
});

describe("pki: certificates read before", () => {
  it("are the same object for a while, and a wrong bit makes another", async () => {
    const { credential } = await pki();
    const [der = new Uint8Array(0)] = (await credential("peer.example", "ecdsa256")).chain;
    const first = readCertificate(der);
    expect(readCertificate(Uint8Array.from(der))).to.equal(first);
    const turned = der.map((octet, i) => (i === der.length - 1 ? octet ^ 1 : octet));
    expect(readCertificate(turned)).not.to.equal(first);
    for (let i = 0; i < 100; i++)
      readCertificate((await credential(`host-${i}.example`, "ecdsa256")).chain[0] ?? der);
    expect(readCertificate(der)).not.to.equal(first);
  });
});
