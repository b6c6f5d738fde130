/** The folder of a run's report. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { startTime } from "../../peers/runtime/process.ts";
import { TRIED_AGAIN } from "./again.ts";
import { UsageError } from "./usage-error.ts";

export const JOURNAL = "journal.jsonl";

/** Says which process writes into the folder. */
const OWNER = ".running";

/** All a run writes into its folder; nothing else in there is touched. */
const OURS = [
  ...[JOURNAL, "evidence", TRIED_AGAIN, "site"],
  ...["results.json", "junit.xml", "report.tap", "report.sarif", "report.md"],
];

/**
 * Makes the folder and tries to write into it; what a run before has left there goes (`ours`), unless it is resumed.
 * @returns lets the folder go, once the run is over
 * @throws UsageError when that cannot be done, or another run is at work in there
 */
export function prepareOut(out: string, resume: boolean, ours: readonly string[] = OURS): () => void {
  if (out === "") throw new UsageError("--out: the name of the folder is empty");
  try {
    makeFolder(resolve(out));
    probe(join(out, `.bakeoff-${process.pid}`));
    own(out);
    if (!resume) for (const name of ours) rmSync(join(out, name), { recursive: true, force: true });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--out ${out}: cannot be written: ${why}`);
  }
  const release = () => rmSync(join(out, OWNER), { force: true });
  if (!resume || existsSync(join(out, JOURNAL))) return release;
  release();
  throw new UsageError(`--resume: there is no ${JOURNAL} in ${out}`);
}

/** One that was killed owns nothing any more. @throws UsageError */
function own(out: string): void {
  const file = join(out, OWNER);
  const [pid = "", started] = existsSync(file) ? readFileSync(file, "utf8").split(" ") : [];
  if (started !== undefined && Number(pid) !== process.pid && startTime(Number(pid)) === started)
    throw new UsageError(`--out ${out}: another run (process ${pid}) writes into it`);
  writeFileSync(file, `${process.pid} ${startTime(process.pid) ?? ""}`);
}

/** About what one test leaves: a full disk takes names, but no octets. */
const PROBE_OCTETS = 65_536;

function probe(path: string): void {
  try {
    writeFileSync(path, new Uint8Array(PROBE_OCTETS));
  } finally {
    rmSync(path, { force: true });
  }
}

/** Step by step: mkdir's own recursion never ends where the file system denies that a folder can be there. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another shard may have been faster.
    if (!existsSync(path)) throw error;
  }
}
