/** Runs cells one after another, each in a folder of its own, and knows which have been run already. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { LabError } from "../../peers/runtime/errors.ts";
import { type JournalRecord, readJournal, resultsFromJournal } from "../../reports/journal.ts";
import type { ReportFormat } from "../../reports/write.ts";
import { JOURNAL, prepareOut } from "../run/out-folder.ts";
import type { Shard } from "../run/plan.ts";
import { judgedRun, type RunOutcome, writable } from "../run/report.ts";
import { type Observer, type RunOptions, run } from "../run/run.ts";
import type { SuiteTest } from "../run/suites.ts";
import { UsageError } from "../run/usage-error.ts";
import type { Cell } from "./cells.ts";

/** Of one cell: what it is merged from, and what its own folder is read by. */
const CELL_FORMATS: readonly ReportFormat[] = ["json", "md"];

export interface CellOptions {
  out: string;
  resume: boolean;
  /** Lanes of a cell at a time. */
  jobs: number;
  /** Not set: all cells. */
  shard?: Shard;
  laneRunner?: RunOptions["laneRunner"];
}

/** What became of a cell. `found`: it had been run before. */
export type CellEnd =
  | { cell: Cell; how: "run" | "found"; outcome: Pick<RunOutcome, "results"> }
  | { cell: Cell; how: "not-run"; error: LabError | UsageError };

export interface CampaignObserver {
  /** A cell begins; `place` counts from 1. Told what goes on in it. */
  cell(cell: Cell, place: number, of: number): Observer;
  ended(end: CellEnd): void;
}

/**
 * Runs the cells. One that cannot be run, as its peer is not here, stops no other. A signal ends the cell at hand in
 * good order and leaves the rest for `resume`.
 * @throws UsageError when the folder cannot be used, or is of another campaign
 */
export async function runCells(
  cells: readonly Cell[],
  all: readonly SuiteTest[],
  options: CellOptions,
  observer: CampaignObserver,
  signal: AbortSignal,
): Promise<CellEnd[]> {
  begin(cells, options);
  const ends: CellEnd[] = [];
  for (const [i, cell] of cells.entries()) {
    if (signal.aborted) break;
    const end = await runCell(cell, all, options, () => observer.cell(cell, i + 1, cells.length), signal);
    ends.push(end);
    observer.ended(end);
  }
  return ends;
}

async function runCell(
  cell: Cell,
  all: readonly SuiteTest[],
  options: CellOptions,
  observer: () => Observer,
  signal: AbortSignal,
): Promise<CellEnd> {
  const folder = join(options.out, cell.name);
  const state = stateOf(folder);
  const { baseline } = cell.parameters;
  try {
    if (state === "whole") return { cell, how: "found", outcome: judgedRun(folder, all, baseline) };
    const runOptions = optionsOf(cell, folder, state === "half", options);
    return { cell, how: "run", outcome: await run(runOptions, observer(), signal) };
  } catch (error) {
    if (error instanceof LabError || error instanceof UsageError) return { cell, how: "not-run", error };
    throw error;
  }
}

function optionsOf(cell: Cell, out: string, resume: boolean, { jobs, laneRunner }: CellOptions): RunOptions {
  const { seed, baseline, limit, "test-limit": testLimit } = cell.parameters;
  return {
    ...cell.selection,
    ...{ seed, out, resume, jobs, formats: CELL_FORMATS },
    ...{ testLimitMs: testLimit * 1_000, runLimitMs: limit * 60_000 },
    ...(baseline !== undefined && { baseline }),
    ...(laneRunner && { laneRunner }),
  };
}

/** What a run has left of a cell. `half`: it was killed or cut short, and can be resumed. */
export type CellState = "none" | "half" | "whole";

export function stateOf(folder: string): CellState {
  const records = recordsIn(folder);
  const results = resultsFromJournal(records);
  if ("error" in results) return "none";
  return results.interrupted === undefined ? "whole" : "half";
}

/** None where there is no journal that can be read. */
export function recordsIn(folder: string): readonly JournalRecord[] {
  const file = join(folder, JOURNAL);
  const content = existsSync(file) ? readJournal(file) : { records: [] };
  return "error" in content ? [] : content.records;
}

const planSchema = z.strictObject({
  schema: z.literal(1),
  /** By name: what it runs. */
  cells: z.record(z.string(), z.unknown()),
});

/** Says what a shard is of, so that it can be resumed: shards of one campaign may share a folder. */
const PLAN = /^campaign-\d+-of-\d+\.json$/;
const planFile = ({ out, shard: { index, of } = { index: 1, of: 1 } }: Pick<CellOptions, "out" | "shard">) =>
  join(out, `campaign-${index}-of-${of}.json`);

/** By name of the cell: what it runs. */
type Begun = ReadonlyMap<string, unknown>;

/** @throws UsageError for a file that cannot be read */
function readPlan(file: string): Begun {
  try {
    return new Map(Object.entries(planSchema.parse(JSON.parse(readFileSync(file, "utf8"))).cells));
  } catch {
    throw new UsageError(`--resume: ${file}: is no plan of a campaign; without --resume it begins anew`);
  }
}

/**
 * The cells that the shard in a folder began with: by what is known of durations now, it might have others. Undefined
 * where it has not begun.
 * @throws UsageError when the campaign has changed since
 */
export function cellsBegun(
  cells: readonly Cell[],
  options: Pick<CellOptions, "out" | "shard">,
): Cell[] | undefined {
  const file = planFile(options);
  if (!existsSync(file)) return undefined;
  const begun = readPlan(file);
  const changed = [...begun.keys()].find(
    (name) => !cells.some((cell) => cell.name === name && isSame(cell, begun)),
  );
  if (changed === undefined) return cells.filter(({ name }) => begun.has(name));
  throw new UsageError(
    `--resume: ${changed} is not what it was when the campaign began; without --resume it begins anew`,
  );
}

/** Notes the plan. What is there of these cells goes, unless it is resumed and of the same. @throws UsageError, LabError */
function begin(cells: readonly Cell[], options: CellOptions): void {
  const { out, resume } = options;
  if (cells.length === 0) return;
  const plans = resume && existsSync(out) ? readdirSync(out).filter((name) => PLAN.test(name)) : [];
  const begun = plans.map((name) => readPlan(join(out, name)));
  for (const cell of cells)
    if (!begun.some((one) => isSame(cell, one))) prepareOut(join(out, cell.name), false)();
  const file = planFile(options);
  const plan = { schema: 1, cells: Object.fromEntries(cells.map((cell) => [cell.name, choiceOf(cell)])) };
  writable(out, () => {
    writeFileSync(`${file}.part`, `${JSON.stringify(plan, null, 2)}\n`);
    renameSync(`${file}.part`, file);
  });
}

const isSame = (cell: Cell, begun: Begun): boolean => isDeepStrictEqual(choiceOf(cell), begun.get(cell.name));

/** What two cells of one name must have in common to be one, as JSON has it. */
function choiceOf({ parameters, selection: { externals: _, ...selection }, tests }: Cell): unknown {
  return JSON.parse(JSON.stringify({ parameters, selection, tests }));
}
