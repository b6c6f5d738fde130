/**
 * How many of the planted faults the fuzzer finds: `npm run planted -- --seed 1 [--minutes 20] [--fault NAME]
 * [--runtime process|memory]`. Each fault gets its share of the time with an empty corpus, two at a time; the fuzzer is
 * not told which it is. Exit status 1 if fewer than 24 of 30 are found.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
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
/** What a hunt takes beside its time: its start, a look at the honest peer, the smallest conversation. */
const GRACE_MS = 150_000;

interface Wishes {
  seed: string;
  minutes: number;
  chosen: readonly Fault[];
  runtime: HuntOrder["runtime"];
}

const USAGE = `usage: npm run planted -- [--seed 1] [--minutes 20] [--fault NAME] [--runtime process|memory]
  --seed      of the fuzzer (1)
  --minutes   for all faults together, two at a time (20)
  --fault     this one alone, with all the time
  --runtime   memory is quicker, and shows no leak; a loop is no more than silence there (process)
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
  const options = { seed: text("1"), minutes: text("20"), runtime: text("process") };
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
async function hunt(order: HuntOrder): Promise<HuntResult> {
  const main = join(import.meta.dirname, "planted-faults", "hunt.ts");
  const argv = [...process.execArgv, main, JSON.stringify(order)];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let last: HuntResult = { fault: order.fault, cases: 0, seconds: 0, others: [] };
  let errors = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    const read = huntResultSchema.safeParse(jsonOf(line));
    if (read.success) last = read.data;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-500);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), order.ms + GRACE_MS);
  const how = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit ${code}`)));
  });
  clearTimeout(timer);
  return how === undefined ? last : { ...last, failed: `${how} ${errors.trim()}`.trim() };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function experiment({ seed, minutes, chosen, runtime }: Wishes): Promise<number> {
  const ms = (minutes * 60_000 * AT_A_TIME) / Math.max(chosen.length, AT_A_TIME);
  const results: HuntResult[] = [];
  const left = [...chosen];
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "planted-"));
  process.stdout.write(`${HEADING}\n`);
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const tests = join(folder, next.name);
      const result = await hunt({ fault: next.name, seed, runtime, ms, tests });
      results.push(result);
      process.stdout.write(`${resultText(result)}\n`);
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
