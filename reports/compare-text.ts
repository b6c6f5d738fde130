/** A comparison as text for a terminal, and as Markdown for a pull request. */
import type { Change, ChangeCounts, Found, Lone, Row, RunComparison, Side } from "./compare-schema.ts";
import { CHANGES } from "./compare-schema.ts";
import { cell, code, page, type Section, tableHead, tableRow } from "./markdown-page.ts";
import { documentLabel } from "./results.ts";
import { oneLine, plural, withheldText } from "./text.ts";

const TITLES: Record<Change, string> = {
  worse: "Worse",
  better: "Better",
  other: "Another verdict or reason",
  unstable: "Unstable",
};

const COLUMNS = ["compared", "same", ...CHANGES, "added", "gone"] as const;

/** Text of `bakeoff report compare`: all that changed, then the counts by document and peer. */
export function compareText(comparison: RunComparison): string {
  const { old, new: now, changes, added, gone } = comparison;
  const groups = CHANGES.flatMap((change) => {
    const rows = changes.filter((row) => row.change === change);
    return listed(TITLES[change], rows.map(rowText));
  });
  const lines = [
    ...groups,
    ...listed("New tests", added.map(loneText)),
    ...listed("Gone tests", gone.map(loneText)),
    ...countLines(comparison),
    `old: ${sideText(old)}`,
    `new: ${sideText(now)}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const listed = (title: string, rows: readonly string[]): string[] =>
  rows.length === 0 ? [] : [`${title} (${rows.length})`, ...rows.map((row) => `  ${row}`), ""];

const rowText = (row: Row): string =>
  oneLine(`${nameOf(row)}: ${row.why}: ${row.new.reason}${before(row)}${knownText(row.new)}`);

/** What the reason was, where nothing else changed. */
const before = ({ old, new: now }: Row): string =>
  old.verdict === now.verdict ? `; before: ${old.reason}` : "";

const loneText = (lone: Lone): string =>
  oneLine(`${nameOf(lone)}: ${lone.found.verdict}: ${lone.found.reason}${knownText(lone.found)}`);

const nameOf = ({ id, peer, role, lie }: Row | Lone): string =>
  `${id} on ${peer} as ${role}${lie === undefined ? "" : `, lie ${lie}`}`;

const knownText = ({ known }: Found): string =>
  known ? ` (known: ${known.why} Until ${known.expires}.)` : "";

/** Columns as wide as their widest cell. */
function countLines({ totals, documents }: RunComparison): string[] {
  const cells = (name: string, peer: string, counts: ChangeCounts) => [
    ...[name, peer],
    ...COLUMNS.map((column) => String(counts[column])),
  ];
  const rows = [
    ["document", "peer", ...COLUMNS],
    ...documents.map((row) => cells(oneLine(documentLabel(row)), oneLine(row.peer), row)),
    cells("all", "", totals),
  ];
  const widths = rows.reduce<number[]>((all, row) => row.map((c, i) => Math.max(all[i] ?? 0, c.length)), []);
  return rows.map((row) =>
    row
      .map((c, i) => (i < 2 ? c.padEnd(widths[i] ?? 0) : c.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function sideText({ name, started, tests, unsupported, withheld, interrupted, tool }: Side): string {
  const parts = [
    `${name}, ${tool.name} ${tool.version}, ${started}, ${plural(tests, "test")}, ${unsupported} unsupported`,
    ...withheld.map(withheldText),
    ...(interrupted === undefined ? [] : [`interrupted: ${interrupted}`]),
  ];
  return oneLine(parts.join("; "));
}

/** Markdown of 60 lines at most: what became worse first. */
export function compareMarkdown(comparison: RunComparison): string {
  const { totals, changes, added, gone, old, new: now } = comparison;
  const section = (change: Change): Section => ({
    title: TITLES[change],
    rows: changes.filter((row) => row.change === change).map(rowMarkdown),
  });
  const shown = COLUMNS.filter((column) => column !== "compared" && totals[column] > 0);
  const heading = `# Bake-off: ${totals.worse} worse, ${totals.better} better of ${plural(totals.compared, "test")}`;
  const sections: Section[] = [
    ...[section("worse"), section("better"), section("unstable"), section("other")],
    countsSection(comparison),
    { title: "New tests", rows: added.map(loneMarkdown) },
    { title: "Gone tests", rows: gone.map(loneMarkdown) },
  ];
  const totalsLine = shown.map((column) => `${totals[column]} ${column}`).join(", ");
  const above = [heading, "", `${totalsLine || "Nothing to compare"}.`, ""];
  return page(above, sections, [`Old: ${cell(sideText(old))}`, "", `New: ${cell(sideText(now))}`]);
}

function rowMarkdown(row: Row): string {
  const { id, peer, role, lie, why, level, old, new: now } = row;
  const planted = lie === undefined ? "" : ` lie ${code(lie)}`;
  const earlier = old.verdict === now.verdict ? ` Before: ${cell(old.reason)}.` : "";
  return `**${cell(why)}** ${code(id)}${planted}, ${code(peer)} as ${role}, ${level}: ${cell(now.reason)}.${earlier}${knownMarkdown(now)}`;
}

const loneMarkdown = ({ id, peer, role, found }: Lone): string =>
  `**${found.verdict}** ${code(id)}, ${code(peer)} as ${role}: ${cell(found.reason)}.${knownMarkdown(found)}`;

const knownMarkdown = ({ known }: Found): string =>
  known ? ` Known until ${known.expires}: ${cell(known.why)}` : "";

function countsSection({ documents }: RunComparison): Section {
  const changed = documents.filter((row) => row.same < row.compared || row.added + row.gone > 0);
  return {
    title: "By document",
    rows: changed.map((row) =>
      tableRow([code(documentLabel(row)), code(row.peer), ...COLUMNS.map((c) => String(row[c] || ""))]),
    ),
    head: tableHead(["document", "peer", ...COLUMNS]),
  };
}
