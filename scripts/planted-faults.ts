/**
 * How many of the planted faults the fuzzer finds: `npm run planted -- --seed 1 [--minutes 20] [--fault NAME]
 * [--runtime process|memory]`. Each fault has a fuzzer of its own, with an empty corpus and not told which fault it is;
 * they take turns, two at a time, until the time is over. Time is not real there, nor is what a peer leaks; every
 * exported test is run against a peer in a process of its own, where they are. Exit status 1 if fewer than 24 of 30 are found.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { parseArgs } from "node:util";
import { EXIT, fail } from "../harness/cli/exit.ts";
import { UsageError, unknownName } from "../harness/run/usage-error.ts";
import type { Fault } from "../peers/builtin/faults/fault.ts";
import { faults, findFault } from "../peers/builtin/faults/index.ts";
import { printable } from "../reports/text.ts";
import { compile } from "./planted-faults/exported.ts";
import {
  HEADING,
  type HuntOrder,
  type HuntResult,
  huntResultSchema,
  RUNTIMES,
  resultText,
  summary,
} from "./planted-faults/result.ts";

const AT_A_TIME = 2;
const ENOUGH = 0.8;
const TURN_MS = 40_000;
/** What a turn takes beside its time: the start, a look at the honest peer, the smallest conversation. */
const GRACE_MS = 150_000;

interface Wishes {
  seed: string;
  minutes: number;
  chosen: readonly Fault[];
  runtime: HuntOrder["runtime"];
}

const USAGE = `usage: npm run planted -- [--seed 1] [--minutes 20] [--fault NAME] [--runtime process|memory]
  --seed      of the fuzzer (1)
  --minutes   for all faults together, which take turns (20)
  --fault     this one alone, with all the time
  --runtime   memory is quicker, and a loop is no more than silence there; exported tests are run in a process (memory)
Examples:
  npm run planted -- --seed 2
  npm run planted -- --fault dies-of-overrun-deletes --minutes 2
`;

/** Undefined where only help was asked for. */
function wishesOf(argv: string[]): Wishes | undefined {
  const { values } = parsed(argv);
  if (values.help) return undefined;
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 24 * 60))
    throw new UsageError(`--minutes ${values.minutes}: a number above 0`);
  const runtime = RUNTIMES.find((name) => name === values.runtime);
  if (!runtime) throw unknownName("runtime", values.runtime, [...RUNTIMES]);
  if (values.fault === undefined) return { seed: values.seed, minutes, runtime, chosen: faults };
  const fault = findFault(values.fault);
  if (!fault)
    throw unknownName(
      "fault",
      values.fault,
      faults.map(({ name }) => name),
    );
  return { seed: values.seed, minutes, runtime, chosen: [fault] };
}

function parsed(argv: string[]) {
  const text = (ordinary: string) => ({ type: "string", default: ordinary }) as const;
  const options = { seed: text("1"), minutes: text("20"), runtime: text("memory") };
  try {
    return parseArgs({
      args: argv,
      options: { ...options, fault: { type: "string" }, help: { type: "boolean" } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Hunts in a process of its own, so that nothing that happens there ends the experiment. */
class Hunting {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #last: HuntResult;
  #errors = "";
  /** How it ended, once it has. */
  readonly #ended: Promise<string>;
  #turnOver = () => {};

  constructor(order: HuntOrder) {
    this.#last = { fault: order.fault, cases: 0, seconds: 0, others: [] };
    const main = join(import.meta.dirname, "planted-faults", "hunt.ts");
    const argv = [...process.execArgv, main, JSON.stringify(order)];
    const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => this.#hear(line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-500);
    });
    child.stdin.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, signal) => resolve(signal ?? `exit ${code}`));
    });
  }

  #hear(line: string): void {
    const read = huntResultSchema.safeParse(jsonOf(line));
    if (!read.success) return;
    this.#last = read.data;
    if (read.data.turn) this.#turnOver();
  }

  /** Hunts on for so long; the result has `failed` if it has ended. */
  async turn(ms: number): Promise<HuntResult> {
    const { turn: _, ...before } = this.#last;
    this.#last = before;
    const over = new Promise<void>((resolve) => {
      this.#turnOver = resolve;
    });
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), ms + GRACE_MS);
    this.#child.stdin.write(`${ms}\n`);
    const how = await Promise.race([over, this.#ended]);
    clearTimeout(timer);
    return how === undefined ? this.#last : { ...this.#last, failed: `${how} ${this.#errors.trim()}`.trim() };
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

interface Hunted {
  name: string;
  hunting?: Hunting;
}

async function experiment({ seed, minutes, chosen, runtime }: Wishes): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "planted-"));
  const began = performance.now();
  const ends = began + minutes * 60_000;
  const hunts = chosen.map(({ name }): Hunted => ({ name }));
  const results: HuntResult[] = [];
  process.stdout.write(`${HEADING}\n`);
  const worker = async (): Promise<void> => {
    for (let next = hunts.shift(); next; next = hunts.shift()) {
      const tests = join(folder, next.name);
      next.hunting ??= new Hunting({ fault: next.name, seed, runtime, tests });
      const result = await next.hunting.turn(Math.min(TURN_MS, Math.max(1, ends - performance.now())));
      const isOver = result.find !== undefined || result.failed !== undefined || performance.now() > ends;
      if (!isOver) hunts.push(next);
      else {
        await next.hunting.end();
        results.push(result);
        process.stdout.write(`${resultText(result)}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const took = ((performance.now() - began) / 60_000).toFixed(1);
  process.stdout.write(`seed ${seed}, ${took} minutes: ${summary(results, chosen)}\n`);
  const problems = await compile(folder);
  process.stdout.write(problems === "" ? "all exported tests compile\n" : printable(problems));
  rmSync(folder, { recursive: true, force: true });
  const found = results.filter(({ find }) => find).length;
  return found >= ENOUGH * chosen.length ? EXIT.ok : EXIT.verdict;
}

try {
  const wishes = wishesOf(process.argv.slice(2));
  if (wishes) process.exitCode = await experiment(wishes);
  else process.stdout.write(USAGE);
} catch (error) {
  process.exitCode = fail(error);
}
