/** Puts the folders of the parts of a run together: journal, evidence, reports. */
import {
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { type Merged, mergeJournals, type Part, pathsOf } from "../../reports/merge.ts";
import { type TestResult, testKey } from "../../reports/results.ts";
import type { ReportFormat } from "../../reports/write.ts";
import { TRIED_AGAIN } from "./again.ts";
import { type RunFiles, readRun } from "./load.ts";
import { JOURNAL, prepareOut } from "./out-folder.ts";
import { type RunOutcome, report, writable } from "./report.ts";
import type { SuiteTest } from "./suites.ts";
import { UsageError } from "./usage-error.ts";

/** Conflicts that are told one by one. */
const TOLD = 4;

export interface MergeOutcome extends RunOutcome {
  /** What a user should know of what was merged, in sentences. */
  said: string[];
  /** No shard of those that the run was split into is missing. */
  isWhole: boolean;
}

/**
 * Merges the runs of `paths` into `out`, which holds what a single run would have left there: a run can be resumed in
 * it, and it can be reported, compared and merged again. Evidence is linked where the file system can, or copied.
 * @throws UsageError when the parts do not belong together, naming what differs
 */
export function mergeRuns(
  paths: readonly string[],
  out: string,
  formats: readonly ReportFormat[],
  tests: readonly SuiteTest[],
  baseline?: string,
): MergeOutcome {
  const runs = new Map(paths.map((path) => [path, readRun(path)]));
  checkFolders(runs, out);
  const merged = mergeJournals(partsOf(runs), inOrderOf(tests));
  if ("conflicts" in merged)
    throw new UsageError(`these runs cannot be merged: ${inOneLine(merged.conflicts)}`);
  const release = prepareOut(out, false);
  try {
    const lost = writable(out, () => write(merged, runs, out));
    const missing = lost === 0 ? [] : [`${lost} files of evidence that the runs name are not there`];
    const isWhole = merged.missing.length === 0;
    return { ...report(out, formats, tests, baseline), said: [...merged.said, ...missing], isWhole };
  } finally {
    release();
  }
}

const partsOf = (runs: ReadonlyMap<string, RunFiles>): Part[] =>
  [...runs].map(([name, { records }]) => ({ name, records }));

/** What `out` holds goes when it is written anew, so it cannot be one of the runs. @throws UsageError */
function checkFolders(runs: ReadonlyMap<string, RunFiles>, out: string): void {
  const seen = new Map<string, string>();
  for (const [path, { folder }] of runs) {
    const real = realpathSync(folder);
    const other = seen.get(real);
    if (other !== undefined) throw new UsageError(`${path}: is the same folder as ${other}`);
    seen.set(real, path);
    if (real === realOf(out)) throw new UsageError(`--out ${out}: is one of the folders to merge`);
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function inOneLine(conflicts: readonly string[]): string {
  const rest = conflicts.length - TOLD;
  return [...conflicts.slice(0, TOLD), ...(rest > 0 ? [`and ${rest} more`] : [])]
    .join("; ")
    .replace(/\s+/g, " ");
}

/** The order of the suites; a test that they have no longer is last. */
function inOrderOf(tests: readonly SuiteTest[]): (a: TestResult, b: TestResult) => number {
  const places = new Map(tests.map(({ id }, place) => [id, place]));
  const placeOf = ({ id }: TestResult) => places.get(id) ?? tests.length;
  return (a, b) => placeOf(a) - placeOf(b);
}

/** Writes journal and evidence. @returns how many files of evidence are missing */
function write({ records, sources }: Merged, runs: ReadonlyMap<string, RunFiles>, out: string): number {
  let lost = 0;
  for (const record of records) {
    if (record.kind !== "test-finished" && record.kind !== "test-tried-again") continue;
    const source = runs.get(sources.get(testKey(record.test)) ?? "");
    for (const path of pathsOf(record.test.evidence)) {
      if (!source || !isEvidence(source.folder, path) || !bring(join(source.folder, path), join(out, path)))
        lost++;
    }
  }
  writeFileSync(join(out, JOURNAL), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  return lost;
}

/**
 * Whether a path leads to what runs keep of tests, as it is written and with its links followed: a name may be anyone's,
 * and what is linked shares its content with the journal that is written here.
 */
function isEvidence(folder: string, path: string): boolean {
  const kept = ["evidence", TRIED_AGAIN].find((name) =>
    join(folder, path).startsWith(join(folder, name) + sep),
  );
  if (kept === undefined) return false;
  const real = realOf(dirname(join(folder, path)));
  const root = realOf(folder);
  return `${real}${sep}`.startsWith(join(root, kept) + sep);
}

/** Links or copies a file, or all in a folder; links that lead elsewhere are not followed. */
function bring(from: string, to: string): boolean {
  const stat = lstatSync(from, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    mkdirSync(to, { recursive: true });
    return readdirSync(from).every((name) => bring(join(from, name), join(to, name)));
  }
  if (!stat?.isFile()) return false;
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
  return true;
}
