/** Markdown that stays short whatever there is to tell, and in which no text of a peer does anything. */
import { brief } from "./text.ts";

/** A heading over bullets; or over the rows of a table, where there is a head. */
export interface Section {
  title: string;
  rows: readonly string[];
  /** Said above the rows. */
  lead?: string;
  /** The two lines above the rows of a table. */
  head?: readonly [string, string];
}

/** A pull request shows no more at a glance. */
const LINES = 60;

/** A section that is there shows so many of its rows, or one where there are many sections. */
const LEAST = 2;

/**
 * The sections that have rows, in at most {@link LINES} lines with what is above and below them. Those in front get
 * their rows first; of what is left out the number is told.
 */
export function page(
  above: readonly string[],
  sections: readonly Section[],
  below: readonly string[],
): string {
  const told = sections.filter(({ rows }) => rows.length > 0);
  const frames = told.map((section) => frameOf(section).length + 1);
  const fixed = above.length + below.length + frames.reduce((sum, lines) => sum + lines, 0);
  const shares = shareOut(
    told.map(({ rows }) => rows.length),
    LINES - fixed,
  );
  const body = told.flatMap((section, i) => [...frameOf(section), ...cut(section, shares[i] ?? 0), ""]);
  return [...above, ...body, ...below].join("\n").trimEnd() + "\n";
}

/** Lines for each of the lists: a few for all, then as many as they want in their order. */
function shareOut(wanted: readonly number[], lines: number): number[] {
  const least = Math.max(1, Math.min(LEAST, Math.floor(lines / wanted.length)));
  const shares = wanted.map((rows) => Math.min(rows, least));
  let rest = lines - shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share, i) => {
    const more = Math.max(0, Math.min(rest, (wanted[i] ?? 0) - share));
    rest -= more;
    return share + more;
  });
}

const frameOf = ({ title, lead, head }: Section): string[] => [
  `## ${title}`,
  "",
  ...(lead === undefined ? [] : [lead, ""]),
  ...(head ?? []),
];

/** As many rows as there are lines for; the last line says how many are left out. */
function cut({ rows, head }: Section, lines: number): string[] {
  if (rows.length <= lines) return rows.map((row) => (head ? row : `- ${row}`));
  const shown = rows.slice(0, Math.max(0, lines - 1));
  const rest = `and ${rows.length - shown.length} more`;
  return [...shown, head ? `| ${rest} |${" |".repeat(columns(head[0]) - 1)}` : rest].map((row) =>
    head ? row : `- ${row}`,
  );
}

const columns = (row: string): number => (row.match(/(?<!\\)\|/g)?.length ?? 1) - 1;

export const tableRow = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

export const tableHead = (cells: readonly string[]): [string, string] => [
  tableRow(cells),
  tableRow(cells.map(() => "---")),
];

/** What a peer may have written without end is cut. */
const LONGEST = 160;

/** Text inside a table cell or a paragraph, with nothing in it that Markdown, HTML or GitHub would act upon. */
export function cell(text: string): string {
  return brief(text, LONGEST)
    .replace(/[\\`*_{}[\]<>|~&]/g, "\\$&")
    .replace(/(https?|ftp|mailto|xmpp|www)([:.])/gi, "$1\\$2")
    .replace(/[@#](?=\w)/g, "$&\u2060");
}

/** A code span. Backticks become apostrophes, since a span inside a table cannot hold them for every reader. */
export function code(text: string): string {
  const inner = brief(text, LONGEST).replace(/`/g, "'").replace(/\\*\|/g, "\\|");
  return inner ? `\`${inner}\`` : "";
}
