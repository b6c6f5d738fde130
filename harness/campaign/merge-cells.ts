/** What the cells of a campaign come to: one result for each set of parameters, and one site of all. */
import { join } from "node:path";
import { writeSite } from "../../reports/site/write-site.ts";
import type { ReportFormat } from "../../reports/write.ts";
import { mergeRuns } from "../run/merge.ts";
import { judgedRun, type RunOutcome, writable } from "../run/report.ts";
import { extrasOf } from "../run/site.ts";
import type { SuiteTest } from "../run/suites.ts";
import { UsageError } from "../run/usage-error.ts";
import type { Cell } from "./cells.ts";
import { type Durations, durationOf } from "./durations.ts";
import { recordsIn, stateOf } from "./run-cells.ts";

const MERGED_FORMATS: readonly ReportFormat[] = ["json", "junit", "sarif", "md"];

export interface MergedCampaign {
  /** By name of the parameters. */
  results: { parameters: string; outcome: RunOutcome }[];
  /** The first page. */
  site: string;
  /** What a user should know of what was merged, in sentences. */
  said: string[];
  /** Names of cells that nothing is there of. */
  missing: string[];
  durations: Durations;
}

/**
 * Merges the cells in `folders`, those of shards or of the whole, into `out/merged/<parameters>` and `out/site`.
 * @throws UsageError when they do not belong together, and where there is none
 */
export function mergeCells(
  cells: readonly Cell[],
  folders: readonly string[],
  out: string,
  tests: readonly SuiteTest[],
): MergedCampaign {
  const placed = cells.map((cell) => ({ cell, places: placesOf(cell, folders) }));
  const there = placed.filter(({ places }) => places.length > 0);
  if (there.length === 0) throw new UsageError(`${folders.join(" ")}: no cell of this campaign is there`);
  const said: string[] = [];
  const results = [...new Set(there.map(({ cell }) => cell.parameters.name))].map((parameters) => {
    const group = there.filter(({ cell }) => cell.parameters.name === parameters);
    const baseline = group[0]?.cell.parameters.baseline;
    const folder = join(out, "merged", parameters);
    const paths = group.flatMap(({ places }) => places);
    const { said: told, ...outcome } = mergeRuns(paths, folder, MERGED_FORMATS, tests, baseline);
    said.push(...told.map((sentence) => `${parameters}: ${sentence}`));
    return { parameters, folder, baseline, outcome };
  });
  const runs = results.map(({ folder, baseline }) => judgedRun(folder, tests, baseline));
  const site = writable(out, () =>
    writeSite(join(out, "site"), runs, extrasOf(tests, ...runs.map(({ results }) => results))),
  );
  const missing = placed.filter(({ places }) => places.length === 0).map(({ cell }) => cell.name);
  return { results, site, said, missing, durations: durationsOf(there) };
}

const placesOf = ({ name }: Cell, folders: readonly string[]): string[] =>
  folders.map((folder) => join(folder, name)).filter((place) => stateOf(place) !== "none");

/** Of cells that have been run to their end. */
const durationsOf = (placed: readonly { cell: Cell; places: readonly string[] }[]): Durations =>
  Object.fromEntries(
    placed.flatMap(({ cell, places }) => {
      const whole = places.find((place) => stateOf(place) === "whole");
      return whole === undefined
        ? []
        : [[cell.name, { ms: durationOf(recordsIn(whole)), tests: cell.tests }] as const];
    }),
  );
