/**
 * Runs the unit tests in two processes. Files in which something failed run once more, alone, for daemons and browsers
 * under load are late; what passes then is told as unstable and is no failure. Ends with a line of counts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** The samples of the guides take longest: what begins last must not run alone at the end. */
const FILES = ["docs/**/*.test.ts", "{harness,peers,pcaps,reports,fuzz,suites,scripts}/**/*.test.ts"];

/** Where more files than this fail, something is broken, and a second try would only take time. */
const MOST_TRIED_AGAIN = 5;

const MOST_SLOW = 20;

const folder = mkdtempSync(join(tmpdir(), "bakeoff-unit-"));
try {
  process.exitCode = unit();
} finally {
  rmSync(folder, { recursive: true });
}

function unit() {
  const first = mocha("--parallel", "--jobs", "2", ...FILES);
  const { passes, pending, files } = first;
  tellSlowest(first.took ?? {});
  let failing = first.failures;
  let unstable = 0;
  if (files.length > 0 && files.length <= MOST_TRIED_AGAIN) {
    console.log(`once more, alone: ${files.map((file) => relative(".", file)).join(" ")}`);
    const again = mocha("--no-parallel", ...files);
    // A second try that ended without a report excuses nothing.
    const left = again.broken ? failing : again.failures;
    unstable = Math.max(0, failing - left);
    failing = left;
  }
  console.log(`unit: ${passes} passing, ${failing} failing, ${pending} pending, ${unstable} unstable`);
  return failing > 0 || first.broken ? 1 : 0;
}

/** Where the minutes go. */
function tellSlowest(took) {
  const slowest = Object.entries(took).sort(([, one], [, other]) => other - one);
  const told = slowest
    .slice(0, MOST_SLOW)
    .map(([file, ms]) => `${relative(".", file)} ${Math.round(ms / 1000)} s`);
  console.log(`slowest: ${told.join(", ")}`);
}

/** Runs mocha over the files. `broken`: it ended without a report. */
function mocha(...args) {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const reporter = join(import.meta.dirname, "unit-reporter.mjs");
  spawnSync("node_modules/.bin/mocha", ["--reporter", reporter, ...args], {
    stdio: "inherit",
    env: { ...process.env, UNIT_REPORT: report },
  });
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passes: 0, failures: 0, pending: 0, files: [], broken: true };
  }
}
