import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { fromHex } from "../../harness/wire/bytes.ts";
import { KeyRing, readSeen } from "../decode/index.ts";
import { type EspSaKeys, espSaTable, type IkeSaKeys, ikev2DecryptionTable, writeKeyFolder } from "../keys.ts";
import { keysJson } from "./json.ts";
import { addKeys, type ReadKeys, readKeys } from "./read.ts";
import { charonLog, xfrmState } from "./testing.ts";

const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);
const octets = (count: number, value: number) => new Uint8Array(count).fill(value);

const SA = { spiI: fromHex("a1a2a3a4a5a6a7a8"), spiR: fromHex("b1b2b3b4b5b6b7b8") };
const IKE: IkeSaKeys = {
  ...SA,
  ...{ encrId: 12, keyBits: 128, integId: 2, prfId: 5, SK_ei: octets(16, 1), SK_er: octets(16, 2) },
  ...{
    SK_ai: octets(20, 3),
    SK_ar: octets(20, 4),
    SK_d: octets(32, 5),
    SK_pi: octets(32, 6),
    SK_pr: octets(32, 7),
  },
};
const NEWER: IkeSaKeys = { ...IKE, SK_ei: octets(16, 8) };
const ESP: EspSaKeys = {
  ...{
    source: "192.0.2.1",
    destination: "192.0.2.2",
    spi: 0xc0dec0de,
    encrId: 12,
    keyBits: 256,
    integId: 12,
  },
  ...{ esn: true, encrKey: octets(32, 9), integKey: octets(32, 10) },
};
const AEAD: EspSaKeys = {
  ...ESP,
  spi: 0x0000c0de,
  encrId: 20,
  integId: undefined,
  encrKey: octets(36, 11),
  integKey: octets(0, 0),
};

function read(text: string): ReadKeys & { known: boolean } {
  const keys: ReadKeys = { ring: new KeyRing(), faults: [] };
  return { ...keys, known: addKeys(keys, "keys", text) };
}

const espOf = (ring: KeyRing, { spi }: EspSaKeys) => ring.espOf(spi).map(({ keys }) => keys);
const ikeOf = (ring: KeyRing) => ring.ikeOf(SA.spiI, SA.spiR).map(({ keys }) => keys);
const table = ikev2DecryptionTable([IKE]).text;
const reasons = ({ faults }: ReadKeys) => faults.map(({ line, reason }) => `${line}: ${reason}`);

describe("files of keys", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-keys-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("are read as they were written: keys.json", () => {
    const { ring, faults } = read(keysJson({ ike: [IKE, NEWER], esp: [ESP, AEAD] }));
    expect(faults).to.deep.equal([]);
    expect(ikeOf(ring)).to.deep.equal([IKE, NEWER]);
    expect([...espOf(ring, ESP), ...espOf(ring, AEAD)]).to.deep.equal([ESP, AEAD]);
  });

  it("are read as they were written: Wireshark's tables", () => {
    const ike = read(`# made by hand\n\n${table}`);
    const { prfId, SK_d, SK_pi, SK_pr, ...known } = IKE;
    expect(ike.faults).to.deep.equal([]);
    expect(ikeOf(ike.ring)).to.deep.equal([known]);
    const { ring, faults } = read(espSaTable([ESP, AEAD]).text);
    expect(faults).to.deep.equal([]);
    expect(espOf(ring, ESP)).to.deep.equal([{ ...ESP, esn: undefined }]);
    expect(espOf(ring, AEAD)).to.deep.equal([{ ...AEAD, integId: 0, esn: undefined }]);
  });

  it("are read as ip prints them, with statistics or without", () => {
    const text = xfrmState([ESP, AEAD]);
    for (const shown of [text, text.replace(/ (0x[0-9a-f]{64,}) ?/g, " $1 (256 bits) ")]) {
      const { ring, faults } = read(shown);
      expect(faults).to.deep.equal([]);
      expect(espOf(ring, ESP)).to.deep.equal([ESP]);
      const { integId, ...aead } = AEAD;
      expect(espOf(ring, AEAD)).to.deep.equal([aead]);
    }
  });

  it("of one thread of charon and of other protocols do not mix", () => {
    const oneThread = charonLog([], [ESP, AEAD]).replaceAll("01[CHD]", "00[CHD]");
    const { ring, faults } = read(oneThread);
    expect(faults).to.deep.equal([]);
    expect(espOf(ring, AEAD).map(({ integKey }) => integKey.length)).to.deep.equal([0, 0]);
    const ah = read(xfrmState([ESP]).replace("proto esp", "proto ah"));
    expect([ah.ring.size, ah.faults]).to.deep.equal([0, []]);
  });

  it("may be a folder: ours, or a profile of Wireshark with the generations of keys", () => {
    const [ours, profile] = [join(folder, "ours"), join(folder, "profile")];
    mkdirSync(ours);
    writeFileSync(join(ours, "keys.json"), keysJson({ ike: [IKE, NEWER], esp: [] }));
    writeKeyFolder(profile, { ike: [NEWER], esp: [ESP] });
    writeKeyFolder(join(profile, "generation-0"), { ike: [IKE], esp: [] });
    for (const path of [ours, profile]) {
      const { ring, faults } = readKeys([path]);
      expect(faults).to.deep.equal([]);
      expect(ikeOf(ring).map(({ SK_ei }) => SK_ei)).to.deep.equal([IKE.SK_ei, NEWER.SK_ei]);
    }
    expect(espOf(readKeys([profile]).ring, ESP)).to.have.length(1);
  });

  it("open a capture of strongSwan 6.1 with nothing but its log: rekeyings and keys of three generations", () => {
    const seen = [...readSeen(fixture("charon.pcap"), [fixture("charon.log")])];
    const openings = seen.map((one) => ("opening" in one ? one.opening : one.kind));
    expect(openings).to.deep.equal(["ike", "ike", ...Array.from({ length: 22 }, () => "opened")]);
    const exchanges = seen.flatMap((one) => (one.kind === "ike" ? [one.message.header.exchangeType] : []));
    expect([...new Set(exchanges)], "with IKE_INTERMEDIATE and IKE_FOLLOWUP_KE").to.deep.equal([
      34, 43, 35, 36, 44, 37,
    ]);
  });

  it("open ESP across 2^32 packets with nothing but what ip xfrm state said in the guest", () => {
    const seen = [...readSeen(fixture("xfrm.pcap"), [fixture("xfrm.txt")])];
    const esp = seen.flatMap((one) => (one.kind === "esp" ? [one] : []));
    expect(esp).to.have.length(13);
    for (const { opening, content } of esp)
      expect([opening, content?.nextHeader]).to.deep.equal(["opened", 4]);
    expect(seen.flatMap((one) => (one.kind === "ike" ? [one.opening] : []))).to.deep.equal([
      undefined,
      undefined,
      "no-keys",
      "no-keys",
    ]);
  });

  it("tell the line that is wrong, and are read on behind it", () => {
    const [spiI = "", ...rest] = table.split(",");
    const row = (cells: string[]) => cells.join(",");
    const wrong = read(
      table + row([spiI, "zz", ...rest.slice(1)]) + "no row\n" + table.replace("AES-CBC-128", "ROT-13"),
    );
    expect(reasons(wrong)).to.deep.equal([
      "2: an SPI or key is not hex",
      "3: 1 cells, a row of ikev2_decryption_table has 8",
      "4: an algorithm is not known here",
    ]);
    expect(ikeOf(wrong.ring)).to.have.length(1);
    const xfrm = read(xfrmState([ESP]).replace(/0x[0-9a-f]{64}/, "<<Keys hidden>>") + xfrmState([AEAD]));
    expect(reasons(xfrm)).to.deep.equal(["4: the key is not hex; was it hidden by -nokeys?"]);
    expect(espOf(xfrm.ring, AEAD)).to.have.length(1);
    const cut = read(charonLog([IKE], []).replace(/^.*\n(?=.*Sk_er)/m, ""));
    expect(reasons(cut)).to.deep.equal(['10: "Sk_ei secret" is cut: 0 of 16 octets']);
  });

  it("never show a key where they are wrong", () => {
    const bad = keysJson({ ike: [IKE], esp: [ESP] }).replace(/"encr": 12/g, '"encr": 12, "keyBits": 999');
    for (const { reason } of [...read(bad).faults, ...read(bad.replaceAll("0303", "03x3")).faults])
      expect(reason).not.to.match(/0303|0909/);
  });

  it("that are none are faults of the whole file", () => {
    const path = join(folder, "other.txt");
    writeFileSync(path, "To be, or not to be\n");
    const { faults } = readKeys([path, join(folder, "nothing"), folder]);
    expect(faults.map(({ reason, fatal }) => [reason, fatal])).to.deep.equal([
      ["holds keys of no kind that is known here", true],
      ["ENOENT: no such file or directory", true],
      ["a folder without keys.json, ikev2_decryption_table, esp_sa", true],
    ]);
  });

  it("are taken up to a number of sets, and faults are told up to a number", () => {
    const many = Array.from({ length: 70 }, (_, i) => ({ ...IKE, SK_ei: octets(16, i) }));
    const { ring, faults } = read(keysJson({ ike: many, esp: [] }));
    expect(ikeOf(ring)).to.have.length(64);
    expect(faults).to.have.length(6);
    const lines = read(table + "no row\n".repeat(1000)).faults;
    expect(lines).to.have.length(101);
    expect(lines.at(-1)?.reason).to.equal("900 more lines or entries are faulty");
  });

  it("do not keep a reader busy, or full, with lines that look as if they were keys", () => {
    const start = performance.now();
    const texts = [
      `${"\n".repeat(60_000)}x`,
      `src 192.0.2.1 dst ${"a".repeat(300_000)}`,
      `"IPv4",${" ".repeat(4000)}"x"x`,
      `"IPv4",${",".repeat(1_000_000)}`,
      table + "x\n".repeat(300_000),
    ];
    for (const text of texts) expect(read(text).faults.length).to.be.most(101);
    expect(performance.now() - start).to.be.below(2000);
  });

  it("may come through a pipe, but a folder is not waited for", () => {
    const [profile, pipe] = [join(folder, "waits"), join(folder, "pipe")];
    mkdirSync(profile);
    execFileSync("mkfifo", [join(profile, "keys.json"), pipe]);
    expect(readKeys([profile]).faults.map(({ reason }) => reason)).to.deep.equal(["is no file"]);
    const writer = spawn("sh", ["-c", 'printf %s "$0" > "$1"', table, pipe], { stdio: "ignore" });
    expect(ikeOf(readKeys([pipe]).ring)).to.have.length(1);
    writer.unref();
  });

  it("may hold anything at all", () => {
    const texts = [
      keysJson({ ike: [IKE], esp: [ESP] }),
      table,
      espSaTable([ESP]).text,
      xfrmState([ESP, AEAD]),
      charonLog([IKE], [ESP, AEAD]),
    ];
    const cut = fc.record({
      text: fc.constantFrom(...texts),
      from: fc.nat(2000),
      length: fc.nat(40),
      by: fc.string({ maxLength: 12 }),
    });
    const damaged = cut.map(
      ({ text, from, length, by }) => text.slice(0, from) + by + text.slice(from + length),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), damaged), (text) => {
        expect(read(text).faults.length).to.be.most(101);
      }),
      { numRuns: 500 },
    );
  });
});
