/**
 * Judges CI's run against the real peers: a failure, crash, hang or fault of the lab that `.ci/known-failures.json`
 * does not name with this verdict, or a peer of which nothing passed, is an error; so is a known failure that passes
 * or that names no test of this run, and a run that was cut short.
 * Prints the closing line over this run and the unit tests.
 */
import { readFileSync } from "node:fs";

const [resultsFile, unitLog] = process.argv.slice(2);
const { tests, peers, interrupted } = JSON.parse(readFileSync(resultsFile, "utf8"));
const known = JSON.parse(readFileSync(new URL("../.ci/known-failures.json", import.meta.url), "utf8"));
const unit = readFileSync(unitLog, "utf8");
const unitCount = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(unit)?.[1] ?? 0);

const good = new Set(["pass", "tolerated"]);
const neutral = new Set(["unsupported", "ambiguous"]);
const problems = [];
const counts = { passed: unitCount("passing"), failed: unitCount("failing"), skipped: unitCount("pending") };
const covers = (k, peer) => new RegExp(k.peers).test(peer);
const matches = (test) => known.find((k) => k.test === test.id && covers(k, test.peer));

if (interrupted) problems.push(`the run was cut short: ${interrupted}`);
for (const test of tests) {
  const entry = matches(test);
  const where = `${test.id} on ${test.peer}`;
  if (good.has(test.verdict)) {
    if (entry) problems.push(`${where} passes, but is a known failure`);
    counts.passed++;
  } else if (neutral.has(test.verdict)) counts.skipped++;
  else if (entry?.verdict === test.verdict) counts.skipped++;
  else problems.push(`${where}: ${test.verdict}: ${test.reason}`);
}
for (const peer of peers) {
  if (!tests.some((test) => test.peer === peer.id && good.has(test.verdict)))
    problems.push(`${peer.id}: nothing passed`);
}
for (const k of known.filter((k) => peers.some((peer) => covers(k, peer.id)))) {
  if (!tests.some((test) => test.id === k.test && covers(k, test.peer)))
    problems.push(`known failure ${k.test}: there is no such test`);
}
for (const problem of problems) console.log(problem);
counts.failed += problems.length;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(problems.length > 0 ? 1 : 0);
