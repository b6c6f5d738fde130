/** A process that is given one order: works on it, says what comes of it, and ends. */
import { HEARTBEAT_MS, type LaneOrder, toLaneSchema } from "./lane-protocol.ts";

/** Ends this process when its work has stopped, or soon after if that takes too long. */
const STOP_MS = 8_000;

type Work<Message> = (
  order: LaneOrder,
  say: (message: Message) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;

/** The work is told by the signal to stop its peer and return: at the runner's word, or when the runner has gone. */
export function workOnOrder<Message extends object>(work: Work<Message>): void {
  const stop = new AbortController();
  let working: Promise<void> | undefined;
  const end = () => {
    stop.abort();
    setTimeout(() => process.exit(1), STOP_MS).unref();
    void (working ?? Promise.resolve()).then(() => process.exit(0));
  };
  process.on("message", (value) => {
    const message = toLaneSchema.parse(value);
    if (message.kind === "stop") return end();
    working = work(message, say, stop.signal).catch(async (error: unknown) => {
      // What is stopped has not failed.
      if (stop.signal.aborted) return;
      await say({ kind: "lab-failed", reason: error instanceof Error ? error.message : String(error) });
    });
    void working.then(() => process.exit(0));
  });
  process.on("disconnect", end);
  setInterval(() => void say({ kind: "alive" }), HEARTBEAT_MS).unref();
}

function say(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}
