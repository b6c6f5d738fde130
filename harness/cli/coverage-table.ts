/** Coverage as text for people. */
import { ROLES } from "../run/catalogue.ts";
import { type Counts, type CoverageRow, type Grouping, sumOf, type Uncovered } from "../run/coverage.ts";
import { type Paint, table } from "./output.ts";

/** A line of the table: names, and the counts of one role or of both, side by side. */
interface Line {
  names: string[];
  counts: Counts[];
  strong: boolean;
}

const STRICT = "MUST + MUST NOT";
const isStrict = ({ level }: CoverageRow): boolean => level === "MUST" || level === "MUST NOT";

/** Without a grouping each level of each document has a line. */
export function coverageTable(rows: readonly CoverageRow[], by: Grouping | undefined, paint: Paint): string {
  if (by === "document") return render(["document"], byDocument(rows), paint);
  if (by === "level") return render(["level"], withStrict(rows, []), paint);
  if (by === "role") return render(["peer as", "document", "level"], byRole(rows), paint);
  return render(["document", "level"], byDocumentAndLevel(rows), paint);
}

const byDocument = (rows: readonly CoverageRow[]): Line[] => [
  ...namesOf(rows, "document").map((document) => line([document], only(rows, { document }))),
  { ...line(["all"], rows), strong: true },
];

const byRole = (rows: readonly CoverageRow[]): Line[] =>
  ROLES.flatMap((role, i) =>
    byDocumentAndLevel(only(rows, { role })).map(({ names, counts, strong }) => ({
      ...{ names: [role, ...names], strong },
      counts: counts.slice(i, i + 1),
    })),
  );

function byDocumentAndLevel(rows: readonly CoverageRow[]): Line[] {
  const documents = namesOf(rows, "document");
  const lines = documents.flatMap((document) => withStrict(only(rows, { document }), [document]));
  return documents.length === 1 ? lines : [...lines, strictLine(rows, ["all"])];
}

/** A line for each level, and one for the two that nobody may neglect. */
function withStrict(rows: readonly CoverageRow[], names: string[]): Line[] {
  const levels = namesOf(rows, "level").map((level) => line([...names, level], only(rows, { level })));
  return [...levels, strictLine(rows, names)];
}

const strictLine = (rows: readonly CoverageRow[], names: string[]): Line => ({
  ...line([...names, STRICT], rows.filter(isStrict)),
  strong: true,
});

const line = (names: string[], rows: readonly CoverageRow[]): Line => ({
  names,
  counts: ROLES.map((role) => sumOf(only(rows, { role }))),
  strong: false,
});

const namesOf = <K extends "document" | "level">(rows: readonly CoverageRow[], key: K): CoverageRow[K][] => [
  ...new Set(rows.map((row) => row[key])),
];

const only = (
  rows: readonly CoverageRow[],
  want: Partial<Pick<CoverageRow, "document" | "level" | "role">>,
): CoverageRow[] =>
  rows.filter(
    (row) =>
      (want.document ?? row.document) === row.document &&
      (want.level ?? row.level) === row.level &&
      (want.role ?? row.role) === row.role,
  );

const COUNTS = ["rows", "testable", "covered", "with a lie", "todo", "%"];

const cellsOf = (counts: Counts): string[] => [
  ...[counts.requirements, counts.testable, counts.covered, counts.withLie, counts.todo].map(String),
  percent(counts),
];

/** How much of what is testable is covered; rounded down, so that 100 is all of it. */
function percent({ covered, testable }: Counts): string {
  return testable === 0 ? "-" : String(Math.floor((100 * covered) / testable));
}

function render(names: string[], lines: readonly Line[], paint: Paint): string {
  const sides = lines[0]?.counts.length ?? 1;
  const head = [...names, ...Array.from({ length: sides }, () => COUNTS).flat()];
  const cells = lines.map((each) => [...each.names, ...each.counts.flatMap(cellsOf)]);
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const text = (row: readonly string[]): string =>
    row
      .map((cell, i) => `${gap(i, names.length)}${align(cell, widths[i] ?? 0, i < names.length)}`)
      .join("")
      .trimEnd();
  return [
    ...(sides === 1 ? [] : [paint("bold", rolesAbove(widths, names.length))]),
    paint("bold", text(head)),
    ...cells.map((row, i) => {
      const shown = text(withoutRepeats(row, cells[i - 1], names.length));
      return lines[i]?.strong ? paint("bold", shown) : shown;
    }),
  ]
    .map((each) => `${each}\n`)
    .join("");
}

/** The two roles stand apart from the names and from each other. */
function gap(column: number, names: number): string {
  if (column === 0) return "";
  return (column - names) % COUNTS.length === 0 ? "    " : "  ";
}

const align = (cell: string, width: number, left: boolean): string =>
  left ? cell.padEnd(width) : cell.padStart(width);

function rolesAbove(widths: readonly number[], names: number): string {
  const widthOf = (from: number, to: number): number =>
    widths.slice(from, to).reduce((sum, width, i) => sum + gap(from + i, names).length + width, 0);
  const side = widthOf(names, names + COUNTS.length);
  return ROLES.reduce(
    (text, role, i) => `${text.padEnd(widthOf(0, names) + i * side)}    peer as ${role}`,
    "",
  );
}

/** A document is named in its first line, a role likewise. */
function withoutRepeats(
  row: readonly string[],
  above: readonly string[] | undefined,
  names: number,
): string[] {
  const same = (i: number): boolean => row.slice(0, i + 1).every((cell, k) => cell === above?.[k]);
  return row.map((cell, i) => (i < names - 1 && same(i) ? "" : cell));
}

/** The rows that still want a test. */
export function todoTable(rows: readonly Uncovered[], paint: Paint): string {
  const head = ["id", "section", "level", "peer as", "requirement"];
  const cells = rows.map((row) => [row.id, row.section, row.level, rolesInWords(row), row.text]);
  const [first = "", ...others] = table([head, ...cells]).split("\n");
  return [paint("bold", first), ...others].join("\n");
}

const rolesInWords = ({ roles }: Uncovered): string =>
  roles.length === ROLES.length ? "both" : roles.join();
