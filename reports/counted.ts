/** How formats that know only pass, fail, error and skip count a test. */
import { type Outcome, outcomeOf, type Results, standingOf, type TestResult } from "./results.ts";

/**
 * Beside a baseline, what it says is skipped unless it is good news, also what is unstable; what deviates from it is a
 * failure or an error, also a pass.
 */
export function countedAs(test: TestResult): Outcome {
  const outcome = outcomeOf(test.verdict);
  if (!test.baseline) return outcome;
  if (standingOf(test) === "deviates") return outcome === "broken" ? "broken" : "failed";
  return standingOf(test) === "expected" && outcome === "passed" ? "passed" : "skipped";
}

/** What is wrong with the baselines themselves, each an error beside the tests. */
export const baselineProblems = ({ baselines = [] }: Results): { file: string; problem: string }[] =>
  baselines.flatMap(({ file, problems }) => problems.map((problem) => ({ file, problem })));

/** What a test found, what its second try did, and what its baseline says of it, in one sentence. */
export function messageOf({ verdict, reason, baseline, again }: TestResult): string {
  const found = `${verdict}: ${reason}`;
  if (baseline?.deviation === undefined) {
    return baseline?.known ? `known, ${found} (${baseline.known.why})` : found;
  }
  const second = again ? `; again, alone: ${again.verdict}: ${again.reason}` : "";
  return `${baseline.agreement === "unstable" ? "unstable, " : ""}${found}${second} (${baseline.deviation})`;
}

/** What was expected and what was seen; nothing where the reason says it already, or there is no contrast. */
export function sidesOf({
  reason,
  expected,
  actual,
}: TestResult): { expected: string; actual: string } | undefined {
  if (expected === "" && actual === "") return undefined;
  return reason.includes(expected) && reason.includes(actual) ? undefined : { expected, actual };
}

/** How long before its end a baseline's entry is told of, in days. */
const SOON_DAYS = 30;

/** Tests whose baseline entry ends within a month of the run, those that end first in front. */
export function endingSoon({ tests, finished }: Results): TestResult[] {
  const day = new Date(Date.parse(finished) + SOON_DAYS * 86_400_000).toISOString().slice(0, 10);
  const end = (test: TestResult) => test.baseline?.known?.expires ?? "9999-12-31";
  return tests.filter((test) => end(test) <= day).sort((a, b) => (end(a) < end(b) ? -1 : 1));
}
