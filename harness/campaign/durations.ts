/** How long cells took, and the shards that this makes. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { JournalRecord } from "../../reports/journal.ts";
import type { Shard } from "../run/plan.ts";
import { FileError } from "../run/yaml-file.ts";
import type { Cell } from "./cells.ts";

const schema = z.strictObject({
  schema: z.literal(1),
  /** By name, in milliseconds. */
  cells: z.record(z.string(), z.strictObject({ ms: z.number().nonnegative(), tests: z.int().positive() })),
});
/** By name of the cell. */
export type Durations = z.infer<typeof schema>["cells"];

/** None where there is no such file yet. @throws FileError for one that cannot be used */
export function readDurations(path: string): Durations {
  if (!existsSync(path)) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new FileError(path, "document", error instanceof Error ? error.message : String(error));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data.cells;
  const [issue] = parsed.error.issues;
  throw new FileError(path, issue?.path.join(".") || "document", issue?.message ?? "not of its schema");
}

/** Throws what the file system throws. */
export function writeDurations(path: string, cells: Durations): void {
  const sorted = Object.fromEntries(Object.entries(cells).sort(([a], [b]) => inOrder(a, b)));
  writeFileSync(`${path}.part`, `${JSON.stringify({ schema: 1, cells: sorted }, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}

/** From the beginning of a run to its last record, and of a run that was resumed, of all its parts. */
export function durationOf(records: readonly JournalRecord[]): number {
  const times = records.map(({ time }) => Date.parse(time));
  const spans = records.map(({ kind }, i) =>
    i === 0 || kind === "run-started" ? 0 : (times[i] ?? 0) - (times[i - 1] ?? 0),
  );
  return spans.reduce((sum, ms) => sum + Math.max(0, ms), 0);
}

/** By code units: the order that is the same on any machine. */
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** How long each cell will take, by what is known; where nothing is, a test counts as one. */
export function weigher(cells: readonly Cell[], known: Durations): (cell: Cell) => number {
  const measured = cells.flatMap(({ name }) => known[name] ?? []);
  const tests = measured.reduce((sum, one) => sum + one.tests, 0);
  const ms = measured.reduce((sum, one) => sum + one.ms, 0);
  const each = ms > 0 ? ms / tests : 1;
  return ({ name, tests }) => known[name]?.ms ?? tests * each;
}

/**
 * The cells of a shard, in the order of the campaign: the longest first, each to the shard that has least so far. It
 * depends on nothing but the cells and what is known of their durations.
 */
export function shardOf(cells: readonly Cell[], { index, of }: Shard, known: Durations): Cell[] {
  const weight = weigher(cells, known);
  const loads = Array.from({ length: of }, () => 0);
  const mine = new Set<Cell>();
  for (const cell of [...cells].sort((a, b) => weight(b) - weight(a) || inOrder(a.name, b.name))) {
    const lightest = loads.indexOf(Math.min(...loads));
    loads[lightest] = (loads[lightest] ?? 0) + weight(cell);
    if (lightest === index - 1) mine.add(cell);
  }
  return cells.filter((cell) => mine.has(cell));
}
