/** A lane from the first to the last of its tests, over as many processes as that takes. */
import { peerName } from "../../peers/definition.ts";
import type { PeerInfo, TestResult } from "../../reports/results.ts";
import { orderOf } from "./external.ts";
import type { Judgement } from "./judge.ts";
import { type LaneEnd, laneProcess } from "./lane-process.ts";
import type { FromLane, LaneOrder } from "./lane-protocol.ts";
import { peerInfo } from "./live-peer.ts";
import type { LanePlan } from "./plan.ts";
import { resultOf } from "./result.ts";
import type { SuiteTest } from "./suites.ts";

/** What a lane reports while it runs. */
export interface ResultSink {
  peerStarted(peer: PeerInfo): void;
  testStarted(test: SuiteTest, peer: string): void;
  testFinished(result: TestResult): void;
  /** For the user to read at once. */
  told(text: string): void;
}

export interface LaneSink extends ResultSink {
  /** Called after each process of the lane, before another is started. */
  processEnded(): Promise<void>;
}

/** Plays an order out to its end; never rejects. Ordinarily in a process of its own. */
export type LaneRunner = typeof laneProcess;

export type LaneSettings = Omit<LaneOrder, "kind" | "peer" | "id" | "tests" | "files">;

interface Progress {
  left: SuiteTest[];
  current?: SuiteTest;
  /** Why the process gave up: the peer could not be started, or evidence not be written. */
  labFailed?: string | undefined;
  peerKnown: boolean;
}

/** Runs all tests of a lane. Every one has a result when this resolves, unless the signal came. */
export async function runLane(
  plan: LanePlan,
  settings: LaneSettings,
  sink: LaneSink,
  signal: AbortSignal,
  process: LaneRunner = laneProcess,
): Promise<void> {
  const progress: Progress = { left: [...plan.tests], peerKnown: false };
  const { id, peer, external } = plan;
  const way = external && orderOf(external);
  const order = { kind: "order", peer: peerName(peer), id, ...way, ...settings } as const;
  while (progress.left.length > 0 && !signal.aborted) {
    const before = progress.left.length;
    progress.current = undefined;
    progress.labFailed = undefined;
    const tests = progress.left.map(({ id }) => id);
    const files = [...new Set(progress.left.map(({ file }) => file))];
    const onMessage = (message: FromLane) => take(message, progress, plan, sink);
    const end = await process({ ...order, tests, files }, { onMessage, signal });
    await sink.processEnded();
    if (signal.aborted) return;
    settle(end, progress, progress.left.length < before, { order, sink });
  }
}

function take(message: FromLane, progress: Progress, plan: LanePlan, sink: LaneSink): void {
  switch (message.kind) {
    case "peer-started":
      progress.peerKnown = true;
      return sink.peerStarted(message.peer);
    case "test-started":
      progress.current = progress.left.find(({ id }) => id === message.test);
      if (progress.current) sink.testStarted(progress.current, plan.id);
      return;
    case "test-finished":
      progress.current = undefined;
      progress.left = progress.left.filter(({ id }) => id !== message.test.id);
      return sink.testFinished(message.test);
    case "told":
      return sink.told(message.text);
    case "lab-failed":
      progress.labFailed = message.reason;
  }
}

interface Ending {
  order: Omit<LaneOrder, "tests" | "files">;
  sink: LaneSink;
}

/** Gives a verdict to what the process left without one: its current test, or all of them if it is of no use. */
function settle(end: LaneEnd, progress: Progress, advanced: boolean, { order, sink }: Ending): void {
  const give = (test: SuiteTest, judgement: Judgement) => {
    progress.left = progress.left.filter((other) => other !== test);
    sink.testFinished(resultOf(test, { peer: order.id, lie: order.lie }, judgement));
  };
  if (progress.current) give(progress.current, verdictOn(end, progress.labFailed));
  else if (progress.labFailed !== undefined || !advanced) {
    if (!progress.peerKnown) sink.peerStarted(peerInfo(order, ""));
    const reason = progress.labFailed ?? `the lane's process ended before its first test: ${end.detail}`;
    for (const test of [...progress.left]) give(test, setup(reason));
  }
}

function verdictOn(end: LaneEnd, labFailed?: string): Judgement {
  if (labFailed !== undefined) return setup(labFailed);
  if (end.how !== "stuck") return setup(`the lane's process died in this test: ${end.detail}`);
  const reason = "the test stood still past its hard end and was killed with its process";
  return { verdict: "hang", reason, expected: "an end", actual: "none" };
}

const setup = (reason: string): Judgement => ({
  ...{ verdict: "setup", reason, expected: "a lab that works", actual: reason },
});
