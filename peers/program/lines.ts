/** A channel of JSON lines over standard input and output of a driver's process, whose standard error is the peer's log. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import {
  type AnyAsk,
  type Channel,
  DriverFault,
  limitMs,
  type Reply,
  readReply,
  shownLine,
} from "../verbs.ts";

/** Octets of the longest line. */
const LONGEST_LINE = 1 << 20;

/** How long a process may take to end once its input has, and what it wrote to arrive once it has ended. */
const END_MS = 2_000;
const DRAIN_MS = 200;

interface Waiting {
  id: number;
  verb: string;
  settle(reply: Reply | DriverFault): void;
}

/** Starts the process; what it starts itself goes with it. `said` gets what it writes to standard error. */
export function openLines(
  argv: readonly string[],
  said: (text: string) => void,
  env: Record<string, string> = {},
): LineChannel {
  const [file = "", ...args] = ["setpriv", "--pdeathsig", "KILL", "--", ...argv];
  // A group of its own, which can be ended as a whole.
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: "pipe", detached: true });
  return new LineChannel(child, said);
}

export class LineChannel implements Channel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<void>;
  #waiting: Waiting | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #nextId = 0;
  #fault: DriverFault | undefined;
  #rest = "";
  /** The last of what it wrote to standard error. */
  #words = "";
  /** This process ends without having closed it: the signal of its death would reach the driver alone. */
  readonly #atExit = () => this.#kill();

  constructor(child: ChildProcessWithoutNullStreams, said: (text: string) => void) {
    this.#child = child;
    process.once("exit", this.#atExit);
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#words = (this.#words + text).slice(-1_024);
      said(text);
    });
    child.stdin.on("error", () => {});
    this.ended = new Promise((resolve) => {
      const ended = (how: string) => {
        this.#break(new DriverFault(`ended: ${[how, lastLine(this.#words)].filter(Boolean).join(": ")}`));
        resolve();
      };
      child.on("error", (error) => ended(error.message));
      // A daemon that it left behind may hold its output open for ever.
      child.on("exit", (code, signal) => setTimeout(ended, DRAIN_MS, signal ?? `exit ${code}`));
      child.on("close", (code, signal) => ended(signal ?? `exit ${code}`));
    });
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get usable(): boolean {
    return this.#fault === undefined;
  }

  ask(ask: AnyAsk): Promise<Reply> {
    const reply = this.#turn.then(() => this.#ask(ask, limitMs(ask.verb)));
    this.#turn = reply.catch(() => undefined);
    return reply;
  }

  #ask(ask: AnyAsk, limit: number): Promise<Reply> {
    if (this.#fault) return Promise.reject(this.#fault);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = () => this.#break(new DriverFault(`did not answer ${ask.verb} in ${limit / 1000} s`));
      const timer = setTimeout(late, limit);
      const settle = (reply: Reply | DriverFault) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        if (reply instanceof DriverFault) reject(reply);
        else resolve(reply);
      };
      this.#waiting = { id, verb: ask.verb, settle };
      this.#child.stdin.write(`${JSON.stringify({ id, ...ask })}\n`);
    });
  }

  #read(text: string): void {
    if (this.#fault) return;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (!this.#fault) this.#take(line);
    if (this.#rest.length <= LONGEST_LINE) return;
    this.#break(new DriverFault(`writes a line without end: ${shownLine(this.#rest)}`));
  }

  #take(line: string): void {
    const waiting = this.#waiting;
    if (!waiting)
      return this.#break(new DriverFault(`says something without being asked: ${shownLine(line)}`));
    try {
      waiting.settle(readReply(line, waiting.verb, waiting.id));
    } catch (error) {
      if (!(error instanceof DriverFault)) throw error;
      this.#break(error);
    }
  }

  /** From here on every request fails with the first fault; the process is good for nothing. */
  #break(fault: DriverFault): void {
    if (this.#fault) return;
    this.#fault = fault;
    this.#waiting?.settle(fault);
    this.#kill();
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#kill(), this.#fault ? 0 : END_MS);
    await this.ended;
    clearTimeout(timer);
    this.#kill();
    process.off("exit", this.#atExit);
  }

  /** The whole group: what the driver started ends with it. */
  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

const lastLine = (log: string): string => log.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
