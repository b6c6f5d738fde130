/** A short page for a pull request: what is not pass first, then totals. */
import { groupBy } from "./group.ts";
import { outcomeOf, type Results, type TestResult, VERDICTS } from "./results.ts";
import { formatDuration, plural, printable } from "./text.ts";

/** A page of a pull request is cut off somewhere; before that we rather say how many more there are. */
const LISTED = 100;

/** Text of report.md. */
export function toMarkdown(results: Results): string {
  const open = VERDICTS.flatMap((verdict) =>
    verdict === "pass" ? [] : results.tests.filter((test) => test.verdict === verdict),
  ).sort((a, b) => rank(a) - rank(b));
  return [...summary(results), ...notPass(open), ...totals(results), ...peers(results)].join("\n") + "\n";
}

function rank(test: TestResult): number {
  return ["failed", "broken", "skipped", "passed"].indexOf(outcomeOf(test.verdict));
}

function summary({ tool, seed, started, finished, interrupted, tests, totals }: Results): string[] {
  const counts = VERDICTS.filter((verdict) => totals.verdicts[verdict] > 0);
  const took = formatDuration(Date.parse(finished) - Date.parse(started));
  return [
    `# Bake-off: ${plural(tests.length, "test")}, ${counts.map((v) => `${totals.verdicts[v]} ${v}`).join(", ") || "no verdict"}`,
    "",
    `${cell(tool.name)} ${cell(tool.version)}, seed ${code(seed)}, started ${cell(started)}, took ${took}.`,
    ...(interrupted === undefined ? [] : ["", `**Interrupted:** ${cell(interrupted)}`]),
    "",
  ];
}

function notPass(tests: TestResult[]): string[] {
  if (tests.length === 0) return ["Every verdict is `pass`.", ""];
  const more = tests.length - LISTED;
  return [
    "## Not pass",
    "",
    ...table(
      ["verdict", "test", "peer", "role", "level", "reason", "expected", "actual"],
      tests
        .slice(0, LISTED)
        .map((test) => [
          `**${test.verdict}**`,
          code(test.id) + (test.lie === undefined ? "" : ` lie ${code(test.lie)}`),
          code(test.peer),
          test.role,
          test.level,
          cell(test.reason),
          cell(test.expected),
          cell(test.actual),
        ]),
    ),
    ...(more > 0 ? [`and ${more} more in results.json.`, ""] : []),
  ];
}

function totals({ totals }: Results): string[] {
  const shown = VERDICTS.filter((verdict) => totals.verdicts[verdict] > 0);
  const byDocument = [...groupBy(totals.documents, (row) => row.document).values()].flat();
  const rows = byDocument.map((row) => [
    code(row.document),
    code(row.peer),
    row.role,
    String(row.tests),
    ...shown.map((verdict) => String(row.verdicts[verdict] || "")),
  ]);
  if (rows.length === 0) return [];
  return ["## Totals", "", ...table(["document", "peer", "role", "tests", ...shown], rows)];
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
