/**
 * Judges CI's run against the real peers: a failure, crash, hang or fault of the lab that `.ci/known-failures.json`
 * does not name with this verdict, or a peer of which nothing passed, is an error; so is a known failure that passes
 * or that names no test of this run, and a run that was cut short.
 *
 * What is unexpected is tried once more, alone. A test that then ends as expected is printed as unstable and counted
 * as skipped: it proves nothing, neither of the peer nor of the change under test.
 * Prints the closing line over this run and the unit tests.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [resultsFile, unitLog] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const { tests, peers, interrupted } = read(resultsFile);
const known = read(new URL("../.ci/known-failures.json", import.meta.url));
const bakeoff = new URL("../bin/bakeoff.js", import.meta.url).pathname;
const unit = readFileSync(unitLog, "utf8");
const unitCount = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(unit)?.[1] ?? 0);

const good = new Set(["pass", "tolerated"]);
const neutral = new Set(["unsupported", "ambiguous"]);
const problems = [];
const counts = { passed: unitCount("passing"), failed: unitCount("failing"), skipped: unitCount("pending") };
const covers = (k, peer) => new RegExp(k.peers).test(peer);

/** What is wrong with this verdict; undefined if it is as expected. */
function unexpected({ id, peer, verdict, reason }) {
  const entry = known.find((k) => k.test === id && covers(k, peer));
  if (good.has(verdict)) return entry && `${id} on ${peer} passes, but is a known failure`;
  if (neutral.has(verdict) || entry?.verdict === verdict) return undefined;
  return `${id} on ${peer}: ${verdict}: ${reason}`;
}

/** The verdicts of a second run of these tests. */
function again(peer, ids) {
  const out = join(dirname(resultsFile), `again-${peer.replaceAll(/[^a-z0-9.]/g, "-")}`);
  const grep = `^(${ids.map((id) => id.replaceAll(".", "\\.")).join("|")})$`;
  spawnSync(process.execPath, [bakeoff, "run", "--peer", peer, "--grep", grep, "--out", out], {
    stdio: "inherit",
  });
  return read(join(out, "results.json")).tests;
}

if (interrupted) problems.push(`the run was cut short: ${interrupted}`);
for (const test of tests) {
  if (unexpected(test)) continue;
  counts[good.has(test.verdict) ? "passed" : "skipped"]++;
}
for (const { id: peer } of peers) {
  const own = tests.filter((test) => test.peer === peer);
  if (!own.some((test) => good.has(test.verdict))) problems.push(`${peer}: nothing passed`);
  const odd = own.filter(unexpected);
  // More than a handful is no accident.
  const second =
    odd.length > 0 && odd.length <= 10
      ? again(
          peer,
          odd.map((test) => test.id),
        )
      : odd;
  for (const test of odd) {
    const retried = second.find((other) => other.id === test.id);
    if (!retried || unexpected(retried)) problems.push(unexpected(test));
    else {
      console.log(`unstable: ${unexpected(test)}; alone: ${retried.verdict}`);
      counts.skipped++;
    }
  }
}
for (const k of known.filter((k) => peers.some((peer) => covers(k, peer.id)))) {
  if (!tests.some((test) => test.id === k.test && covers(k, test.peer)))
    problems.push(`known failure ${k.test}: there is no such test`);
}
for (const problem of problems) console.log(problem);
counts.failed += problems.length;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(problems.length > 0 ? 1 : 0);
