/** The process of a lane of a campaign: starts its peer, and does what it is told, one thing after another. */
import { HEARTBEAT_MS } from "../../harness/run/lane-protocol.ts";
import { Player } from "../play/player.ts";
import { reasonOf } from "./keeper.ts";
import { type FuzzLane, openLane } from "./lane.ts";
import { LaneWork } from "./lane-work.ts";
import {
  type BatchOrder,
  type FromFuzzLane,
  type FuzzOrder,
  type ReplayOrder,
  toLaneSchema,
} from "./protocol.ts";

/** Ends this process when the peer has been stopped, or soon after if that takes too long. */
const STOP_MS = 8_000;
/** A case that takes longer has no end; who hears no heartbeat any more kills this process. */
const CASE_MS = 90_000;

const stop = new AbortController();
const finish = new AbortController();
let opened: Promise<FuzzLane> | undefined;
let work: LaneWork | undefined;
/** What was told before is done. */
let idle: Promise<void> = Promise.resolve();
let busy = 0;

function say(message: FromFuzzLane): void {
  if (process.send && process.connected) process.send(message, () => {});
}

async function begin(order: FuzzOrder): Promise<void> {
  opened = openLane(order);
  const lane = await opened;
  const { info: peer, epochMs } = lane;
  work = new LaneWork(lane, order, (arena, options) => new Player(arena, { ...options, reuse: true }), say);
  say({ kind: "started", peer, epochMs });
}

async function obey(order: FuzzOrder | BatchOrder | ReplayOrder): Promise<void> {
  if (order.kind === "order") return begin(order);
  if (!work) throw new Error("the order comes first");
  work.progressed = performance.now();
  return order.kind === "batch" ? work.batch(order, finish.signal, stop.signal) : work.replay(order);
}

function end(status: number): void {
  if (stop.signal.aborted) return;
  stop.abort();
  setTimeout(() => process.exit(1), STOP_MS).unref();
  work?.close();
  const stopped = opened?.then((lane) => lane.stop()) ?? Promise.resolve();
  void stopped.catch(() => {}).then(() => process.exit(status));
}

function fail(error: unknown): void {
  if (stop.signal.aborted) return;
  const reason =
    error instanceof Error && error.name !== "LabError" ? (error.stack ?? error.message) : reasonOf(error);
  say({ kind: "lab-failed", reason });
  end(1);
}

process.on("message", (value) => {
  const message = toLaneSchema.parse(value);
  if (message.kind === "stop") return end(0);
  if (message.kind === "finish") return finish.abort();
  busy += 1;
  idle = idle
    .then(() => obey(message))
    .finally(() => {
      busy -= 1;
    });
  idle.catch(fail);
});
// Whoever gives the orders has gone, whatever became of him.
process.on("disconnect", () => end(0));
process.on("uncaughtException", fail);
setInterval(() => {
  const stands = busy > 0 && work !== undefined && performance.now() - work.progressed > CASE_MS;
  if (!stands) say({ kind: "alive" });
}, HEARTBEAT_MS).unref();
