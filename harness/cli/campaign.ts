/** `bakeoff campaign`: peers x documents x roles x parameters. */
import { Command } from "commander";
import { addressPeer } from "../../peers/address/address-peer.ts";
import { plural } from "../../reports/text.ts";
import { type Cell, cellsOf } from "../campaign/cells.ts";
import { readDurations, shardOf as shardOfCells, weigher, writeDurations } from "../campaign/durations.ts";
import { type CampaignFile, readCampaign } from "../campaign/file.ts";
import { type MergedCampaign, mergeCells } from "../campaign/merge-cells.ts";
import { type CampaignObserver, type CellEnd, cellsBegun, runCells } from "../campaign/run-cells.ts";
import type { Shard } from "../run/plan.ts";
import { loadTests, type SuiteTest } from "../run/suites.ts";
import { UsageError } from "../run/usage-error.ts";
import { FileError } from "../run/yaml-file.ts";
import { EXIT } from "./exit.ts";
import { externalsNamed, externalsOf } from "./externals.ts";
import { shardOf, wholeNumber } from "./numbers.ts";
import { hasColor, oneLine, painter, printJson, table } from "./output.ts";
import type { Finish } from "./program.ts";
import { progress } from "./progress.ts";
import { onSignals } from "./signals.ts";
import { exitOf, said, summary } from "./summary.ts";

const EXAMPLES = `
Examples:
  bakeoff campaign nightly.yaml --list
  bakeoff campaign nightly.yaml --out nightly
  bakeoff campaign nightly.yaml --out nightly --resume
  bakeoff campaign nightly.yaml --shard 2/4 --out shard-2
  bakeoff campaign nightly.yaml --merge shard-1 shard-2 shard-3 shard-4 --out nightly

Exit status: 0 all as expected, 1 a verdict is not, or a cell is missing, 2 wrong usage, 3 a lab could not be set up.
`;

interface Flags {
  out: string;
  jobs: string;
  shard?: string;
  resume?: true;
  merge?: string[];
  list?: true;
  json?: true;
}

/** A campaign with all that it names. */
interface Campaign {
  file: CampaignFile;
  tests: readonly SuiteTest[];
  cells: Cell[];
}

export function campaignCommand(finish: Finish): Command {
  return new Command("campaign")
    .description("runs peers x documents x roles x parameters, and makes one site of the results")
    .argument("<file>", "the YAML file of the campaign")
    .option("--shard <i/n>", "only part i of n, balanced by the durations that are known; --merge follows")
    .option("--out <dir>", "folder of the campaign; each cell has its own in it", "bakeoff-campaign")
    .option("--resume", "goes on where the campaign in the folder ended, or was killed")
    .option("--jobs <n>", "lanes of a cell at a time", "1")
    .option("--merge <dir...>", "runs nothing, and puts the folders of all shards together")
    .option("--list", "runs nothing, and lists the cells")
    .option("--json", "what --list shows, or the merged results, as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, flags: Flags) => {
      checkFlags(flags);
      const campaign = await open(path, !flags.list && !flags.merge);
      if (flags.list) return list(campaign, flags);
      if (flags.merge) return finish(merge(campaign, flags.merge, flags));
      finish(await runCampaign(campaign, flags));
    });
}

/** @throws UsageError */
function checkFlags({ merge, list, shard, resume, json }: Flags): void {
  if (list && (merge ?? resume) !== undefined)
    throw new UsageError(`--${merge ? "merge" : "resume"}: --list runs nothing`);
  const other = shard !== undefined ? "shard" : resume ? "resume" : undefined;
  if (merge && other) throw new UsageError(`--${other}: --merge runs nothing`);
  if (json && shard !== undefined && !list)
    throw new UsageError("--json: the results of a shard are in the folders of its cells");
}

/** `runs`: the peers are needed, and not their names alone. @throws UsageError, LabError */
async function open(path: string, runs: boolean): Promise<Campaign> {
  const file = readCampaign(path);
  const at = file.peers.findIndex((peer) => addressPeer(peer) !== undefined);
  if (at !== -1)
    throw new FileError(path, `peers[${at}]`, `${file.peers[at]} needs a definition file of its own`);
  const means = { promptLimit: "60", ...{ natPort: "4500", encap: "auto", mode: "tunnel" } };
  const lists = { ike: [], esp: [], ppk: [], localTs: [], remoteTs: [] };
  const externals = runs ? await externalsOf(file.peers, { ...means, ...lists }) : externalsNamed(file.peers);
  const tests = await loadTests();
  return { file, tests, cells: cellsOf(file, tests, externals) };
}

/** The cells of a shard; what has begun stays with the shard that began it. */
function cellsFor({ file, cells }: Campaign, shard: Shard | undefined, out: string, resume: boolean): Cell[] {
  if (!shard) return cells;
  const begun = resume ? cellsBegun(cells, { out, shard }) : undefined;
  return begun ?? shardOfCells(cells, shard, readDurations(file.durations));
}

function list(campaign: Campaign, { shard, out, json }: Flags): void {
  const cells = cellsFor(campaign, shard === undefined ? undefined : shardOf(shard), out, false);
  const known = readDurations(campaign.file.durations);
  const weight = weigher(campaign.cells, known);
  const rows = cells.map((cell) => ({
    ...{ cell: cell.name, tests: cell.tests },
    ...(Object.keys(known).length > 0 && { expectedMs: Math.round(weight(cell)) }),
  }));
  if (json) return printJson(rows);
  const seconds = (ms?: number) => (ms === undefined ? "" : `${(ms / 1_000).toFixed(1)} s`);
  process.stdout.write(
    table(rows.map(({ cell, tests, expectedMs }) => [plural(tests, "test"), seconds(expectedMs), cell])),
  );
}

async function runCampaign(campaign: Campaign, flags: Flags): Promise<number> {
  const { out, json } = flags;
  const resume = flags.resume ?? false;
  const shard = flags.shard === undefined ? undefined : shardOf(flags.shard);
  const cells = cellsFor(campaign, shard, out, resume);
  const signals = onSignals(process.stderr, "ending the cell");
  try {
    const options = { out, resume, jobs: wholeNumber("--jobs", flags.jobs), ...(shard && { shard }) };
    const ends = await runCells(cells, campaign.tests, options, shown(process.stderr), signals.signal);
    const left = cells.length - ends.length;
    if (signals.signal.aborted) {
      process.stderr.write(`interrupted, ${plural(left, "cell")} left; --resume goes on\n`);
      return EXIT.verdict;
    }
    const status = worst(ends.map(statusOf));
    if (shard) {
      process.stderr.write(
        `shard ${shard.index}/${shard.of}: ${plural(cells.length, "cell")}; --merge follows\n`,
      );
      return status;
    }
    if (ends.every(({ how }) => how === "not-run")) return status;
    return worst([status, merge(campaign, [out], { out, json })]);
  } finally {
    signals.release();
  }
}

/** The progress of each cell, under its name. */
function shown(stream: NodeJS.WriteStream): CampaignObserver {
  const paint = painter(hasColor(stream));
  let close = () => {};
  return {
    cell(cell, place, of) {
      const observer = progress(stream);
      close = observer.close;
      stream.write(paint("bold", `cell ${place}/${of}  ${cell.name}\n`));
      return observer;
    },
    ended(end) {
      close();
      const { name } = end.cell;
      if (end.how === "not-run")
        stream.write(`${paint("red", "not run")}  ${name}: ${oneLine(end.error.message)}\n`);
      else if (end.how === "found") stream.write(`${name}: has been run\n`);
      else stream.write(`${name}: ${plural(end.outcome.results.tests.length, "test")}\n`);
    },
  };
}

function statusOf(end: CellEnd): number {
  if (end.how !== "not-run") return exitOf(end.outcome.results);
  return end.error instanceof UsageError ? EXIT.usage : EXIT.lab;
}

/** A verdict first: it says something of a peer. */
const worst = (statuses: readonly number[]): number =>
  [EXIT.verdict, EXIT.usage, EXIT.lab].find((status) => statuses.includes(status)) ?? EXIT.ok;

function merge(
  campaign: Campaign,
  folders: readonly string[],
  { out, json }: Pick<Flags, "out" | "json">,
): number {
  const { file, cells, tests } = campaign;
  const merged = mergeCells(cells, folders, out, tests);
  for (const { parameters, outcome } of merged.results)
    process.stderr.write(`${parameters}:\n${summary(outcome)}`);
  const missing = merged.missing.map((name) => `missing: ${name}`);
  process.stderr.write(
    said([...merged.said, ...missing, ...keepDurations(file, merged), `site: ${merged.site}`]),
  );
  if (json)
    printJson(merged.results.map(({ parameters, outcome }) => ({ parameters, results: outcome.results })));
  const status = worst(merged.results.map(({ outcome }) => exitOf(outcome.results)));
  return missing.length > 0 ? EXIT.verdict : status;
}

/** For the shards of next time. Where they cannot be kept nothing is lost but the balance, and that is said. */
function keepDurations({ durations }: CampaignFile, merged: MergedCampaign): string[] {
  try {
    writeDurations(durations, { ...readDurations(durations), ...merged.durations });
    return [];
  } catch (error) {
    return [`durations are not kept: ${error instanceof Error ? error.message : String(error)}`];
  }
}
