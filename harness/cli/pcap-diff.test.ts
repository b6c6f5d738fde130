import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writePcap } from "../../pcaps/write.ts";
import { memoryArena } from "../run/arena-memory.ts";
import { eventLines } from "../run/event-stream.ts";
import { captured, writeKeys } from "../run/evidence.ts";
import { Script } from "../script/script.ts";
import { said } from "./said.ts";

let folder: string;
const path = (name: string) => join(folder, name);

async function keep(name: string, seed: string, peerId?: string): Promise<void> {
  const config = peerId === undefined ? {} : { localId: peerId };
  const s = new Script(await memoryArena({ config }, { seed }));
  const session = await s.dial();
  await session.proveTraffic();
  s.host.stop();
  mkdirSync(path(`${name}/keys`), { recursive: true });
  writePcap(path(`${name}/capture.pcap`), captured(s.trace), Date.UTC(2026, 0, 1));
  writeKeys(path(`${name}/keys`), s.trace.ikeSas(), s.trace.childSas());
  writeFileSync(path(`${name}/events.jsonl`), eventLines(s.trace));
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "bakeoff-diff-"));
  await keep("a", "one");
  await keep("b", "two");
  await keep("c", "three", "<img src=x>.example");
  copyFileSync(path("a/capture.pcap"), path("bare-a.pcap"));
  copyFileSync(path("b/capture.pcap"), path("bare-b.pcap"));
});

after(() => rmSync(folder, { recursive: true }));

const ID = "IKE_AUTH response > SK > IDr > data";
const CHANGED = `${ID}: peer.example -> <img src=x>.example`;

describe("bakeoff pcap diff", () => {
  it("says nothing of two runs that differ in random values", async () => {
    const { status, out } = await said("pcap", "diff", path("a"), path("b"));
    expect([status, out]).to.deep.equal([0, ""]);
  });

  it("names the field that differs, under its message", async () => {
    const { status, out } = await said("pcap", "diff", path("a"), path("c"));
    expect(status).to.equal(1);
    expect(out).to.include(`IKE_AUTH response (A 4, B 4)\n  ${CHANGED}\n`);
  });

  it("takes captures with keys apart, captures without and event streams", async () => {
    const keys = ["--keys-a", path("a/keys"), "--keys-b", path("b/keys")];
    const bare = [path("bare-a.pcap"), path("bare-b.pcap")];
    expect((await said("pcap", "diff", ...bare, ...keys)).status).to.equal(0);
    expect((await said("pcap", "diff", ...bare)).status).to.equal(0);
    const halfOpen = await said("pcap", "diff", ...bare, "--keys-a", path("a/keys"));
    expect(halfOpen.status).to.equal(1);
    expect(halfOpen.out).to.include("IKE_AUTH request > SK: opened -> closed\n");
    const events = (name: string): string => path(`${name}/events.jsonl`);
    expect((await said("pcap", "diff", events("a"), events("b"))).status).to.equal(0);
    expect((await said("pcap", "diff", path("a"), events("b"))).out).to.equal("");
  });

  it("compares the sets that are shown, and takes rules of one's own", async () => {
    const nonces = await said("pcap", "diff", path("a"), path("b"), "--show", "nonces,spis");
    expect(nonces.out).to.match(/IKE_SA_INIT request > Nonce > data: 0x\w+ -> 0x\w+\n/);
    expect(nonces.out).to.match(/IKE_AUTH request > SK > SA > proposal 1 > SPI: 0x\w{8} -> 0x\w{8}\n/);
    expect((await said("pcap", "diff", path("a"), path("b"), "--strict")).status).to.equal(1);
    const rule = '{ name: own, about: x, rules: [{ path: "** > IDr > data" }, { path: "** > header" }] }';
    writeFileSync(path("own.yaml"), `sets:\n  - ${rule}\n`);
    const own = await said("pcap", "diff", path("a"), path("c"), "--rules", path("own.yaml"), "--json");
    expect(JSON.parse(own.out).differences.map((d: { path: string }) => d.path)).to.not.include(ID);
  });

  it("says that it compared only what could be read", async () => {
    const octets = readFileSync(path("a/capture.pcap"));
    writeFileSync(path("cut.pcap"), octets.subarray(0, octets.length - 1));
    const args = ["pcap", "diff", path("bare-a.pcap"), path("cut.pcap")];
    const { out } = await said(...args);
    expect(out).to.match(/(^|\n)Only what could be read is compared:\nB: read as far as octet \d+: .+\n$/);
    const { faults } = JSON.parse((await said(...args, "--json")).out);
    expect([faults.a.faults, faults.b.faults.length]).to.deep.equal([[], 1]);
  });

  it("gives JSON, and a page in which nothing of a peer's is markup", async () => {
    const args = [path("a"), path("c"), "--json", "--html", path("diff.html")];
    const { status, out } = await said("pcap", "diff", ...args);
    expect(status).to.equal(1);
    const found = JSON.parse(out).differences.find((d: { path: string }) => d.path === ID);
    expect(found).to.include({
      kind: "changed",
      a: "peer.example",
      b: "<img src=x>.example",
      atA: 4,
      atB: 4,
    });
    const page = readFileSync(path("diff.html"), "utf8");
    expect(page).to.include("&lt;img src=x&gt;.example").and.not.include("<img").and.not.include("<script");
  });

  it("refuses in one line what it cannot use", async () => {
    writeFileSync(path("large.jsonl"), "");
    truncateSync(path("large.jsonl"), 2 ** 40);
    writeFileSync(path("bad.yaml"), "sets:\n  - { name: own, about: x, ruels: [] }\n");
    for (const [args, reason] of [
      [[path("a"), path("missing")], /missing: there is no such file/],
      [[path("a"), folder], /no capture\.pcap in this folder/],
      [[path("large.jsonl"), path("a")], /large.jsonl: 1099511627776 octets; at most/],
      [["-", "-"], /only one of the two/],
      [[path("a"), path("b"), "--show", "noncse"], /unknown set of --show "noncse", nearest: nonces/],
      [[path("a"), path("b"), "--rules", path("bad.yaml")], /ruels: unknown field, nearest: rules/],
      [[path("a"), path("b"), "--keys-b", path("missing")], /--keys-b .*missing: there is no such file/],
    ] as const) {
      const { status, out, err } = await said("pcap", "diff", ...args);
      expect([status, out], String(reason)).to.deep.equal([2, ""]);
      expect(err.trim().split("\n").at(-1)).to.match(reason);
    }
  });
});
