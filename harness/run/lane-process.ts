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
export async function laneProcess(order: LaneOrder, watch: Watch): Promise<LaneEnd> {
  let done = false;
  const { signal, stuckMs } = watch;
  const process = watchedProcess(nodeCommand(import.meta.dirname, "lane-main"), order.network, {
    ...{ signal, stuckMs },
    onMessage(value) {
      const message = fromLaneSchema.parse(value);
      if (message.kind === "done") done = true;
      else if (message.kind !== "alive") watch.onMessage(message);
    },
  });
  process.send(order);
  const { stuck, detail } = await process.ended;
  return { how: done ? "done" : stuck ? "stuck" : signal.aborted ? "stopped" : "died", detail };
}

export interface WatchedProcess {
  /** `message` as JSON. */
  send(message: object): void;
  /** Kills it at once. */
  kill(): void;
  /** Never rejects. `detail` is the exit code or signal, and the last lines it wrote to standard error. */
  ended: Promise<{ stuck: boolean; detail: string }>;
}

/**
 * Starts a process that says something at least every {@link HEARTBEAT_MS} and ends itself where it hears `stop`, in
 * the tester's namespace of a network if there is one.
 */
export function watchedProcess(
  command: string[],
  network: LaneOrder["network"],
  watch: Omit<Watch, "onMessage"> & { onMessage(value: unknown): void },
): WatchedProcess {
  const [file = "", ...args] = network ? inNamespace(network.tester, command) : command;
  // A session of its own: Ctrl-C is the runner's to handle. The channel tells the process when the runner dies.
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], detached: true });
  const errors = lastLines(child);
  let heard = performance.now();
  child.on("message", (value) => {
    heard = performance.now();
    watch.onMessage(value);
  });
  let stuck = false;
  const guard = setInterval(() => {
    if (performance.now() - heard < (watch.stuckMs ?? STUCK_MS)) return;
    stuck = true;
    child.kill("SIGKILL");
  }, 1_000);
  const release = stopOn(child, watch.signal);
  const ended = new Promise<{ stuck: boolean; detail: string }>((resolve) => {
    const end = (detail: string) => {
      clearInterval(guard);
      release();
      resolve({ stuck, detail: [detail, errors()].filter(Boolean).join(": ") });
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code, signal) => end(signal ?? `exit ${code}`));
  });
  return {
    send: (message) => void child.send(message, () => {}),
    kill: () => void child.kill("SIGKILL"),
    ended,
  };
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
