/** The results in the Test Anything Protocol, version 14: one test point for each test, with its facts as YAML. */
import { baselineProblems, messageOf } from "./counted.ts";
import { groupBy } from "./group.ts";
import { documentLabel, outcomeOf, type Results, standingOf, type TestResult } from "./results.ts";
import { oneLine } from "./text.ts";

interface Point {
  ok: boolean;
  description: string;
  directive?: { kind: "SKIP" | "TODO"; why: string };
  /** For the YAML block, in this order. */
  facts: readonly Fact[];
}

type Fact = readonly [name: string, value: string | number | readonly string[]];

/**
 * Text of report.tap. What is proven neither way is skipped; what a baseline knows, and what is unstable, is a `TODO`,
 * which no reader counts as a failure; what is wrong with a baseline is a failed point of its own behind the tests. A
 * run that was interrupted ends with `Bail out!`.
 */
export function toTap(results: Results): string {
  const groups = groupBy(results.tests, (test) => `${documentLabel(test)} ${test.peer} as ${test.role}`);
  const problems = baselineProblems(results);
  const total = results.tests.length + problems.length;
  const lines = ["TAP version 14", ...planLines(total, results)];
  let number = 0;
  for (const [name, tests] of groups) {
    lines.push(`# ${escaped(name)}`);
    for (const test of tests) lines.push(...pointLines(++number, pointOf(test)));
  }
  for (const { file, problem } of problems) {
    const facts: readonly Fact[] = [["problem", problem]];
    lines.push(...pointLines(++number, { ok: false, description: `baseline ${file}`, facts }));
  }
  if (results.interrupted !== undefined) lines.push(`Bail out! ${escaped(results.interrupted)}`);
  return lines.join("\n") + "\n";
}

/** Where nothing was planned, nothing may follow: not even that the run was interrupted. */
function planLines(total: number, { interrupted }: Results): string[] {
  if (total > 0) return [`1..${total}`];
  return interrupted === undefined ? ["1..0 # SKIP no test has finished"] : [];
}

function pointOf(test: TestResult): Point {
  const lie = test.lie === undefined ? "" : ` with lie ${test.lie}`;
  const directive = directiveOf(test);
  return {
    ok: isOk(test),
    description: `${test.id} ${test.peer} as ${test.role}${lie}`,
    ...(directive === undefined ? {} : { directive }),
    facts: factsOf(test),
  };
}

function isOk(test: TestResult): boolean {
  if (standingOf(test) === "deviates") return false;
  return ["passed", "skipped"].includes(outcomeOf(test.verdict));
}

function directiveOf(test: TestResult): Point["directive"] {
  const standing = standingOf(test);
  const outcome = outcomeOf(test.verdict);
  if (standing === "deviates") return undefined;
  if (standing === "unstable") return { kind: "TODO", why: messageOf(test) };
  if (outcome === "skipped") return { kind: "SKIP", why: messageOf(test) };
  return outcome === "passed" ? undefined : { kind: "TODO", why: messageOf(test) };
}

/** Of a pass as required, little is to be told. */
function factsOf(test: TestResult): readonly Fact[] {
  const { verdict, level, requirements, durationMs, reason, expected, actual, evidence, baseline } = test;
  const common: readonly Fact[] = [
    ["verdict", verdict],
    ["level", level],
    ["requirements", requirements],
    ["duration_ms", durationMs],
  ];
  if (verdict === "pass" && standingOf(test) === "expected") return common;
  const judged: Fact[] = baseline ? [["baseline", baseline.agreement]] : [];
  const known: Fact[] = baseline?.known ? [["expires", baseline.known.expires]] : [];
  const said: Fact[] = [
    ["reason", reason],
    ["expected", expected],
    ["actual", actual],
  ];
  return [...common, ...said, ...judged, ...known, ...Object.entries(evidence)];
}

function pointLines(number: number, { ok, description, directive, facts }: Point): string[] {
  const end = directive ? ` # ${directive.kind} ${escaped(directive.why)}` : "";
  return [
    `${ok ? "ok" : "not ok"} ${number} - ${escaped(description)}${end}`,
    "  ---",
    ...facts.map(([name, value]) => `  ${name}: ${yamlValue(value)}`),
    "  ...",
  ];
}

/** JSON on one line, which is YAML: no text can leave its value. */
function yamlValue(value: string | number | readonly string[]): string {
  if (typeof value === "string") return JSON.stringify(oneLine(value));
  return typeof value === "number" ? String(value) : JSON.stringify(value.map(oneLine));
}

/** One line without a directive in it. An open brace at the end would begin a subtest for some readers. */
const escaped = (text: string): string => oneLine(text).replace(/[\\#]/g, "\\$&").replace(/\{$/, "{.");
