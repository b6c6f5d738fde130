/** JUnit XML as CI servers read it: one test suite per document, revision, peer and role. */
import { baselineProblems, countedAs, messageOf } from "./counted.ts";
import { groupBy } from "./group.ts";
import { documentLabel, type Outcome, type Results, type TestResult, verdictMeaning } from "./results.ts";
import { escapeMarkup } from "./text.ts";

/**
 * Text of junit.xml. `fail` and `wrong-reason` are failures; `crash`, `hang` and `setup` are errors; `unsupported`,
 * `behind` and `ambiguous` are skipped. Beside a baseline, what it says is skipped too, also what is unstable, and what deviates
 * from it is a failure or an error, also a pass.
 */
export function toJunit(results: Results): string {
  const suites = groupBy(results.tests, suiteName);
  const body = [...suites].map(([name, tests]) => suite(name, tests, results.started));
  const problems = baselineProblems(results);
  const all = counts(results.tests);
  const head = attributes({
    ...{ name: results.tool.name, ...all },
    tests: String(Number(all.tests) + problems.length),
    failures: String(Number(all.failures) + problems.length),
  });
  body.push(problemSuite(problems));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${body.join("")}</testsuites>\n`;
}

function suiteName(test: TestResult): string {
  return `${documentLabel(test)} ${test.peer} as ${test.role}`;
}

function suite(name: string, tests: TestResult[], timestamp: string): string {
  const head = attributes({ name, timestamp, ...counts(tests) });
  return `  <testsuite${head}>\n${tests.map(testCase).join("")}  </testsuite>\n`;
}

/** What is wrong with the baselines themselves. */
function problemSuite(problems: readonly { file: string; problem: string }[]): string {
  if (problems.length === 0) return "";
  const total = String(problems.length);
  const head = attributes({ name: "baselines", tests: total, failures: total });
  const cases = problems.map(({ file, problem }) => {
    const failure = `      <failure${attributes({ message: problem, type: "baseline" })}/>\n`;
    return `    <testcase${attributes({ classname: file, name: problem })}>\n${failure}    </testcase>\n`;
  });
  return `  <testsuite${head}>\n${cases.join("")}  </testsuite>\n`;
}

function counts(tests: TestResult[]) {
  const count = (outcome: Outcome) => String(tests.filter((test) => countedAs(test) === outcome).length);
  return {
    tests: String(tests.length),
    failures: count("failed"),
    errors: count("broken"),
    skipped: count("skipped"),
    time: seconds(tests.reduce((sum, test) => sum + test.durationMs, 0)),
  };
}

function testCase(test: TestResult): string {
  const name = test.lie === undefined ? test.title : `${test.title} (lie: ${test.lie})`;
  const head = attributes({ classname: test.id, name, time: seconds(test.durationMs) });
  const body = outcome(test) + output(test);
  return body ? `    <testcase${head}>\n${body}    </testcase>\n` : `    <testcase${head}/>\n`;
}

function outcome(test: TestResult): string {
  const message = messageOf(test);
  switch (countedAs(test)) {
    case "passed":
      return "";
    case "skipped":
      return `      <skipped${attributes({ message })}/>\n`;
    case "failed":
      return problem("failure", test, message);
    case "broken":
      return problem("error", test, message);
  }
}

function problem(element: "failure" | "error", test: TestResult, message: string): string {
  const text = [
    verdictMeaning(test.verdict),
    `requirements: ${test.requirements.join(", ")} (${test.level})`,
    `expected: ${test.expected}`,
    `actual: ${test.actual}`,
  ].join("\n");
  return `      <${element}${attributes({ message, type: test.verdict })}>${escapeMarkup(text)}</${element}>\n`;
}

/** The evidence, in the form that Jenkins and GitLab know as attachments. */
function output(test: TestResult): string {
  const files = Object.values(test.evidence);
  if (files.length === 0) return "";
  const lines = files.map((file) => `[[ATTACHMENT|${file}]]`).join("\n");
  return `      <system-out>${escapeMarkup(lines)}</system-out>\n`;
}

function attributes(values: Record<string, string>): string {
  return Object.entries(values)
    .map(
      ([name, value]) => ` ${name}="${escapeMarkup(value).replace(/\n/g, "&#10;").replace(/\t/g, "&#9;")}"`,
    )
    .join("");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
