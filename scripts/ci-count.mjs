/**
 * Prints the closing line of CI over the unit tests and the runs against the real peers. Verdicts that a baseline
 * knows count as skipped, as do unstable ones and tests that it withholds: they prove nothing of the change under test.
 */
import { existsSync, readFileSync } from "node:fs";

const [unitLog, ...resultsFiles] = process.argv.slice(2);
const unit = readFileSync(unitLog, "utf8");
const unitCount = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(unit)?.[1] ?? 0);
const counts = { passed: unitCount("passing"), failed: unitCount("failing"), skipped: unitCount("pending") };

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
  for (const { verdict, baseline } of tests) {
    if (baseline.agreement === "deviates") counts.failed++;
    else if (verdict === "pass" && baseline.agreement === "expected") counts.passed++;
    else counts.skipped++;
  }
  counts.skipped += withheld.reduce((sum, { tests }) => sum + tests, 0);
  counts.failed += baselines.reduce((sum, { problems }) => sum + problems.length, 0);
  if (interrupted !== undefined) counts.failed++;
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
