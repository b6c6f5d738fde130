/** Reads what a run has left: from its journal, or where there is none any more, from its results. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readTextFile } from "../../pcaps/text-file.ts";
import {
  type JournalRecord,
  MOST_OCTETS,
  notesOf,
  readJournal,
  recordsOf,
  resultsFromJournal,
} from "../../reports/journal.ts";
import { otherVersion, parseResults, type Results } from "../../reports/results.ts";
import { campaignResults, isCampaign } from "./campaign-run.ts";
import { JOURNAL } from "./out-folder.ts";
import { UsageError } from "./usage-error.ts";

const RESULTS = "results.json";

export interface RunFiles {
  /** Where the paths of the evidence start from. */
  folder: string;
  records: readonly JournalRecord[];
  /** As the run found them; without a journal, also as they were judged. */
  results: Results;
  /** What the run, or the last that resumed it, was told of baselines; absent: each peer's own. */
  choice?: string;
  /** There was no journal. */
  fromResults: boolean;
}

/**
 * Reads a run; `path` is its folder, its journal or its results.
 * @throws UsageError naming the file that cannot be used, of another version both versions
 */
export function readRun(path: string): RunFiles {
  const isFile = existsSync(path) && statSync(path).isFile();
  const folder = isFile ? dirname(path) : path;
  const results = isFile && basename(path) !== JOURNAL ? path : join(folder, RESULTS);
  const journal = join(folder, JOURNAL);
  if (!(isFile && results === path) && isCampaign(folder)) {
    const found = campaignResults(folder);
    return { folder, records: recordsOf(found), results: found, fromResults: true };
  }
  if (isFile && results === path) return fromResults(folder, results);
  if (!existsSync(journal) && existsSync(results)) return fromResults(folder, results);
  checkVersion(results);
  return fromJournal(folder, journal);
}

function fromJournal(folder: string, file: string): RunFiles {
  const content = readJournal(file);
  if ("error" in content) throw new UsageError(`${file}: ${content.reason}`);
  const results = resultsFromJournal(content.records, notesOf(content));
  if ("error" in results) throw new UsageError(`${file}: ${results.reason}`);
  const starts = content.records.flatMap((record) => (record.kind === "run-started" ? [record] : []));
  const choice = starts.at(-1)?.baseline;
  const { records } = content;
  return { folder, records, results, fromResults: false, ...(choice === undefined ? {} : { choice }) };
}

function fromResults(folder: string, file: string): RunFiles {
  const results = parseResults(readText(file));
  if ("error" in results)
    throw new UsageError(`${file}: ${results.reason.split("\n").slice(0, 2).join(" ")}`);
  const bare = { ...results, tests: results.tests.map(({ baseline, ...test }) => test) };
  return { folder, records: recordsOf(bare), results, fromResults: true };
}

/** An old journal does not say its version, but the results beside it do. @throws UsageError */
function checkVersion(file: string): void {
  if (!existsSync(file)) return;
  try {
    const other = otherVersion(JSON.parse(readText(file)));
    if (other !== undefined) throw new UsageError(`${file}: ${other}`);
  } catch (error) {
    if (error instanceof SyntaxError) return;
    throw error;
  }
}

function readText(file: string): string {
  const text = readTextFile(file, { most: MOST_OCTETS });
  if (typeof text === "string") return text;
  throw new UsageError(`${file}: cannot be read: ${text.reason}`);
}
