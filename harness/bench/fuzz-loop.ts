/** Cases with a verdict each against a running peer, beside the rate at which it answers honest IKE_SA_INITs one at a time. */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { Generator } from "../../fuzz/generate/generator.ts";
import { judgeCase } from "../../fuzz/oracles/index.ts";
import { Player } from "../../fuzz/play/player.ts";
import { Probes } from "../../fuzz/play/probes.ts";
import { findSetup } from "../../fuzz/setups.ts";
import type { Act, FuzzCase, Stage } from "../../fuzz/trace.ts";
import type { PeerOrder } from "../run/lane-protocol.ts";
import type { LivePeer } from "../run/live-peer.ts";
import { openPeer } from "../run/open-peer.ts";
import type { Arena } from "../script/arena.ts";

export interface LoopOrder {
  peer: PeerOrder;
  /** For each figure. */
  seconds: number;
  window: number;
  seed: string;
}

export interface LoopFigures {
  /** The daemon's own word. */
  peer: string;
  /** Honest IKE_SA_INIT exchanges per second, one at a time, from a bare socket; before and after the cases. */
  honest: number;
  stages: StageFigures[];
}

export interface StageFigures {
  stage: Stage;
  window: number;
  casesPerSecond: number;
  /** Processor time of this process for a case, and the part of its judgement in wall-clock time. */
  cpuMs: number;
  judgeMs: number;
  /** Share of the cases that were played on an IKE SA that stood. */
  reused: number;
}

const STAGES = ["init", "auth", "create-child", "informational"] as const satisfies readonly Stage[];
/**
 * Cases that are played first, so that what is measured is compiled, as in a campaign after its first minute: in the
 * first stage as many times the seconds of a figure, then at each beginning.
 */
const WARM_FIRST = 8;
const WARM_SHARE = 0.25;
/** Half-open IKE SAs after which the peer is made to forget them: thousands it does not let go of in time. */
const MOST_HALF_OPEN = 2_000;

/** @throws LabError when the peer cannot be started */
export async function measureLoop(order: LoopOrder): Promise<LoopFigures> {
  const peer = await openPeer(order.peer);
  try {
    const before = await honestRate(await arenaOf(peer, "honest before"), order.seconds / 2);
    const stages: StageFigures[] = [];
    await stageRate(peer, STAGES[0], { ...order, seconds: WARM_FIRST * order.seconds });
    if (order.window > 1) stages.push(await stageRate(peer, "init", { ...order, window: 1 }));
    for (const stage of STAGES) stages.push(await stageRate(peer, stage, order));
    const after = await honestRate(await arenaOf(peer, "honest after"), order.seconds / 2);
    return { peer: peer.info.fullVersion, honest: (before + after) / 2, stages };
  } finally {
    await peer.stop();
  }
}

const psk = () => {
  const found = findSetup("psk");
  if (!found) throw new Error("there is no setup psk");
  return found;
};

const arenaOf = (peer: LivePeer, label: string): Promise<Arena> =>
  peer.arena(`bench fuzz/${label}`, psk().wishes);

/** Where Next Payload of the header stands, and Notify, which is what a challenge begins with. */
const NEXT_PAYLOAD = 16;
const NOTIFY = 41;

/**
 * As any program would do it: send, wait for the answer, send the next. A peer that asks for cookies is made to forget
 * its half-open SAs, and the time for that does not count.
 */
async function honestRate(
  { policy, random, local, remote, driver }: Arena,
  seconds: number,
): Promise<number> {
  const probes = new Probes(policy(), random);
  const socket = createSocket(isIPv6(local.host) ? "udp6" : "udp4");
  await new Promise<void>((resolve) => socket.bind(0, local.host, resolve));
  let [answers, busy, sentAt] = [0, 0, 0];
  const send = () => {
    sentAt = performance.now();
    socket.send(probes.make("whole"), remote.port, remote.host);
  };
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 4 * seconds * 1000);
    const next = () => {
      if (busy < seconds * 1000) return send();
      clearTimeout(timer);
      resolve();
    };
    socket.on("message", (data) => {
      const forgotten = () => driver.reset().then(next, next);
      if (data[NEXT_PAYLOAD] === NOTIFY) return void forgotten();
      answers++;
      busy += performance.now() - sentAt;
      if (answers % MOST_HALF_OPEN === 0) return void forgotten();
      next();
    });
    send();
  });
  socket.close();
  await driver.reset();
  return (answers * 1000) / busy;
}

async function stageRate(peer: LivePeer, stage: Stage, order: LoopOrder): Promise<StageFigures> {
  const { seconds, window, seed } = order;
  const setup = psk();
  const context = { setup, peer: "responder" as const };
  const arena = await arenaOf(peer, `${stage} ${window}`);
  await arena.driver.reset();
  const player = new Player(arena, { window, reuse: true });
  const cases = await source(stage, `${seed} ${window}`);
  let [judging, reused] = [0, 0];
  const play = async (for_: number): Promise<number> => {
    const end = performance.now() + for_ * 1000;
    let played = 0;
    await player.playAll(
      () => (performance.now() < end ? cases() : undefined),
      (outcome) => {
        const before = performance.now();
        judgeCase(outcome, context);
        judging += performance.now() - before;
        if (outcome.reused) reused++;
        played++;
      },
    );
    return played;
  };
  await play(WARM_SHARE * seconds);
  [judging, reused] = [0, 0];
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const played = await play(seconds);
  const used = process.cpuUsage(cpu);
  const elapsed = performance.now() - start;
  player.close();
  const each = (ms: number) => ms / Math.max(1, played);
  const cpuMs = each((used.user + used.system) / 1000);
  const casesPerSecond = (played * 1000) / elapsed;
  return { stage, window, casesPerSecond, cpuMs, judgeMs: each(judging), reused: each(reused) };
}

const BATCH = 1_000;

const LASTING: readonly Act[] = ["create-child", "informational"];

/** Beside the rate of single exchanges stand cases that are one; behind IKE_AUTH one that is not meant to end the IKE SA. */
function counts({ stage, trace: { steps } }: FuzzCase): boolean {
  if (stage === "init") return steps.length === 1;
  if (stage === "auth") return true;
  const [last] = steps.slice(2);
  return steps.length === 3 && last !== undefined && LASTING.includes(last.act);
}

/** Cases without end. */
async function source(stage: Stage, seed: string): Promise<() => FuzzCase> {
  const generator = await Generator.create({
    ...{ seed: `bench fuzz ${seed}`, setups: [psk()], roles: ["responder"], stages: [stage] },
    ...{ guided: false, batch: BATCH },
  });
  let batch = generator.nextBatch();
  return () => {
    for (;;) {
      const found = batch.nextCase();
      if (found && counts(found)) return found;
      if (found) continue;
      batch = generator.nextBatch();
    }
  };
}
