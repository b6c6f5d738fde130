/** How fast the fuzzer is: making cases, and playing them to their verdicts. */
import type { Stage } from "../../fuzz/trace.ts";
import { findPeer, peerName } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import type { LaneNetwork } from "../../peers/runtime/network.ts";
import { checkLab, openLab } from "../run/lab.ts";
import { nodeCommand, watchedProcess } from "../run/lane-process.ts";
import { measureGeneration } from "./fuzz-generate.ts";
import type { LoopFigures, LoopOrder, StageFigures } from "./fuzz-loop.ts";
import type { LoopAnswer } from "./fuzz-main.ts";
import { type BenchResult, type BenchRow, compared } from "./measure.ts";

export interface FuzzBenchOptions {
  /** NAME@VERSION:RUNTIME of the peer of the closed loop. */
  peer: string;
  /** For each figure. */
  seconds: number;
  /** Conversations at once. */
  window: number;
  seed: string;
  progress(text: string): void;
  signal: AbortSignal;
}

/** Of the rate of honest IKE_SA_INITs: what a case with its verdict should reach at stage init. */
const AIM = 0.4;
/** Cases per second of the others. */
const AIMS: { readonly [S in Stage]?: number } = { auth: 250, "create-child": 600, informational: 600 };

/** @throws LabError for a peer that cannot be run here */
export async function measureFuzz(options: FuzzBenchOptions): Promise<BenchResult> {
  const { peer, seconds, seed, progress } = options;
  progress("making IKE_SA_INIT requests, and scapy beside it");
  const generation = await measureGeneration(seconds, seed);
  progress(`playing cases with ${peer}`);
  const figures = await closedLoop(options);
  return { name: "fuzz", rows: [generation, ...loopRows(figures)] };
}

function loopRows({ peer, honest, stages }: LoopFigures): BenchRow[] {
  const reference = { what: `IKE_SA_INITs that ${peer} answers one at a time`, value: honest };
  const row = ({ stage, window, casesPerSecond, cpuMs, judgeMs, reused }: StageFigures): BenchRow => {
    const cost = `${cpuMs.toFixed(2)} ms of processor time each, ${judgeMs.toFixed(2)} ms to judge`;
    const standing = reused > 0 ? `, ${Math.round(100 * reused)} % on an IKE SA that stood` : "";
    const aimed = AIMS[stage] ? `, aim ${AIMS[stage]}/s` : "";
    const what = `cases at stage ${stage}, ${window} at once${standing}, ${cost}${aimed}`;
    return compared(what, casesPerSecond, "cases/s", reference, stage === "init" ? AIM : undefined);
  };
  return stages.map(row);
}

async function closedLoop(options: FuzzBenchOptions): Promise<LoopFigures> {
  const chosen = findPeer(options.peer);
  await checkLab([chosen]);
  const lab = await openLab(`bench-${process.pid}`);
  let figures: LoopFigures | undefined;
  try {
    await lab.withNetwork(chosen, 0, async (network) => {
      figures = await inChild(options, lab.runId, peerName(chosen), network);
    });
  } finally {
    await lab.close();
  }
  if (!figures) throw new LabError("start-failed", `${options.peer}: no figures`);
  return figures;
}

/** In a process of its own, as a campaign does it. */
async function inChild(
  { seconds, window, seed, signal }: FuzzBenchOptions,
  runId: string,
  peer: string,
  network: LaneNetwork | undefined,
): Promise<LoopFigures> {
  let answer: Exclude<LoopAnswer, { kind: "alive" }> | undefined;
  const child = watchedProcess(nodeCommand(import.meta.dirname, "fuzz-main"), network, {
    signal,
    onMessage: (value) => {
      const said = value as LoopAnswer;
      if (said.kind !== "alive") answer = said;
    },
  });
  const order: LoopOrder = {
    peer: { peer, id: peer, seed, runId, lane: 0, ...(network && { network }) },
    ...{ seconds, window, seed },
  };
  child.send(order);
  const { detail } = await child.ended;
  if (answer?.kind === "figures") return answer.figures;
  throw new LabError("start-failed", `${peer}: ${answer?.reason ?? detail}`);
}
