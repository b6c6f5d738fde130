import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FINDINGS_FILE, readFindings } from "../../reports/findings.ts";
import type { Alarm } from "../alarm.ts";
import { DiskFull, writeWhole } from "./files.ts";
import { isUnread, readFinding } from "./finding.ts";
import { FINDING_FILE, FindingStore } from "./store.ts";
import { sampleAlarm, sampleCase, sampleOutcome, samplePeer, sampleTrace } from "./testing.ts";

const crash: Alarm = {
  ...sampleAlarm,
  oracle: "crash",
  signature: "SIGSEGV in secret_function",
  title: "secret",
};

describe("the store of findings", () => {
  let out: string;
  const open = (more = {}) => FindingStore.open(out, { tool: "0.1.0", now: () => 0, ...more });
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "bakeoff-store-"));
  });
  afterEach(() => rmSync(out, { recursive: true }));

  it("keeps one finding for each signature and counts it, over a restart too", () => {
    const store = open();
    const first = store.add(sampleAlarm, sampleCase, sampleOutcome, samplePeer);
    expect(first.fresh).to.equal(true);
    for (let i = 0; i < 5; i++)
      expect(store.add(sampleAlarm, sampleCase, sampleOutcome, samplePeer)).to.deep.equal({
        ...first,
        fresh: false,
      });
    store.close();
    const again = open();
    expect(again.problems).to.deep.equal([]);
    expect(again.add(sampleAlarm, sampleCase, undefined, samplePeer).fresh).to.equal(false);
    expect(again.get(first.id)?.seen.count).to.equal(7);
    expect(readFindings(out)).to.have.nested.property("findings[0].id", first.id);
  });

  it("writes a fresh finding with its capture before it returns, and its smaller conversation in its place", () => {
    const store = open();
    const { id } = store.add(sampleAlarm, sampleCase, sampleOutcome, samplePeer);
    const folder = store.folderOf({ id, embargo: false });
    for (const name of [FINDING_FILE, "capture.pcap", "keys/ikev2_decryption_table", "ladder.txt"])
      expect(existsSync(join(folder, name)), name).to.equal(true);
    const trace = { ...sampleTrace, steps: [{ act: "init" as const }] };
    store.reduce(id, { trace: sampleTrace, seed: "of another case", outcome: sampleOutcome });
    expect(store.get(id)?.minimised).to.equal(false);
    store.reduce(id, { trace, seed: sampleCase.seed, outcome: sampleOutcome });
    const read = readFinding(join(folder, FINDING_FILE));
    expect(isUnread(read) ? read : [read.trace, read.original, read.minimised, read.operators]).to.deep.equal(
      [trace, sampleTrace, true, []],
    );
  });

  it("keeps what is under embargo apart, for the eyes of its owner, until it is released", () => {
    const store = open();
    const { id } = store.add(crash, sampleCase, sampleOutcome, samplePeer);
    const folder = store.folderOf({ id, embargo: true });
    expect(folder).to.include("/embargo/");
    for (const name of [FINDING_FILE, "capture.pcap", "keys/keys.json"])
      expect(statSync(join(folder, name)).mode & 0o777, name).to.equal(0o600);
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(readFileSync(join(out, FINDINGS_FILE), "utf8")).to.not.include("secret");
    expect(readFindings(out)).to.deep.equal({ findings: [], withheld: 1 });
    expect(store.release(id)).to.equal(true);
    expect(store.release(id)).to.equal(false);
    expect(existsSync(folder)).to.equal(false);
    expect(readFindings(out)).to.have.nested.property("findings[0].title", "secret");
  });

  it("counts what is muted and does not report it", () => {
    const store = open({ muted: new Set([sampleAlarm.signature]) });
    expect(store.add(sampleAlarm, sampleCase, undefined, samplePeer).muted).to.equal(true);
    expect(readFindings(out)).to.deep.equal({ findings: [], withheld: 0 });
  });

  it("names and skips files that are damaged, foreign, or lie about their place", () => {
    const store = open();
    const [{ id }, secret] = [sampleAlarm, crash].map((alarm) =>
      store.add(alarm, sampleCase, undefined, samplePeer),
    );
    const path = join(store.folderOf({ id, embargo: false }), FINDING_FILE);
    const hidden = join(store.folderOf({ id: secret!.id, embargo: true }), FINDING_FILE);
    const whole = readFileSync(path, "utf8");
    const forged = [
      [path, "{", "is not JSON"],
      [path, whole.replace('"finding": 1', '"finding": 9'), "the format of this version"],
      [path, whole.replace('"seed"', '"__proto__"'), "skipped"],
      [path, whole.replace(/"signature": ".*"/, '"signature": "x"'), "is not that of its folder"],
      [
        hidden,
        readFileSync(hidden, "utf8").replace('"embargo": true', '"embargo": false'),
        "is not that of its folder",
      ],
    ] as const;
    for (const [file, text, problem] of forged) {
      writeFileSync(file, text);
      const read = open();
      expect(read.problems.join()).to.include(problem).and.not.include("secret");
      expect(read.add(sampleAlarm, sampleCase, undefined, samplePeer).fresh).to.equal(file === path);
    }
  });

  it("writes the last finding into the room it held back, and says that the disk is full", () => {
    let room = true;
    const store = open({
      write: (...[path, text, modes]: Parameters<typeof writeWhole>) => {
        const reserved = existsSync(join(out, "findings", ".reserve"));
        if (!room && (reserved || !path.endsWith(FINDING_FILE)))
          throw Object.assign(new Error("no room"), { code: "ENOSPC" });
        writeWhole(path, text, modes);
      },
    });
    room = false;
    expect(() => store.add(sampleAlarm, sampleCase, sampleOutcome, samplePeer)).to.throw(DiskFull, "is kept");
    room = true;
    expect(open().all()).to.have.length(1);
  });
});
