/** The process of a lane: starts its peer, runs its tests one after another, and says what comes of them. */
import { type FromLane, HEARTBEAT_MS, type LaneOrder, toLaneSchema } from "./lane-protocol.ts";
import { runLane } from "./lane-run.ts";

function say(message: FromLane): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

/** Ends this process when the peer has been stopped, or soon after if that takes too long. */
const STOP_MS = 8_000;

async function work(order: LaneOrder, signal: AbortSignal): Promise<void> {
  try {
    await runLane(order, say, signal);
  } catch (error) {
    await say({ kind: "lab-failed", reason: error instanceof Error ? error.message : String(error) });
  }
}

const stop = new AbortController();
let working: Promise<void> | undefined;

function end(): void {
  stop.abort();
  setTimeout(() => process.exit(1), STOP_MS).unref();
  void (working ?? Promise.resolve()).then(() => process.exit(0));
}

process.on("message", (value) => {
  const message = toLaneSchema.parse(value);
  if (message.kind === "stop") return end();
  working = work(message, stop.signal);
  void working.then(() => process.exit(0));
});
// The runner has gone, whatever became of it.
process.on("disconnect", end);
setInterval(() => void say({ kind: "alive" }), HEARTBEAT_MS).unref();
