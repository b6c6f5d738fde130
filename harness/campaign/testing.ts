/** For tests of campaigns: lanes in this process, where the suites are loaded already. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLane } from "../run/lane-run.ts";
import type { LaneRunner } from "../run/lanes.ts";
import type { Observer } from "../run/run.ts";
import { loadTests, type SuiteTest } from "../run/suites.ts";
import { type Cell, cellsOf } from "./cells.ts";
import { type CampaignFile, readCampaign } from "./file.ts";
import type { CampaignObserver } from "./run-cells.ts";

const root = join(import.meta.dirname, "../..");

/** How another process runs the program: the sources or, where it was just built, what users have. */
export const PROGRAM =
  process.env.CI === "true"
    ? { main: join(root, "bin/bakeoff.js"), options: [] }
    : { main: join(root, "harness/cli/main.ts"), options: ["--import", import.meta.resolve("tsx")] };

/** For peers in memory alone. */
export const laneHere: LaneRunner = async (order, { onMessage, signal }) => {
  let isDone = false;
  const say = async (message: Parameters<Parameters<typeof runLane>[1]>[0]) => {
    if (message.kind === "done") isDone = true;
    else onMessage(message);
  };
  await runLane(order, say, signal);
  return { how: isDone ? "done" : "stopped", detail: "" };
};

export const quiet: Observer = {
  ...{ planned: () => {}, testStarted: () => {}, told: () => {}, testFinished: () => {} },
  ...{ tryingAgain: () => {}, triedAgain: () => {}, writing: () => {} },
};

/** Says which cells are run. */
export const noting = (run: string[]): CampaignObserver => ({
  cell: ({ name }) => {
    run.push(name);
    return quiet;
  },
  ended: () => {},
});

export interface Written {
  folder: string;
  path: string;
  file: CampaignFile;
  tests: SuiteTest[];
  cells: Cell[];
}

/** A campaign in a new folder, which the test removes. */
export async function written(yaml: string): Promise<Written> {
  const folder = mkdtempSync(join(tmpdir(), "bakeoff-campaign-test-"));
  const path = join(folder, "campaign.yaml");
  writeFileSync(path, yaml);
  const [file, tests] = [readCampaign(path), await loadTests()];
  return { folder, path, file, tests, cells: cellsOf(file, tests) };
}
