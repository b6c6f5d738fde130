/** A whole run: plan, lanes, journal, reports. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import type { RuntimeName } from "../../peers/contract.ts";
import {
  finishedTests,
  type JournalRecord,
  openJournal,
  readJournal,
  resultsFromJournal,
} from "../../reports/journal.ts";
import { RESULTS_SCHEMA, type Results, type TestResult } from "../../reports/results.ts";
import type { ReportFormat } from "../../reports/write.ts";
import { checkKeys, KeyFileError } from "../pki/pki.ts";
import { oddOnes, secondTries, stillOdd, TRIED_AGAIN, TRIES } from "./again.ts";
import { type Baselines, loadBaselines } from "./baseline.ts";
import { catalogue, documents } from "./catalogue.ts";
import { compareGolden, type Golden, type GoldenOptions, goldenResult, onlyGolden } from "./golden.ts";
import { checkLab, type Lab, openLab } from "./lab.ts";
import { type LaneRunner, type ResultSink, runLane } from "./lanes.ts";
import { JOURNAL, prepareOut } from "./out-folder.ts";
import { testsOf } from "./own-suites.ts";
import { type LanePlan, makePlan, type Plan, pieces, type Selection, withoutFinished } from "./plan.ts";
import { comparedResults, type RunOutcome, writable, writeOutcome } from "./report.ts";
import type { SuiteTest } from "./suites.ts";
import { tool } from "./tool.ts";
import { UsageError } from "./usage-error.ts";
import { withoutWithheld } from "./withheld.ts";

export interface RunOptions extends Selection {
  /** Lanes at a time. */
  jobs: number;
  /** Not set: `1`, or when resuming that of the run before. */
  seed?: string;
  out: string;
  formats: readonly ReportFormat[];
  resume: boolean;
  /** A baseline file in place of the peer's own, or `none`. */
  baseline?: string;
  /** Suite files from elsewhere: only their tests run. */
  suites?: readonly string[];
  /** Runs only the tests that golden captures are of. */
  golden?: GoldenOptions;
  /** Hard end of one test and of the whole run, in milliseconds. */
  testLimitMs: number;
  runLimitMs: number;
  /** Where lanes run. Not set: each in a process of its own. */
  laneRunner?: LaneRunner;
}

/** Told what goes on. */
export interface Observer {
  planned(plan: Plan, seed: string): void;
  testStarted(test: SuiteTest, peer: string): void;
  testFinished(result: TestResult): void;
  /** A peer wants the user to do something. */
  told(text: string): void;
  /** These verdicts are not as the baseline says; each test runs again, alone, up to `TRIES` times. */
  tryingAgain(plan: Plan): void;
  triedAgain(result: TestResult): void;
  /** The tests are over, and their reports are being written. */
  writing(results: Results): void;
}

/**
 * Runs the selected tests and writes the reports, also of a run that `signal` ends early; its reason is kept.
 * @throws UsageError before anything starts, LabError when the machine lacks what a peer needs
 */
export async function run(
  options: RunOptions,
  observer: Observer,
  signal: AbortSignal,
): Promise<RunOutcome & { golden: Golden[] }> {
  const { all: tests, chosen } = await testsOf(options.suites ?? []);
  const wide = makePlan(chosen, options);
  const selected = options.golden ? onlyGolden(wide, options.golden) : wide;
  // A slip in a requirements file, or a key that is spoilt, is told before anything starts.
  for (const document of documents()) catalogue(document);
  usableKeys();
  const baselines = loadBaselines(selected.lanes.map(baselinePeer), options.baseline);
  await checkLab(selected.lanes.map(({ peer }) => peer));
  const release = prepareOut(options.out, options.resume);
  try {
    return await runPlan({ selected, tests, baselines }, options, observer, signal);
  } finally {
    release();
  }
}

/** @throws UsageError naming the file that cannot be used */
function usableKeys(): void {
  try {
    checkKeys();
  } catch (error) {
    throw error instanceof KeyFileError ? new UsageError(error.message) : error;
  }
}

const baselinePeer = ({ peer }: LanePlan) => ({ name: peer.definition.name, version: peer.version.version });

/** What is known before anything starts. */
interface Known {
  selected: Plan;
  tests: readonly SuiteTest[];
  baselines: Baselines;
}

async function runPlan(
  { selected, tests, baselines }: Known,
  options: RunOptions,
  observer: Observer,
  signal: AbortSignal,
): Promise<RunOutcome & { golden: Golden[] }> {
  const before = options.resume ? earlier(options) : undefined;
  const seed = before?.seed ?? options.seed ?? "1";
  const unfinished = before ? withoutFinished(selected, before.finished, options.lie) : selected;
  const { plan, withheld } = withoutWithheld(unfinished, baselines);
  const journal = openRunJournal(options.out);
  const choice = { ...choiceOf(options), ...(withheld.length > 0 ? { withheld } : {}) };
  const start = { time: time(), tool: tool(), seed, schema: RESULTS_SCHEMA } as const;
  journal.append({ kind: "run-started", ...start, ...shardText(options), ...choice });
  observer.planned(plan, seed);
  const stop = AbortSignal.any([signal, hardEnd(options.runLimitMs), journal.broken]);
  await runLanes(plan, { ...options, seed }, sinkOf(journal, observer), stop);
  const results = () => comparedResults(options.out, tests, baselines);
  let odd = oddOnes(selected, results().tests);
  for (let tries = 0; tries < TRIES && odd.planned > 0 && !stop.aborted; tries++) {
    observer.tryingAgain(odd);
    const again = secondTries(observer.told, (test) => {
      journal.append({ kind: "test-tried-again", time: time(), test });
      observer.triedAgain(test);
    });
    await runLanes(odd, { ...options, seed, jobs: 1, out: join(options.out, TRIED_AGAIN) }, again, stop);
    odd = stillOdd(odd, results().tests);
  }
  const golden = options.golden && !stop.aborted ? compareGolden(options.out, results(), options.golden) : [];
  for (const one of golden)
    journal.append({ kind: "golden-compared", time: time(), golden: goldenResult(one) });
  const interrupted = stop.aborted ? { interrupted: String(stop.reason) } : {};
  journal.append({ kind: "run-finished", time: time(), ...interrupted });
  journal.close();
  const final = results();
  observer.writing(final);
  return { ...writeOutcome(final, options.out, options.formats, tests), golden };
}

const time = (): string => new Date().toISOString();

const sinkOf = (journal: ReturnType<typeof openRunJournal>, observer: Observer): ResultSink => ({
  peerStarted: (peer) => journal.append({ kind: "peer-started", time: time(), peer }),
  testStarted: observer.testStarted,
  told: observer.told,
  testFinished: (test) => {
    journal.append({ kind: "test-finished", time: time(), test });
    observer.testFinished(test);
  },
});

/** In the journal a file stands with its whole path: a report may be made from elsewhere. */
const choiceOf = ({ baseline }: RunOptions): { baseline?: string } =>
  baseline === undefined ? {} : { baseline: baseline === "none" ? baseline : resolve(baseline) };

const shardText = ({ shard }: RunOptions): { shard?: string } =>
  shard === undefined ? {} : { shard: `${shard.index}/${shard.of}` };

interface RunJournal {
  /** Aborted by the first record that cannot be written: the run ends in good order, as nothing of it would be kept. */
  broken: AbortSignal;
  append(record: JournalRecord): void;
  /** @throws LabError when a record is missing */
  close(): void;
}

/** @throws LabError */
function openRunJournal(out: string): RunJournal {
  const journal = writable(out, () => openJournal(join(out, JOURNAL)));
  const broken = new AbortController();
  return {
    broken: broken.signal,
    append(record) {
      try {
        writable(out, () => journal.append(record));
      } catch (error) {
        broken.abort(error);
      }
    },
    close() {
      journal.close();
      broken.signal.throwIfAborted();
    },
  };
}

/** What the run before has done. Its seed stays. */
function earlier({ out, seed }: RunOptions): { seed: string; finished: Set<string> } {
  const content = readJournal(join(out, JOURNAL));
  const results = "error" in content ? content : resultsFromJournal(content.records);
  if ("error" in content || "error" in results)
    throw new UsageError(`--resume: ${out}: the journal holds no run`);
  if (seed !== undefined && seed !== results.seed)
    throw new UsageError(`--seed ${seed}: the run to resume has the seed ${results.seed}`);
  return { seed: results.seed, finished: finishedTests(content.records) };
}

function hardEnd(ms: number): AbortSignal {
  const controller = new AbortController();
  const reason = `the run reached its hard end of ${ms / 60_000} minutes`;
  setTimeout(() => controller.abort(reason), ms).unref();
  return controller.signal;
}

/** Where tests take longest: a lane that begins there ends last, and no other should wait for it alone. */
const SLOWEST_FIRST: readonly RuntimeName[] = ["address", "uml", "docker", "netns", "process", "memory"];

/** Takes the lanes one after another, `jobs` at a time; with several jobs a peer may run in several lanes at once. */
async function runLanes(
  plan: Plan,
  options: RunOptions & { seed: string },
  sink: ResultSink,
  signal: AbortSignal,
): Promise<void> {
  const lab: Lab = await openLab(randomBytes(4).toString("hex"));
  const rank = ({ peer }: LanePlan) => SLOWEST_FIRST.indexOf(peer.runtime);
  const { seed, out, lie, variant, testLimitMs } = options;
  const jobs = Math.max(1, options.jobs);
  const waiting = pieces(plan.lanes, jobs)
    .map((lane, index) => ({ lane, index }))
    .sort((a, b) => rank(a.lane) - rank(b.lane));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const { lane, index } = next;
      await lab.withNetwork(lane.peer, index, (network) => {
        const settings = {
          seed,
          out,
          lie,
          variant,
          testLimitMs,
          runId: lab.runId,
          lane: index,
          network,
        };
        return runLane(lane, settings, { ...sink, processEnded: lab.clean }, signal, options.laneRunner);
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, worker));
  } finally {
    await lab.close();
  }
}
