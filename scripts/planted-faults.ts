/**
 * How many of the planted faults the fuzzer finds: `npm run planted -- --seed 1 [--minutes 20] [--fault NAME]
 * [--runtime process|memory]`. Each fault has a fuzzer of its own, with an empty corpus and not told which fault it is;
 * they take turns, in two processes, until the time is over; then what was found is made small, and a test. Time is not real
 * there, nor is what a peer leaks; every exported test is run against a peer in a process of its own, where they are. Exit
 * status 1 if fewer than 24 of 30 are found.
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
  foundText,
  HEADING,
  type HuntOrder,
  type HuntResult,
  huntResultSchema,
  leastText,
  RUNTIMES,
  summary,
  type Turn,
} from "./planted-faults/result.ts";

const AT_A_TIME = 2;
const ENOUGH = 0.8;
const TURN_MS = 40_000;
/** What a turn may take beside its time: the start, a last batch, a look at the honest peer. */
const GRACE_MS = 60_000;
/** For the smallest conversation and its test. */
const REDUCE_MS = 180_000;

interface Wishes {
  seed: string;
  minutes: number;
  chosen: readonly Fault[];
  runtime: HuntOrder["runtime"];
}

const USAGE = `usage: npm run planted -- [--seed 1] [--minutes 20] [--fault NAME] [--runtime process|memory]
  --seed      of the fuzzer (1)
  --minutes   for all faults together, which take turns (20); what is found is made small afterwards
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

/** A process that hunts: what ends it ends the hunts of its share, and not the experiment. */
class Hunter {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #last: HuntResult | undefined;
  #errors = "";
  /** How it ended, once it has. */
  readonly #ended: Promise<string>;
  #turnOver = () => {};

  constructor() {
    const main = join(import.meta.dirname, "planted-faults", "hunt.ts");
    const child = spawn(process.execPath, [...process.execArgv, main], { stdio: ["pipe", "pipe", "pipe"] });
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

  /** One after another; the result has `failed` if the process has ended. */
  async turn({ order, turn }: Turn, before: HuntResult | undefined): Promise<HuntResult> {
    this.#last = before;
    const over = new Promise<void>((resolve) => {
      this.#turnOver = resolve;
    });
    const timer = setTimeout(
      () => this.#child.kill("SIGKILL"),
      turn === "reduce" ? REDUCE_MS : turn + GRACE_MS,
    );
    this.#child.stdin.write(`${JSON.stringify({ order, turn })}\n`);
    const how = await Promise.race([over, this.#ended]);
    clearTimeout(timer);
    const { turn: _, ...result } = this.#last ?? { fault: order.fault, cases: 0, seconds: 0, others: [] };
    return how === undefined ? result : { ...result, failed: `${how} ${this.#errors.trim()}`.trim() };
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

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

interface Hunted {
  order: HuntOrder;
  result?: HuntResult;
}

/** Hunts all until the time is over. */
async function hunt(hunter: Hunter, hunted: readonly Hunted[], ends: number): Promise<void> {
  const queue = [...hunted];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const ms = Math.min(TURN_MS, Math.max(1, ends - performance.now()));
    next.result = await hunter.turn({ order: next.order, turn: ms }, next.result);
    const { find, failed } = next.result;
    if (!find && failed === undefined && performance.now() < ends) queue.push(next);
    else say(foundText(next.result));
  }
}

async function reduce(hunter: Hunter, hunted: readonly Hunted[]): Promise<void> {
  for (const one of hunted) {
    if (!one.result?.find) continue;
    one.result = await hunter.turn({ order: one.order, turn: "reduce" }, one.result);
    if (one.result.find) say(leastText(one.order.fault, one.result.find));
  }
}

async function experiment(wishes: Wishes): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "planted-"));
  const began = performance.now();
  const took = (): string => `${((performance.now() - began) / 60_000).toFixed(1)} minutes`;
  const { seed, runtime, minutes } = wishes;
  const hunted = wishes.chosen.map(
    ({ name: fault }): Hunted => ({ order: { fault, seed, runtime, tests: join(folder, fault) } }),
  );
  const hunters = Math.min(AT_A_TIME, hunted.length);
  const shares = Array.from({ length: hunters }, (_, at) => ({
    hunter: new Hunter(),
    share: hunted.filter((_, i) => i % hunters === at),
  }));
  say(HEADING);
  await Promise.all(shares.map(({ hunter, share }) => hunt(hunter, share, began + minutes * 60_000)));
  say(`\nthe hunt took ${took()}; the smallest conversations:`);
  await Promise.all(shares.map(({ hunter, share }) => reduce(hunter, share)));
  await Promise.all(shares.map(({ hunter }) => hunter.end()));
  const results = hunted.flatMap(({ result }) => result ?? []);
  say(`\nseed ${seed}, ${took()} with all: ${summary(results, wishes.chosen)}`);
  const problems = await compile(folder);
  say(problems === "" ? "all exported tests compile" : printable(problems));
  rmSync(folder, { recursive: true, force: true });
  const found = results.filter(({ find }) => find).length;
  return found >= ENOUGH * wishes.chosen.length ? EXIT.ok : EXIT.verdict;
}

try {
  const wishes = wishesOf(process.argv.slice(2));
  if (wishes) process.exitCode = await experiment(wishes);
  else process.stdout.write(USAGE);
} catch (error) {
  process.exitCode = fail(error);
}
