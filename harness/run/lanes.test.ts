/** Lanes whose process dies, stands still or never gets to work. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { TestResult } from "../../reports/results.ts";
import { laneProcess } from "./lane-process.ts";
import { type LaneSettings, type LaneSink, runLane } from "./lanes.ts";
import { type LanePlan, makePlan } from "./plan.ts";
import { loadTests } from "./suites.ts";

const settings: LaneSettings = { seed: "1", testLimitMs: 30_000, runId: "test", lane: 0 };
const never = new AbortController().signal;

const childPids = (): number[] =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")
    .split(" ")
    .filter(Boolean)
    .map(Number);

describe("lanes", function () {
  if (process.platform !== "linux") return;
  this.timeout(60_000);
  let plan: LanePlan;
  before(async () => {
    const selection = { documents: ["rfc7296/1.2"], peers: ["builtin:process"], role: "both" as const };
    const lane = makePlan(await loadTests(), selection).lanes[0];
    if (!lane) throw new Error("no lane");
    plan = { ...lane, tests: lane.tests.slice(0, 4) };
  });

  /** The pid of the lane's process: the child that was not there before. */
  function pidOfNew(before: readonly number[]): number {
    const pid = childPids().find((candidate) => !before.includes(candidate));
    if (pid === undefined) throw new Error("no new process");
    return pid;
  }

  function sink(onStart: (test: string) => void): LaneSink & { results: TestResult[]; peers: string[] } {
    const results: TestResult[] = [];
    const peers: string[] = [];
    return {
      ...{ results, peers },
      peerStarted: ({ id }) => peers.push(id),
      testStarted: ({ id }) => onStart(id),
      testFinished: (result) => results.push(result),
      told: () => {},
      processEnded: async () => {},
    };
  }

  it("goes on in a fresh process when one dies, and gives its test a verdict", async () => {
    const before = childPids();
    const second = plan.tests[1]?.id ?? "";
    const heard = sink((id) => {
      if (id === second) process.kill(pidOfNew(before), "SIGKILL");
    });
    await runLane(plan, settings, heard, never);
    expect(heard.results.map(({ id }) => id)).to.deep.equal(plan.tests.map(({ id }) => id));
    expect(heard.results.map(({ verdict }) => verdict)).to.deep.equal(["pass", "setup", "pass", "pass"]);
    expect(heard.results[1]?.reason).to.equal("the lane's process died in this test: SIGKILL");
    expect(heard.peers).to.deep.equal([plan.id, plan.id]);
  });

  it("kills a process that stands still", async () => {
    const before = childPids();
    const order = { kind: "order", peer: "builtin:process", id: plan.id, ...settings } as const;
    const tests = plan.tests.map(({ id }) => id);
    const files = plan.tests.map(({ file }) => file);
    const onMessage = ({ kind }: { kind: string }) => {
      if (kind === "test-started") process.kill(pidOfNew(before), "SIGSTOP");
    };
    const end = await laneProcess({ ...order, tests, files }, { onMessage, signal: never, stuckMs: 3_000 });
    expect(end).to.deep.include({ how: "stuck", detail: "SIGKILL" });
  });

  it("gives all tests a verdict when the peer cannot be started", async () => {
    const heard = sink(() => {});
    const network = { tester: "bakeoff-none-0-t", peer: "bakeoff-none-0-p" };
    await runLane(plan, { ...settings, network }, heard, never);
    expect(heard.results.map(({ verdict }) => verdict)).to.deep.equal(Array(4).fill("setup"));
    expect(heard.results[0]?.reason).to.match(/^the lane's process ended before its first test: /);
    expect(heard.peers).to.deep.equal([plan.id]);
  });
});
