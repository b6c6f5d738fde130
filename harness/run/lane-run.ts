/** The tests of one lane against its peer. */
import { setImmediate as turn } from "node:timers/promises";
import { LabError } from "../../peers/runtime/errors.ts";
import { runTest } from "./lane.ts";
import type { FromLane, LaneOrder } from "./lane-protocol.ts";
import type { LivePeer } from "./live-peer.ts";
import { openPeer } from "./open-peer.ts";
import { preflight } from "./preflight.ts";
import { resultOf } from "./result.ts";
import { loadFiles, type SuiteTest } from "./suites.ts";

type Say = (message: FromLane) => Promise<void>;

/**
 * Runs a lane to its end. After a test that reached its hard end it ends early, without `done`.
 * @throws LabError when the peer cannot be started or brought back
 */
export async function runLane(order: LaneOrder, say: Say, signal: AbortSignal): Promise<void> {
  const tests = await findTests(order);
  const peer = await openPeer(order, (text) => void say({ kind: "told", text }), signal);
  // What a test makes of a peer that is being stopped is no verdict; and with its report the lane's work ends, before
  // it would bring the peer back.
  const report: Say = (message) => (signal.aborted ? new Promise(() => {}) : say(message));
  try {
    await untilAborted(examine(tests, peer, order, report), signal);
  } finally {
    await peer.stop();
  }
}

async function examine(tests: SuiteTest[], peer: LivePeer, order: LaneOrder, say: Say): Promise<void> {
  await say({ kind: "peer-started", peer: peer.info });
  // A peer that lies may fail the pre-flight, which is for the tests to say.
  peer.begins = order.box !== undefined && tests.every(({ facts }) => facts.peer === "initiator");
  const broken = order.lie === undefined ? await preflight(peer, order) : undefined;
  if (broken === undefined) return runTests(tests, peer, order, say);
  for (const test of tests)
    await say({ kind: "test-finished", test: resultOf(test, { peer: order.id }, broken) });
  await say({ kind: "done" });
}

async function findTests({ tests, files }: LaneOrder): Promise<SuiteTest[]> {
  const all = new Map((await loadFiles(files)).map((test) => [test.id, test]));
  return tests.map((id) => {
    const test = all.get(id);
    if (!test) throw new Error(`there is no test ${id}`);
    return test;
  });
}

async function runTests(tests: SuiteTest[], peer: LivePeer, order: LaneOrder, say: Say): Promise<void> {
  const { out, lie, testLimitMs } = order;
  const options = { out, lie, testLimitMs, epochMs: peer.epochMs };
  for (const test of tests) {
    // A test in memory never waits for anything outside: here orders are heard.
    await turn();
    await say({ kind: "test-started", test: test.id });
    const { result, overtime } = await runTest(test, peer, options);
    await say({ kind: "test-finished", test: result });
    if (overtime) return;
    if (result.verdict === "crash" || result.verdict === "hang") await restart(peer);
  }
  await say({ kind: "done" });
}

async function restart(peer: LivePeer): Promise<void> {
  try {
    await peer.restart();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LabError("start-failed", `${peer.id} could not be started again: ${reason}`);
  }
}

/** Leaves the work where it is once the signal comes. */
export function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return Promise.race([work, aborted]);
}
