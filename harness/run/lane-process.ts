/** One process of a lane, seen from the runner: started, fed its order, watched, and ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { extname, join } from "node:path";
import { inNamespace } from "../../peers/runtime/network.ts";
import { type FromLane, fromLaneSchema, HEARTBEAT_MS, type LaneOrder } from "./lane-protocol.ts";

export interface Watch {
  /** Called with everything the lane says but its heartbeat. */
  onMessage(message: FromLane): void;
  /** Ends the lane, gently at first. */
  signal: AbortSignal;
  /** A process whose event loop stands still for so long is killed. */
  stuckMs?: number;
}

/** How the process ended. `stuck`: it was killed because it neither worked on nor ended. */
export interface LaneEnd {
  how: "done" | "stuck" | "stopped" | "died";
  /** Exit code or signal, and the last lines it wrote to standard error. */
  detail: string;
}

const STUCK_MS = 15 * HEARTBEAT_MS;
/** How long a lane may take to stop its peer. */
const STOP_MS = 10_000;

/** This program's own file beside this one, in the source tree or the built one, and how node runs it. */
export function nodeCommand(folder: string, name: string): string[] {
  const extension = extname(import.meta.filename);
  return [process.execPath, ...process.execArgv, join(folder, `${name}${extension}`)];
}

/** Runs a lane's process to its end, whatever that is. Never rejects. */
export function laneProcess(order: LaneOrder, watch: Watch): Promise<LaneEnd> {
  const command = nodeCommand(import.meta.dirname, "lane-main");
  const [file = "", ...args] = order.network ? inNamespace(order.network.tester, command) : command;
  // A session of its own: Ctrl-C is the runner's to handle. The channel tells the lane when the runner dies.
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], detached: true });
  const errors = lastLines(child);
  let done = false;
  let heard = performance.now();
  child.on("message", (value) => {
    heard = performance.now();
    const message = fromLaneSchema.parse(value);
    if (message.kind === "done") done = true;
    else if (message.kind !== "alive") watch.onMessage(message);
  });
  let stuck = false;
  const guard = setInterval(() => {
    if (performance.now() - heard < (watch.stuckMs ?? STUCK_MS)) return;
    stuck = true;
    child.kill("SIGKILL");
  }, 1_000);
  const release = stopOn(child, watch.signal);
  child.send(order, () => {});
  return new Promise((resolve) => {
    const end = (detail: string) => {
      clearInterval(guard);
      release();
      const how = done ? "done" : stuck ? "stuck" : watch.signal.aborted ? "stopped" : "died";
      resolve({ how, detail: [detail, errors()].filter(Boolean).join(": ") });
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code, signal) => end(signal ?? `exit ${code}`));
  });
}

/** Asks the lane to stop when the signal comes, and kills it if it does not. */
function stopOn(child: ChildProcess, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    if (child.connected) child.send({ kind: "stop" }, () => {});
    timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  };
}

function lastLines(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-2048);
  });
  return () => tail.trim().split("\n").slice(-4).join(" / ");
}
