import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { UsageError } from "../../harness/run/usage-error.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { sampleAlarm, sampleCase, sampleOutcome, samplePeer } from "../findings/testing.ts";
import { runCampaign } from "./campaign.ts";
import type { CampaignOptions } from "./options.ts";
import { makePlan } from "./plan.ts";
import { COVERAGE_FILE, Recorder } from "./recorder.ts";
import { CAMPAIGN_FILE, Tally } from "./tally.ts";

describe("the folder of a campaign", () => {
  let out = "";
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "bakeoff-recorder-"));
  });
  afterEach(() => rmSync(out, { recursive: true }));

  const write = (recorder: Recorder): void => {
    recorder.append({ kind: "clock", ms: 1 });
    recorder.pending("0-0", { batch: 0, setup: "psk", peer: "responder", cases: [], again: [], inHand: 0 });
    recorder.pending("0-0", undefined);
    recorder.coverage({ coverage: 1, cells: [] });
    recorder.summary();
    recorder.unconfirmed(sampleAlarm, sampleCase, samplePeer, join(out, "none"));
    recorder.close();
  };

  it("ends a campaign with a word where it cannot be written any more, and breaks nothing", () => {
    for (const name of [".state", CAMPAIGN_FILE, COVERAGE_FILE, "unconfirmed"]) {
      const reasons: string[] = [];
      const recorder = new Recorder(out, new Tally(), new Set(), (reason) => reasons.push(reason));
      rmSync(join(out, name), { recursive: true, force: true });
      if (name.endsWith(".json")) mkdirSync(join(out, name));
      else writeFileSync(join(out, name), "");
      write(recorder);
      expect(reasons, name).to.have.lengthOf(1);
      expect(reasons[0]).to.match(/^nothing more can be kept: E[A-Z]+: /);
      expect(recorder.isFull).to.equal(true);
      rmSync(join(out, name), { recursive: true });
    }
  });

  it("keeps a finding on a disk that something else has filled", () => {
    const reasons: string[] = [];
    const recorder = new Recorder(out, new Tally(), new Set(), (reason) => reasons.push(reason));
    recorder.whileThereIsRoom(() => {
      throw Object.assign(new Error("no room"), { code: "ENOSPC", syscall: "write" });
    });
    const add = () => void recorder.store.add(sampleAlarm, sampleCase, sampleOutcome, samplePeer);
    recorder.whileThereIsRoom(add);
    expect(recorder.store.all()).to.have.lengthOf(0);
    recorder.withTheLastRoom(add);
    const [finding] = recorder.store.all();
    expect(finding && existsSync(recorder.store.folderOf(finding))).to.equal(true);
    expect(reasons).to.deep.equal(["the disk is full: nothing more can be kept"]);
    recorder.close();
  });

  it("stays as it is where the campaign cannot begin", async () => {
    const options: CampaignOptions = {
      ...{ out, resume: false, timeMs: 1_000, rate: 1, restartsAnHour: 1, muted: new Set<string>() },
    };
    const begun = (more: Partial<CampaignOptions>) =>
      runCampaign({ ...options, ...more }, { say() {}, tick() {} }, new AbortController().signal).catch(
        (error: unknown) => error,
      );
    writeFileSync(join(out, "file"), "kept");
    for (const corpus of ["", join(out, "file")])
      expect(await begun({ corpus }))
        .to.be.instanceOf(UsageError)
        .with.property("message")
        .that.match(/corpus/);
    for (const seed of ["", "a".repeat(201), "a\u001b[31m"])
      expect(await begun({ seed }))
        .to.be.instanceOf(UsageError)
        .with.property("message")
        .that.match(/^--seed/);
    expect(existsSync(join(out, "journal.jsonl"))).to.equal(false);
    writeFileSync(join(out, "findings"), "kept");
    expect(await begun({})).to.be.instanceOf(LabError);
    for (const name of ["file", "findings"]) expect(readFileSync(join(out, name), "utf8")).to.equal("kept");
  });

  it("holds no plan that could not be read again", () => {
    expect(() => makePlan({ seed: "" })).to.throw(UsageError, "--seed");
    expect(makePlan({ seed: "a".repeat(200) }).seed).to.have.lengthOf(200);
  });
});
