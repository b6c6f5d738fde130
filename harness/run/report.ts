/** From the journal of a folder to its reports. */
import { join } from "node:path";
import { LabError } from "../../peers/runtime/errors.ts";
import type { Results } from "../../reports/results.ts";
import { NotASite } from "../../reports/site/write-site.ts";
import { type ReportFormat, writeReports } from "../../reports/write.ts";
import { type Baselines, loadBaselines } from "./baseline.ts";
import { compare } from "./baseline-compare.ts";
import { readRun } from "./load.ts";
import { JOURNAL } from "./out-folder.ts";
import { extrasOf } from "./site.ts";
import type { SuiteTest } from "./suites.ts";
import { UsageError } from "./usage-error.ts";

export interface RunOutcome {
  results: Results;
  /** Paths of the reports written. */
  files: string[];
}

/**
 * The reports of a folder, from its journal. Its verdicts are compared with the baselines as they are now; `baseline`
 * is a file in place of the peer's own, or `none`; not given: as in the run. `writing` is called once all is read.
 * @throws UsageError when there is nothing that holds a run
 */
export function report(
  path: string,
  formats: readonly ReportFormat[],
  tests: readonly SuiteTest[],
  baseline?: string,
  writing: () => void = () => {},
): RunOutcome {
  const { folder, results } = judgedRun(path, tests, baseline);
  writing();
  return writeOutcome(results, folder, formats, tests);
}

/** What a run has left, judged. */
export interface JudgedRun {
  folder: string;
  results: Results;
}

/**
 * Reads a run and compares it with the baselines as they are now. Where its results are all that is left of it, they
 * stay as they were judged unless `baseline` says otherwise.
 * @throws UsageError when there is nothing that holds a run
 */
export function judgedRun(path: string, tests: readonly SuiteTest[], baseline?: string): JudgedRun {
  const { folder, results, choice, fromResults } = readRun(path);
  if (fromResults && baseline === undefined) return { folder, results };
  const bare = { ...results, tests: results.tests.map(({ baseline: _, ...test }) => test) };
  return { folder, results: judged(bare, tests, loadBaselines(results.peers, baseline ?? choice)) };
}

/** What the journal of a folder holds, each verdict beside its baseline. @throws UsageError */
export const comparedResults = (out: string, tests: readonly SuiteTest[], baselines: Baselines): Results =>
  judged(readRun(join(out, JOURNAL)).results, tests, baselines);

const judged = (results: Results, tests: readonly SuiteTest[], baselines: Baselines): Results =>
  compare(
    results,
    baselines,
    tests.map(({ id }) => id),
  );

/** Writes the reports. @throws LabError when they cannot be written */
export function writeOutcome(
  results: Results,
  out: string,
  formats: readonly ReportFormat[],
  tests: readonly SuiteTest[],
): RunOutcome {
  return {
    results,
    files: writable(out, () => writeReports(out, results, formats, extrasOf(tests, results))),
  };
}

/** @throws LabError where `write` throws what the file system throws; UsageError for a site in a folder of other things */
export function writable<T>(out: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof NotASite) throw new UsageError(error.message);
    const why = error instanceof Error ? error.message : String(error);
    throw new LabError("unwritable", `${out}: cannot be written: ${why}`);
  }
}
