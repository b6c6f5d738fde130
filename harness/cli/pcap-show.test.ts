import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writePcap } from "../../pcaps/write.ts";
import { memoryArena } from "../run/arena-memory.ts";
import { captured, writeKeys } from "../run/evidence.ts";
import { Script } from "../script/script.ts";
import { said } from "./said.ts";

let folder: string;
const path = (name: string) => join(folder, name);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "bakeoff-show-"));
  const s = new Script(await memoryArena({}, { seed: "show" }));
  const session = await s.dial();
  await session.proveTraffic();
  s.host.stop();
  mkdirSync(path("test/keys"), { recursive: true });
  writePcap(path("test/capture.pcap"), captured(s.trace), Date.UTC(2026, 0, 1));
  writePcap(path("bare.pcap"), captured(s.trace), Date.UTC(2026, 0, 1));
  writeKeys(path("test/keys"), s.trace.ikeSas(), s.trace.childSas());
});

after(() => rmSync(folder, { recursive: true }));

const AUTH = "192.0.2.1:500 > 192.0.2.2:500  IKE_AUTH request 1: SK";

describe("bakeoff pcap show", () => {
  it("shows a capture with the keys beside it, and says so", async () => {
    const { status, out, err } = await said("pcap", "show", path("test/capture.pcap"));
    expect([status, err]).to.deep.equal([0, `keys: ${path("test/keys")}\n`]);
    expect(out)
      .to.include(`${AUTH} { IDi IDr AUTH SA TSi TSr }\n`)
      .and.match(/ESP \w+ number 1: .* echo request/);
  });

  it("takes the folder of a test's evidence", async () => {
    const ofFile = await said("pcap", "show", path("test/capture.pcap"));
    expect(await said("pcap", "show", path("test"))).to.deep.equal(ofFile);
    const { status, err } = await said("pcap", "show", folder);
    expect([status, err]).to.deep.equal([
      2,
      `bakeoff: ${folder}: no capture.pcap in this folder; name the folder of one test\n`,
    ]);
  });

  it("shows a capture without keys as far as it goes", async () => {
    const { status, out, err } = await said("pcap", "show", path("bare.pcap"));
    expect([status, err]).to.deep.equal([0, ""]);
    expect(out).to.match(/IKE_AUTH request 1: SK \{ \d+ octets \} \(no keys\)\n/);
  });

  it("gives all fields, as text or JSON, of the messages that are asked for", async () => {
    const show = ["pcap", "show", path("bare.pcap"), "--keys", path("test/keys"), "--filter", "IKE_AUTH req"];
    const tree = await said(...show, "-v");
    expect(tree.out).to.include("SK > SA > proposal 1 > protocol ID: ESP\n").and.not.include("IKE_SA_INIT");
    const { out } = await said(...show, "--json");
    const view = JSON.parse(out);
    expect(view).to.include({ at: 3, from: "left", kind: "ike" });
    expect(view.inner.map(({ kind }: { kind: string }) => kind)).to.include("AUTH");
  });

  it("shows what stands before damage, and where that is", async () => {
    writeFileSync(path("cut.pcap"), readFileSync(path("bare.pcap")).subarray(0, 600));
    const { status, out, err } = await said("pcap", "show", path("cut.pcap"));
    expect([status, out.split("\n").length]).to.deep.equal([0, 3]);
    expect(out).to.match(/\n {5}! octet \d+, packet 2: .*\n$/);
    expect(err).to.match(/^warning: .*cut\.pcap: octet \d+, packet 2: /);
  });

  it("refuses in one line what it cannot read", async () => {
    writeFileSync(path("no.pcap"), "\u001b[31mnothing of ours");
    for (const args of [
      [path("no.pcap")],
      [path("missing.pcap")],
      [path("bare.pcap"), "--keys", path("missing")],
      [path("bare.pcap"), "--filter", "("],
    ]) {
      const { status, out, err } = await said("pcap", "show", ...args);
      expect([status, out, err.split("\n").length], err).to.deep.equal([2, "", 2]);
    }
  });
});

describe("bakeoff pcap ladder", () => {
  it("draws text of at most 100 columns, from the first packet on", async () => {
    const { status, out } = await said("pcap", "ladder", path("test/capture.pcap"));
    expect(status).to.equal(0);
    expect(out).to.match(/^ {12}192\.0\.2\.1 +192\.0\.2\.2\n {4}0\.000 s {2}\| -- IKE_SA_INIT request 0/);
    for (const line of out.split("\n")) expect(line.length).to.be.at.most(100);
  });

  it("gives more than two hosts a lifeline each", async () => {
    const [a, b, c] = ["192.0.2.1", "192.0.2.2", "2001:db8::3"].map((host) => ({ host, port: 4500 }));
    if (!a || !b || !c) throw new Error("hosts");
    const data = Uint8Array.of(0xff);
    const datagrams = [
      { timeMs: 0, protocol: "udp" as const, source: a, destination: b, data },
      { timeMs: 1, protocol: "udp" as const, source: c, destination: { ...c, host: "2001:db8::4" }, data },
    ];
    writePcap(path("three.pcap"), datagrams, 0);
    const { out } = await said("pcap", "ladder", path("three.pcap"));
    expect(out.split("\n").slice(0, 4)).to.deep.equal([
      ...["A  192.0.2.1", "B  192.0.2.2", "C  2001:db8::3", "D  2001:db8::4"],
    ]);
    expect(out).to.match(/ 0\.000 s {3}\|--->\| {4}\| {4}\| {2}NAT keepalive\n/);
  });

  it("writes a picture", async () => {
    const { status, out } = await said("pcap", "ladder", path("test/capture.pcap"), "--svg", path("a.svg"));
    expect([status, out]).to.deep.equal([0, ""]);
    expect(readFileSync(path("a.svg"), "utf8")).to.match(/^<svg .*IKE_AUTH request 1.*<\/svg>$/s);
    const refused = await said("pcap", "ladder", path("bare.pcap"), "--svg", path("no/a.svg"));
    expect(refused.status).to.equal(2);
  });
});
