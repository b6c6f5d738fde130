/**
 * Prints the closing line of CI over the unit tests and the runs against the real peers. Verdicts that a baseline
 * knows count as skipped, as do unstable ones and tests that it withholds: they prove nothing of the change under test.
 * What failed is named just before that line: the end of a log is often all that is kept of it.
 */
import { existsSync, readFileSync } from "node:fs";

/** Lines of mocha's report of failures that are repeated here. */
const REPORT_LINES = 80;

const [unitLog, ...resultsFiles] = process.argv.slice(2);
const unit = readFileSync(unitLog, "utf8");
const [, passed, failed, skipped] = /^unit: (\d+) passing, (\d+) failing, (\d+) pending/m.exec(unit) ?? [
  0, 0, 1, 0,
];
const counts = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
for (const [report] of unit.matchAll(/^ +\d+ failing\n(?:(?!unit: |once more).*\n)*/gm))
  console.log(report.split("\n").slice(0, REPORT_LINES).join("\n"));

for (const file of resultsFiles) {
  // A run without results did not take place.
  const {
    tests,
    baselines,
    withheld = [],
    interrupted,
  } = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { tests: [], baselines: [], interrupted: "no results" };
  for (const { id, peer, verdict, reason = "", baseline } of tests) {
    if (baseline.agreement === "deviates") fail(`${peer}  ${id}: ${verdict}: ${reason}`);
    else if (verdict === "pass" && baseline.agreement === "expected") counts.passed++;
    else counts.skipped++;
  }
  counts.skipped += withheld.reduce((sum, { tests }) => sum + tests, 0);
  for (const { file, problems } of baselines) for (const problem of problems) fail(`${file}: ${problem}`);
  if (interrupted !== undefined) fail(`${file}: ${interrupted}`);
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);

function fail(what) {
  counts.failed++;
  console.log(`failed: ${what}`);
}
