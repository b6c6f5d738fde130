/** What the hunt for one planted fault tells, as lines of JSON on its standard output, and how it is shown. */
import { z } from "zod";
import type { Fault } from "../../peers/builtin/faults/fault.ts";
import { findFault } from "../../peers/builtin/faults/index.ts";
import { ORACLES } from "../../reports/findings.ts";
import { printable } from "../../reports/text.ts";

export const RUNTIMES = ["process", "memory"] as const;

export const huntSchema = z.strictObject({
  fault: z.string(),
  seed: z.string(),
  runtime: z.enum(RUNTIMES),
  /** An empty folder for the exported test. */
  tests: z.string(),
});
/** Whom to hunt, and how. */
export type HuntOrder = z.infer<typeof huntSchema>;

/** A line to the process that hunts: a turn of so many milliseconds, or in which what was found is made small. */
export const turnSchema = z.strictObject({
  order: huntSchema,
  turn: z.union([z.number(), z.literal("reduce")]),
});
export type Turn = z.infer<typeof turnSchema>;

const findSchema = z.strictObject({
  oracle: z.enum(ORACLES),
  title: z.string(),
  cases: z.int(),
  seconds: z.number(),
  /** What the smallest conversation has that still shows it; not set: not looked for yet, or not shown again. */
  least: z.strictObject({ messages: z.int(), steps: z.int(), changes: z.array(z.string()) }).optional(),
  /** Why the exported test does not fail with the fault and pass without it; empty if it does. Not set: not tried. */
  test: z.string().optional(),
});
export type Find = z.infer<typeof findSchema>;

/** The last of these is what counts. */
export const huntResultSchema = z.strictObject({
  fault: z.string(),
  cases: z.int(),
  seconds: z.number(),
  find: findSchema.optional(),
  /** Alarms that the honest peer raises as well, or that did not come again. */
  others: z.array(z.string()),
  /** Why it ended before its time. */
  failed: z.string().optional(),
  /** The last line of a turn. */
  turn: z.literal("over").optional(),
});
export type HuntResult = z.infer<typeof huntResultSchema>;

const COLUMNS = [36, 12, 8] as const;

const columns = (...texts: string[]): string =>
  texts
    .map((text, i) => text.padEnd(COLUMNS[i] ?? 0))
    .join(" ")
    .trimEnd();

export const HEADING = columns("fault", "depth", "kind", "found");

/** A line for a fault: how it was found. */
export function foundText({ fault, find, cases, seconds, failed }: HuntResult): string {
  const planted = findFault(fault);
  const why = failed === undefined ? "" : `: ${printable(failed)}`;
  const found = find
    ? `after ${find.cases} cases in ${find.seconds.toFixed(1)} s by ${find.oracle}: ${printable(find.title)}`
    : `no, after ${cases} cases in ${seconds.toFixed(0)} s${why}`;
  return columns(fault, planted?.depth ?? "", planted?.kind ?? "", found);
}

/** A line for a fault that was found: its smallest conversation. */
export function leastText(fault: string, find: Find): string {
  const { least } = find;
  const small = least
    ? `${least.messages} messages in ${least.steps} steps, ${least.changes.join(", ")}; ${testText(find)}`
    : "not made smaller";
  return `${fault.padEnd(COLUMNS[0])} ${small}`;
}

function testText({ test }: Find): string {
  if (test === undefined) return "not exported";
  return test === ""
    ? "its test fails with it and passes without"
    : `its test is no good: ${printable(test)}`;
}

/** How many were found, over all and of each depth. */
export function summary(results: readonly HuntResult[], faults: readonly Fault[]): string {
  const found = new Set(results.flatMap(({ fault, find }) => (find ? [fault] : [])));
  const depths = [...new Set(faults.map(({ depth }) => depth))].map((depth) => {
    const all = faults.filter((fault) => fault.depth === depth);
    return `${depth} ${all.filter(({ name }) => found.has(name)).length}/${all.length}`;
  });
  const count = (good: (find: Find) => boolean): number =>
    results.filter(({ find }) => find !== undefined && good(find)).length;
  const small = count(({ least }) => least !== undefined && least.messages <= MOST_MESSAGES);
  const tests = count(({ test }) => test === "");
  return [
    `found ${found.size}/${faults.length}: ${depths.join(", ")}`,
    `reduced to ${MOST_MESSAGES} messages or fewer: ${small}; with a test that fails with the fault and passes without: ${tests}`,
  ].join("\n");
}

const MOST_MESSAGES = 5;
