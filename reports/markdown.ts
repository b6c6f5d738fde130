/** A short page for a pull request: what is not pass first, then totals. */
import { groupBy } from "./group.ts";
import {
  type Agreement,
  documentLabel,
  outcomeOf,
  type Results,
  standingOf,
  type TestResult,
  VERDICTS,
} from "./results.ts";
import { formatDuration, plural, printable, withheldText } from "./text.ts";

/** A page of a pull request is cut off somewhere; before that we rather say how many more there are. */
const LISTED = 100;

/** Text of report.md. What a baseline knows stands apart from what is new. */
export function toMarkdown(results: Results): string {
  const sorted = VERDICTS.flatMap((verdict) => results.tests.filter((test) => test.verdict === verdict)).sort(
    (a, b) => rank(a) - rank(b),
  );
  const open = sorted.filter((test) => !test.baseline && test.verdict !== "pass");
  const compared = (agreement: Agreement) =>
    sorted.filter((test) => test.baseline?.agreement === agreement && (test.baseline.known || test.again));
  const deviating = sorted.filter((test) => test.baseline && standingOf(test) === "deviates");
  const parts = [
    ...listed("Not as the baseline says", deviating, "deviation"),
    ...problems(results),
    ...listed("Unstable", compared("unstable"), "deviation"),
    ...listed("Not pass", open, undefined),
    ...listed("Known", compared("expected"), "known"),
  ];
  const all = parts.length > 0 ? parts : ["Every verdict is `pass`.", ""];
  return (
    [...summary(results), ...all, ...totals(results), ...provisional(results), ...peers(results)].join("\n") +
    "\n"
  );
}

function rank(test: TestResult): number {
  return ["failed", "broken", "skipped", "passed"].indexOf(outcomeOf(test.verdict));
}

function summary({
  tool,
  seed,
  started,
  finished,
  interrupted,
  tests,
  totals,
  withheld = [],
}: Results): string[] {
  const counts = VERDICTS.filter((verdict) => totals.verdicts[verdict] > 0);
  const took = formatDuration(Date.parse(finished) - Date.parse(started));
  return [
    `# Bake-off: ${plural(tests.length, "test")}, ${counts.map((v) => `${totals.verdicts[v]} ${v}`).join(", ") || "no verdict"}`,
    "",
    `${cell(tool.name)} ${cell(tool.version)}, seed ${code(seed)}, started ${cell(started)}, took ${took}.`,
    ...(interrupted === undefined ? [] : ["", `**Interrupted:** ${cell(interrupted)}`]),
    ...withheld.flatMap((row) => ["", `${cell(withheldText(row))}.`]),
    "",
  ];
}

/** A table of tests; `more` is what their last column says beside the verdict's own facts. */
function listed(title: string, tests: TestResult[], more: "deviation" | "known" | undefined): string[] {
  if (tests.length === 0) return [];
  const rest = tests.length - LISTED;
  const facts = ["verdict", "test", "peer", "role", "level", "reason"];
  const last = {
    deviation: ["expected", "actual", "baseline"],
    known: ["fault", "why"],
    none: ["expected", "actual"],
  };
  return [
    `## ${title}`,
    "",
    ...table(
      [...facts, ...last[more ?? "none"]],
      tests.slice(0, LISTED).map((test) => [...factsOf(test), ...lastOf(test, more)]),
    ),
    ...(rest > 0 ? [`and ${rest} more in results.json.`, ""] : []),
  ];
}

const factsOf = (test: TestResult): string[] => [
  `**${test.verdict}**`,
  code(test.id) + (test.lie === undefined ? "" : ` lie ${code(test.lie)}`),
  code(test.peer),
  test.role,
  test.level,
  cell(test.reason),
];

function lastOf({ expected, actual, baseline, again }: TestResult, more?: "deviation" | "known"): string[] {
  if (more === "known") return [baseline?.known?.fault ?? "", cell(baseline?.known?.why ?? "")];
  if (more === undefined) return [cell(expected), cell(actual)];
  const second = again ? `; again, alone: ${again.verdict}: ${again.reason}` : "";
  return [cell(expected), cell(actual), cell(`${baseline?.deviation ?? ""}${second}`)];
}

function problems({ baselines = [] }: Results): string[] {
  const lines = baselines.flatMap(({ file, problems }) =>
    problems.map((problem) => `- ${code(file)}: ${cell(problem)}`),
  );
  return lines.length > 0 ? ["## Wrong in the baselines", "", ...lines, ""] : [];
}

function totals({ totals }: Results): string[] {
  const shown = VERDICTS.filter((verdict) => totals.verdicts[verdict] > 0);
  const byDocument = [...groupBy(totals.documents, documentLabel).values()].flat();
  const rows = byDocument.map((row) => [
    code(documentLabel(row)),
    code(row.peer),
    row.role,
    String(row.tests),
    ...shown.map((verdict) => String(row.verdicts[verdict] || "")),
  ]);
  if (rows.length === 0) return [];
  return ["## Totals", "", ...table(["document", "peer", "role", "tests", ...shown], rows)];
}

/** What of the documents is our own definition. */
function provisional({ tests }: Results): string[] {
  const lines = [...groupBy(tests, documentLabel)].flatMap(([label, [test]]) =>
    test?.provisional === undefined ? [] : [`- ${code(label)}: ${cell(test.provisional)}`],
  );
  return lines.length > 0 ? ["## Provisional: our own definition", "", ...lines, ""] : [];
}

function peers({ peers }: Results): string[] {
  if (peers.length === 0) return [];
  const rows = peers.map((peer) => [code(peer.id), cell(peer.fullVersion), cell(peer.runtime)]);
  return ["## Peers", "", ...table(["peer", "version", "runtime"], rows)];
}

function table(head: string[], rows: string[][]): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).concat("");
}

/** Text inside a table cell or a paragraph, with nothing in it that Markdown, HTML or GitHub would act upon. */
export function cell(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_{}[\]<>|~&]/g, "\\$&")
    .replace(/(https?|ftp|mailto|xmpp|www)([:.])/gi, "$1\\$2")
    .replace(/[@#](?=\w)/g, "$&\u2060");
}

/** A code span. Backticks become apostrophes, since a span inside a table cannot hold them for every reader. */
export function code(text: string): string {
  const inner = oneLine(text).replace(/`/g, "'").replace(/\\*\|/g, "\\|");
  return inner ? `\`${inner}\`` : "";
}

function oneLine(text: string): string {
  return printable(text)
    .replace(/[\s\u2028\u2029]+/g, " ")
    .trim();
}
