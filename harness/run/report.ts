/** From the journal of a folder to its reports. */
import { join } from "node:path";
import { LabError } from "../../peers/runtime/errors.ts";
import { readJournal, resultsFromJournal } from "../../reports/journal.ts";
import type { Results } from "../../reports/results.ts";
import { type ReportFormat, writeReports } from "../../reports/write.ts";
import { type Baselines, loadBaselines } from "./baseline.ts";
import { compare } from "./baseline-compare.ts";
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
 * is a file in place of the peer's own, or `none`; not given: as in the run.
 * @throws UsageError when there is no journal that holds a run
 */
export function report(
  out: string,
  formats: readonly ReportFormat[],
  tests: readonly SuiteTest[],
  baseline?: string,
): RunOutcome {
  const { results, choice } = readRun(out);
  const baselines = loadBaselines(results.peers, baseline ?? choice);
  return writeOutcome(comparedResults(out, tests, baselines), out, formats, tests);
}

/** What the journal of a folder holds, each verdict beside its baseline. @throws UsageError */
export const comparedResults = (out: string, tests: readonly SuiteTest[], baselines: Baselines): Results =>
  compare(
    readRun(out).results,
    baselines,
    tests.map(({ id }) => id),
  );

/** `choice`: what the run, or the last that resumed it, was told of baselines. */
function readRun(out: string): { results: Results; choice: string | undefined } {
  const file = join(out, JOURNAL);
  const content = readJournal(file);
  if ("error" in content) throw new UsageError(`${file}: ${content.reason}`);
  const results = resultsFromJournal(content.records);
  if ("error" in results) throw new UsageError(`${file}: ${results.reason}`);
  const starts = content.records.flatMap((record) => (record.kind === "run-started" ? [record] : []));
  return { results, choice: starts.at(-1)?.baseline };
}

/** Writes the reports. @throws LabError when they cannot be written */
export function writeOutcome(
  results: Results,
  out: string,
  formats: readonly ReportFormat[],
  tests: readonly SuiteTest[],
): RunOutcome {
  return { results, files: writable(out, () => writeReports(out, results, formats, extrasOf(tests))) };
}

/** @throws LabError where `write` throws what the file system throws */
export function writable<T>(out: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LabError("unwritable", `${out}: cannot be written: ${why}`);
  }
}
