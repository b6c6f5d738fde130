/** Child processes that cannot outlive their time or their parent. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import { LabError } from "./errors.ts";

/** What a command left. `exit` is the exit code, or the number of the signal that ended it, negated. */
export interface CommandResult {
  exit: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  stdin?: string;
  /** After this the command is killed and the call rejects; 10 s when not set. */
  timeoutMs?: number;
  env?: Record<string, string>;
  /** Each line of standard error as it comes. */
  onErrorLine?: (line: string) => void;
  /**
   * A user's own command, which may do anything. All that it starts ends with its time; what it leaves running on purpose may
   * hold its output open; it may write 1 MiB; and errors do not repeat it, as there may be secrets in it.
   */
  foreign?: boolean;
}

/** Characters that a foreign command may write, and how long what it wrote may take to arrive once it has ended. */
const MOST_OUTPUT = 1 << 20;
const DRAIN_MS = 200;

/** Puts the parent-death signal before a command: a runner that is killed takes its children along. */
function bound(argv: string[]): string[] {
  return ["setpriv", "--pdeathsig", "KILL", "--", ...argv];
}

function collect(child: ChildProcess, onErrorLine?: (line: string) => void) {
  const parts = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    parts.stdout += text;
  });
  let rest = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    parts.stderr += text;
    if (!onErrorLine) return;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onErrorLine(line);
  });
  return parts;
}

function exitNumber(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? -(constants.signals[signal ?? "SIGKILL"] ?? 9);
}

/** Its end is its own, not that of all who hold its output; `flooded` is called when that is more than it may be. */
function boundForeign(
  child: ChildProcess,
  end: (code: number | null, signal: NodeJS.Signals | null) => void,
  flooded: () => void,
): void {
  let length = 0;
  const count = (text: string) => {
    length += text.length;
    if (length > MOST_OUTPUT) flooded();
  };
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) stream?.on("data", count);
  child.on("exit", (code, signal) => {
    setTimeout(() => {
      end(code, signal);
      // What is left running is read on, so that it can write, and forgotten.
      for (const stream of streams) {
        stream?.removeAllListeners("data").resume();
        if (stream instanceof Socket) stream.unref();
      }
    }, DRAIN_MS);
  });
}

/** With all that it started and that is still of its group. */
function killGroup(child: ChildProcess): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/**
 * Runs a command to its end, whatever its exit code.
 * @throws LabError `missing-tool` when it cannot be started, `control` when its time is over
 */
export function run(argv: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { timeoutMs = 10_000, foreign = false } = options;
  const [file, ...rest] = bound(argv);
  const name = foreign ? "the command" : `"${argv.join(" ").slice(0, 160)}"`;
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env };
    const child = spawn(file!, rest, { env, stdio: "pipe", detached: foreign });
    const output = collect(child, options.onErrorLine);
    const kill = (why: string) => {
      clearTimeout(timer);
      if (foreign) killGroup(child);
      else child.kill("SIGKILL");
      reject(new LabError("control", why));
    };
    const timer = setTimeout(() => kill(`no end of ${name} in ${timeoutMs} ms`), timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new LabError("missing-tool", `cannot run ${argv[0]}: ${error.message}`));
    });
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      // setpriv itself speaks when the program is not there: 127, or 126 if a folder of PATH is closed to the user.
      if ((code === 127 || code === 126) && output.stderr.startsWith("setpriv:")) {
        reject(
          new LabError(
            "missing-tool",
            `cannot run ${argv[0]}: it is not installed`,
            "see: npx bakeoff doctor",
          ),
        );
      }
      resolve({ exit: exitNumber(code, signal), ...output });
    };
    child.on("close", end);
    if (foreign) child.on("exit", () => clearTimeout(timer));
    if (foreign) boundForeign(child, end, () => kill(`${name} writes without end`));
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.stdin ?? "");
  });
}

/**
 * Runs a command that has to succeed.
 * @throws LabError with the last lines of its standard error
 */
export async function must(argv: string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.exit !== 0) {
    const said = result.stderr.trim().split("\n").slice(-3).join(" / ");
    throw new LabError("control", `"${argv.join(" ").slice(0, 160)}" ended with ${result.exit}: ${said}`);
  }
  return result.stdout;
}

/** A long-lived child. */
export interface Supervised {
  pid: number;
  /** How it ended: `exit 1`, `SIGSEGV`; undefined while it lives. */
  exit(): string | undefined;
  ended: Promise<string>;
  /** The last 4 KiB of what it wrote. */
  output(): string;
  kill(): void;
}

/** `139`, as a shell reports a child that a signal ended, is `SIGSEGV`. */
function ending(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal) return signal;
  const name = Object.entries(constants.signals).find(([, number]) => number + 128 === code)?.[0];
  return name ?? `exit ${code}`;
}

/** Starts a child that dies with this process. */
export function supervise(argv: string[], env: Record<string, string>): Supervised {
  const [file, ...rest] = bound(argv);
  const child = spawn(file!, rest, {
    env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let tail = "";
  const keep = (text: string) => {
    tail = (tail + text).slice(-4096);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  let how: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(ending(code, signal)));
  });
  void ended.then((text) => {
    how = text;
  });
  return {
    pid: child.pid ?? 0,
    exit: () => how,
    ended,
    output: () => tail,
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Start time of a process in clock ticks since boot: with the pid it names a process for good. Undefined when it is gone. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
