/** The folder of a run's report. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

export const JOURNAL = "journal.jsonl";

/** All a run writes into its folder; nothing else in there is touched. */
const OURS = [JOURNAL, "evidence", "results.json", "junit.xml", "report.md", "report.html"];

/**
 * Makes the folder and tries to write into it; what a run before has left there goes, unless it is resumed.
 * @throws UsageError when that cannot be done
 */
export function prepareOut(out: string, resume: boolean): void {
  try {
    makeFolder(resolve(out));
    const probe = join(out, `.bakeoff-${process.pid}`);
    writeFileSync(probe, "");
    rmSync(probe);
    if (!resume) for (const name of OURS) rmSync(join(out, name), { recursive: true, force: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--out ${out}: cannot be written: ${why}`);
  }
  if (resume && !existsSync(join(out, JOURNAL)))
    throw new UsageError(`--resume: there is no ${JOURNAL} in ${out}`);
}

/** Step by step: mkdir's own recursion never ends where the file system denies that a folder can be there. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}
