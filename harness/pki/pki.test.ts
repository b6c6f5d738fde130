import { spawnSync } from "node:child_process";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { expect } from "chai";
import { concat, hex } from "../wire/bytes.ts";
import { elements, encode, inside } from "./der.ts";
import { issuerHash } from "./path.ts";
import { pemOf, privatePem } from "./pem.ts";
import { pki } from "./pki.ts";
import type { CertificateWishes, KeyKind } from "./types.ts";

const KINDS: KeyKind[] = ["rsa2048", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519", "ed448"];
const made = async (identity: string, kind: KeyKind = "ecdsa256", wishes?: CertificateWishes) =>
  (await pki()).credential(identity, kind, wishes);
const certificate = async (identity: string, wishes?: CertificateWishes) =>
  new X509Certificate((await made(identity, "ecdsa256", wishes)).chain[0]!);
const ca = async () => new X509Certificate((await pki()).ca);

describe("the CA of the harness", () => {
  it("certifies every kind of key, other ones for either end", async () => {
    const root = await ca();
    for (const kind of KINDS) {
      const [tester, peer] = [await made("tester.example", kind), await made("peer.example", kind)];
      const read = new X509Certificate(tester.chain[0]!);
      expect(read.checkPrivateKey(tester.key), kind).to.equal(true);
      expect(read.checkIssued(root) && read.verify(root.publicKey), kind).to.equal(true);
      expect(read.checkPrivateKey(peer.key), kind).to.equal(false);
    }
  });

  it("makes the same octets in another process", async () => {
    const script = `
      import { pki } from ${JSON.stringify(new URL("./pki.ts", import.meta.url).href)};
      const wishes = [{ usage: "code signing", validity: "expired" }, { issuer: "itself" }, { bomb: "garbage" }];
      const { ca, credential } = await pki();
      const all = await Promise.all(wishes.map((wish) => credential("x.example", "ecdsa521", wish)));
      console.log(Buffer.concat([ca, ...all.flatMap(({ chain }) => chain)]).toString("hex"));`;
    const other = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
    const wishes: CertificateWishes[] = [
      { validity: "expired", usage: "code signing" },
      { issuer: "itself" },
      { bomb: "garbage" },
    ];
    const own = await Promise.all(wishes.map((wish) => made("x.example", "ecdsa521", wish)));
    const octets = concat((await pki()).ca, ...own.flatMap(({ chain }) => chain));
    expect(other.stdout.toString().trim(), other.stderr.toString()).to.equal(hex(octets));
  }).timeout(20_000);

  it("writes identities into subject and subjectAltName as they are spelled", async () => {
    const written = async (identity: string) => {
      const { subject, subjectAltName } = await certificate(identity);
      return `${subject.replaceAll("\n", ", ")}; ${subjectAltName ?? "none"}`;
    };
    expect(await written("a.example")).to.equal("CN=a.example, O=ipsec-bakeoff; DNS:a.example");
    expect(await written("user@a.example")).to.equal(
      "CN=user@a.example, O=ipsec-bakeoff; email:user@a.example",
    );
    expect(await written("192.0.2.1")).to.equal("CN=192.0.2.1, O=ipsec-bakeoff; IP Address:192.0.2.1");
    expect(await written("2001:db8::1")).to.contain("IP Address:2001:DB8:0:0:0:0:0:1");
    expect(await written("dn:CN=a, O=Example, C=CH")).to.equal("CN=a, O=Example, C=CH; none");
    expect(await written("keyid:0102")).to.equal("CN=keyid:0102, O=ipsec-bakeoff; none");
    expect((await certificate("a.example", { names: ["b.example", "192.0.2.2"] })).subjectAltName).to.equal(
      "DNS:b.example, IP Address:192.0.2.2",
    );
    expect((await certificate("a.example", { names: [] })).subjectAltName).to.equal(undefined);
    expect((await certificate(`${"long-".repeat(40)}.example`)).subject.split("\n")[0]).to.have.length(67);
  });

  it("gives every certificate of an issuer a number of its own", async () => {
    const wishes: CertificateWishes[] = [{}, { validity: "expired" }, { usage: "code signing" }];
    const numbers = await Promise.all(
      wishes.map(async (wish) => (await certificate("a.example", wish)).serialNumber),
    );
    numbers.push((await certificate("b.example")).serialNumber, (await ca()).serialNumber);
    expect(new Set(numbers).size).to.equal(5);
  });

  it("puts the certificates between into the chain, the nearest first, and never the root", async () => {
    const lengthOf = async (wishes: CertificateWishes) =>
      (await made("a.example", "ecdsa256", wishes)).chain.length;
    expect(await lengthOf({})).to.equal(1);
    expect(await lengthOf({ intermediate: "good" })).to.equal(2);
    expect(await lengthOf({ intermediate: "missing" })).to.equal(1);
    expect(await lengthOf({ bomb: "long chain" })).to.equal(101);
    const { chain } = await made("a.example", "ecdsa256", { bomb: "long chain" });
    const read = chain.map((der) => new X509Certificate(der));
    for (const [index, { issuer }] of read.slice(0, -1).entries())
      expect(issuer).to.equal(read[index + 1]!.subject);
    expect(read.at(-1)!.checkIssued(await ca())).to.equal(true);
  });

  it("makes a certificate of 60 KiB that is otherwise good", async () => {
    const { chain } = await made("a.example", "ecdsa256", { bomb: "huge" });
    expect(chain[0]!.length).to.be.within(60_000, 64_000);
    const root = await ca();
    const read = new X509Certificate(chain[0]!);
    expect(read.verify(root.publicKey) && read.checkHost("a.example")).to.equal("a.example");
  });
});

describe("PEM", () => {
  it("holds the same certificate and the same key", async () => {
    const { chain, key } = await made("a.example", "rsa2048");
    expect(new X509Certificate(pemOf(chain[0]!)).raw.equals(chain[0]!)).to.equal(true);
    expect(
      pemOf(chain[0]!)
        .split("\n")
        .every((line) => line.length <= 64),
    ).to.equal(true);
    for (const format of ["pkcs8", "traditional"] as const) {
      expect(createPrivateKey(privatePem(key, format)).equals(key), format).to.equal(true);
    }
    expect(privatePem(key)).to.match(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(privatePem(key, "traditional")).to.match(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    const ec = (await made("a.example", "ecdsa384")).key;
    expect(privatePem(ec, "traditional")).to.match(/^-----BEGIN EC PRIVATE KEY-----\n/);
    const ed = (await made("a.example", "ed25519")).key;
    expect(() => privatePem(ed, "traditional")).to.throw();
  });
});

describe("the hash of a CA's public key (RFC 7296 section 3.7)", () => {
  it("is the SHA-1 of its SubjectPublicKeyInfo", async () => {
    const root = await pki();
    const spki = (await ca()).publicKey.export({ type: "spki", format: "der" });
    expect(hex(issuerHash(root.ca))).to.equal(createHash("sha1").update(spki).digest("hex"));
    expect(() => issuerHash(new Uint8Array(100))).to.throw("cannot be read");
  });
});

describe("DER", () => {
  it("reads back what it has written, of every length", () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const whole = encode(0x30, encode(4, new Uint8Array(length)));
      expect(inside(whole)?.map(({ tag, content }) => [tag, content.length])).to.deep.equal([[4, length]]);
    }
  });

  it("refuses what is cut short, goes on, or has no definite length", () => {
    for (const octets of [[0x30], [0x30, 1], [0x30, 0x80, 0, 0], [0x1f, 1, 0], [0x30, 0x85, 0, 0, 0, 0, 0]]) {
      expect(elements(Uint8Array.from(octets)), String(octets)).to.equal(undefined);
    }
    expect(inside(Uint8Array.of(0x30, 0, 0x30, 0))).to.equal(undefined);
    expect(inside(Uint8Array.of(4, 0))).to.equal(undefined);
  });
});
