/**
 * Runs the unit tests: in two processes, and after them those against real daemons one by one, for daemons under load
 * are late. Files in which something failed run once more, alone; what passes then is told as unstable and is no
 * failure. Ends with a line of counts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const ROOMS = "{harness,peers,pcaps,reports,fuzz,suites,docs,scripts}/**";
const REAL = `${ROOMS}/*.real.test.ts`;

/** Where more files than this fail, something is broken, and a second try would only take time. */
const MOST_TRIED_AGAIN = 5;

const folder = mkdtempSync(join(tmpdir(), "bakeoff-unit-"));
try {
  process.exitCode = unit();
} finally {
  rmSync(folder, { recursive: true });
}

function unit() {
  const first = [
    mocha("--parallel", "--jobs", "2", `${ROOMS}/*.test.ts`, "--ignore", REAL),
    mocha("--no-parallel", REAL),
  ];
  const total = (count) => first.reduce((sum, part) => sum + part[count], 0);
  const files = first.flatMap((part) => part.files);
  const [passing, pending] = [total("passes"), total("pending")];
  let failing = total("failures");
  let unstable = 0;
  if (files.length > 0 && files.length <= MOST_TRIED_AGAIN) {
    console.log(`once more, alone: ${files.map((file) => relative(".", file)).join(" ")}`);
    const again = mocha("--no-parallel", ...files);
    unstable = Math.max(0, failing - again.failures);
    failing = again.failures;
  }
  console.log(`unit: ${passing} passing, ${failing} failing, ${pending} pending, ${unstable} unstable`);
  return failing > 0 || first.some(({ broken }) => broken) ? 1 : 0;
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
