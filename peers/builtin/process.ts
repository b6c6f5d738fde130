/** Starts the builtin peer in a process of its own and drives it there. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Address } from "../../harness/link/types.ts";
import type { Driver, PeerConfig, PeerResources, PeerStatus, PingOptions } from "../contract.ts";
import { LabError } from "../runtime/errors.ts";
import { resourcesOf } from "../runtime/resources.ts";
import { INSIDE } from "./process-nat.ts";
import { type Answer, answerSchema, type StartOptions, type Verb } from "./process-protocol.ts";

const START_MS = 20_000;
const VERB_MS = 3_000;

/** Its memory is to grow by what it leaks, and not by what nobody has collected yet. */
const COLLECTS_EARLY = "--max-semi-space-size=1";

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Two loopback addresses, with and without the non-ESP marker. */
export type Ends = readonly [Address, Address];

export class BuiltinProcess implements Driver {
  readonly #options: Omit<StartOptions, "bind">;
  readonly #host: string;
  readonly #waiting = new Map<number, (answer: Answer | Error) => void>();
  #child: Child | undefined;
  #ends: Ends | undefined;
  #exit: string | undefined = "not started";
  #config: PeerConfig | undefined;
  #nextId = 0;

  /** `host` is the loopback address its sockets are bound to; `ends`: at these ports, where not any will do. */
  constructor(options: Omit<StartOptions, "bind">, host: string, ends?: Ends) {
    this.#options = options;
    this.#host = host;
    this.#ends = ends;
  }

  /** Where it can be reached; the same after a restart. */
  get ends(): Ends {
    if (!this.#ends) throw new Error("start comes first");
    return this.#ends;
  }

  /** @throws LabError `start-failed` */
  async start(): Promise<void> {
    await this.stop();
    const anyPort = { host: this.#host, port: 0 };
    const [plain, marked] = this.#ends ?? [anyPort, anyPort];
    const options: StartOptions = { ...this.#options, bind: [plain, marked] };
    const main = join(import.meta.dirname, `main${extname(import.meta.filename)}`);
    const argv = [COLLECTS_EARLY, ...process.execArgv, main, JSON.stringify(options)];
    const child: Child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#exit = undefined;
    const [port, markedPort] = await this.#listen(child);
    this.#ends = [
      { host: this.#host, port },
      { host: this.#host, port: markedPort },
    ];
  }

  /** Reads the child's lines from now on; resolves with the first. */
  #listen(child: Child): Promise<readonly [number, number]> {
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-2048);
    });
    child.stdin.on("error", () => {});
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new LabError("start-failed", `the builtin peer: ${why}`));
      const timer = setTimeout(() => fail(`not up in ${START_MS} ms`), START_MS);
      createInterface({ input: child.stdout }).on("line", (line) => {
        const answer = answerSchema.parse(JSON.parse(line));
        if ("id" in answer) return this.#waiting.get(answer.id)?.(answer);
        clearTimeout(timer);
        resolve(answer.ready);
      });
      const ended = (how: string) => {
        clearTimeout(timer);
        fail(`${how}: ${errors.trim()}`);
        this.#ended(child, [how, errors.trim()].filter(Boolean).join(": "));
      };
      child.on("error", (error) => ended(error.message));
      child.on("close", (code, signal) => ended(signal ?? `exit ${code}`));
    });
  }

  #ended(child: Child, how: string): void {
    if (this.#child !== child) return;
    this.#exit = how;
    for (const settle of this.#waiting.values()) settle(new Error(`the builtin peer has ended: ${how}`));
    this.#waiting.clear();
  }

  /** Starts it anew at the same addresses, with the configuration it had. */
  async restart(): Promise<void> {
    await this.start();
    if (this.#config) await this.configure(this.#config);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || this.#exit !== undefined) return;
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    child.kill("SIGKILL");
    await gone;
    this.#exit = "stopped";
  }

  /** The process's own id, for tests of what happens when it is killed. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #request(verb: Verb): Promise<Answer> {
    const child = this.#child;
    if (!child || this.#exit !== undefined)
      return Promise.reject(new Error(`the builtin peer has ended: ${this.#exit}`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer | Error) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (answer instanceof Error) reject(answer);
        else if ("error" in answer) reject(new Error(answer.error));
        else resolve(answer);
      };
      const timer = setTimeout(() => settle(new Error(`${verb.verb}: no answer in ${VERB_MS} ms`)), VERB_MS);
      this.#waiting.set(id, settle);
      child.stdin.write(`${JSON.stringify({ id, verb })}\n`);
    });
  }

  /** The peer sees itself behind its NAT. */
  async configure(config: PeerConfig): Promise<void> {
    const local: Address =
      config.transport === "tcp"
        ? { host: INSIDE, port: 4500, transport: "tcp" }
        : { host: INSIDE, port: 500 };
    await this.#request({ verb: "configure", config: { ...config, local } });
    this.#config = config;
  }

  async initiate(): Promise<void> {
    await this.#request({ verb: "initiate" });
  }

  async rekeyIke(): Promise<void> {
    await this.#request({ verb: "rekeyIke" });
  }

  async rekeyChild(): Promise<void> {
    await this.#request({ verb: "rekeyChild" });
  }

  async delete(what: "ike" | "child"): Promise<void> {
    await this.#request({ verb: "delete", what });
  }

  async sendTraffic(options: { from: string; to: string; count: number; size?: number }): Promise<void> {
    await this.#request({ verb: "sendTraffic", options });
  }

  async ping(options: PingOptions): Promise<void> {
    await this.#request({ verb: "ping", options });
  }

  async status(): Promise<PeerStatus> {
    const dead = () => ({ alive: false, ikeSas: [], childSas: [], exit: this.#exit ?? "no cause known" });
    if (this.#exit !== undefined) return dead();
    try {
      const answer = await this.#request({ verb: "status" });
      if ("status" in answer) return answer.status;
      throw new Error("status was answered with something else");
    } catch (error) {
      if (this.#exit !== undefined) return dead();
      throw error;
    }
  }

  ended(): boolean {
    return this.#exit !== undefined;
  }

  async resources(): Promise<PeerResources> {
    const pid = this.#exit === undefined ? this.pid : undefined;
    const found = pid === undefined ? undefined : resourcesOf(pid);
    if (!found) throw new Error(`the builtin peer has ended: ${this.#exit ?? "its process is gone"}`);
    return found;
  }

  async reset(): Promise<void> {
    await this.#request({ verb: "reset" });
  }

  async markLog(): Promise<void> {
    await this.#request({ verb: "markLog" });
  }

  async logs(): Promise<string> {
    const answer = await this.#request({ verb: "logs" });
    return "logs" in answer ? answer.logs : "";
  }
}
