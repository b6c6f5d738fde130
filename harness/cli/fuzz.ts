/** `bakeoff fuzz`: campaigns of lies. */
import { statSync } from "node:fs";
import { Command, Option } from "commander";
import { type CampaignEnd, runCampaign } from "../../fuzz/campaign/campaign.ts";
import { readMuted } from "../../fuzz/campaign/muted.ts";
import type { CampaignOptions } from "../../fuzz/campaign/options.ts";
import { writePlan } from "../../fuzz/campaign/plan-file.ts";
import { allowedTarget, isAddress } from "../../fuzz/campaign/safety.ts";
import { faults } from "../../peers/builtin/faults/index.ts";
import { lies } from "../../peers/builtin/lies/index.ts";
import { variants } from "../../peers/builtin/variants.ts";
import type { DialFlags } from "../dial/wishes.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { boxesOf } from "./boxes.ts";
import { withDialOptions } from "./calling.ts";
import { EXIT } from "./exit.ts";
import { corpusCommand } from "./fuzz-corpus.ts";
import { exportCommand, releaseCommand } from "./fuzz-export.ts";
import { minimizeCommand } from "./fuzz-minimize.ts";
import { operatorsCommand } from "./fuzz-operators.ts";
import { replayCommand } from "./fuzz-replay.ts";
import { fuzzProgress, fuzzSummary } from "./fuzz-text.ts";
import { shardOf, wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";
import type { Finish } from "./program.ts";
import { onSignals } from "./signals.ts";

interface Flags extends DialFlags {
  peer: string[];
  stage: string[];
  setup: string[];
  role?: string;
  lie?: string;
  variant?: string;
  cases?: string;
  time: string;
  seed?: string;
  jobs?: string;
  shard?: string;
  out: string;
  resume?: true;
  corpus?: string;
  guidance: boolean;
  edges?: string;
  plan?: string;
  window?: string;
  differential?: true;
  targets?: string;
  mute?: string;
  rate?: string;
  restarts: string;
  json?: true;
}

/** Messages a second. */
const RATE = { lab: "20000", address: "200" } as const;

const EXAMPLES = `
Examples:
  bakeoff fuzz                                             a minute on the builtin peer
  bakeoff fuzz --lie dies-of-short-key-lengths --stage init   and on one that has a fault
  sudo -E npx bakeoff fuzz --peer strongswan@6.1 --time 20m --out night
  sudo -E npx bakeoff fuzz --resume --out night --time 20m   goes on where that ended
  sudo -E npx bakeoff fuzz --peer strongswan@6.1 --peer strongswan@6.0 --differential
  bakeoff fuzz --plan cases.jsonl --cases 2000 --seed 7      the cases alone, byte for byte the same
  bakeoff fuzz --peer 192.0.2.7 --targets mine.yaml --psk-file secret --remote-id gw.example
  bakeoff fuzz replay bakeoff-fuzz/findings/1f0c2a9b7d3e

A target is a peer of the lab, or an address that the file of targets lists: as responder only, for nobody tells it what
to do. Whatever is found that may hurt somebody is under embargo until bakeoff fuzz release.

Exit status: ${EXIT.ok} no finding, ${EXIT.verdict} a finding, ${EXIT.usage} wrong usage, ${EXIT.lab} the lab could not be set up, or the disk is full.
`;

const collect = (value: string, all: string[]): string[] => [...all, value];
const several = (flags: string, description: string, shown: string): Option =>
  new Option(flags, description).argParser(collect).default([], shown);

export function fuzzCommand(finish: Finish): Command {
  const command = withCases(withLimits(new Command("fuzz")))
    .enablePositionalOptions()
    .description("lies to peers behind the encryption, and keeps what goes wrong with them")
    .option("--out <dir>", "folder of journal, findings and corpus", "bakeoff-fuzz")
    .option("--resume", "goes on where the campaign in the folder ended, or was killed")
    .option("--plan <file>", "writes the cases there, one a line, and plays none")
    .option("--mute <file>", "signatures or ids of findings that are known, one a line: counted, not told")
    .option("--json", "the summary as JSON on standard output")
    .optionsGroup("Peers at addresses:")
    .option("--targets <file>", "list of addresses that you answer for as targets");
  withDialOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags) => fuzz(flags, finish));
  for (const sub of [replayCommand, minimizeCommand, exportCommand, releaseCommand])
    command.addCommand(sub(finish));
  command.addCommand(corpusCommand());
  return command.addCommand(operatorsCommand());
}

/** What is played against whom. */
const withCases = (command: Command): Command =>
  command
    .addOption(several("--peer <name[@version][:runtime]>", "a peer; may be given again", "builtin"))
    .addOption(
      several("--stage <stage>", "how far the conversation is at the first lie; may be given again", "all"),
    )
    .addOption(
      several(
        "--setup <name>",
        "what both ends are told, of `bakeoff fuzz operators --setups`; may be given again",
        "all",
      ),
    )
    .option("--role <role>", "the role the peer plays: initiator, responder or both (default: both)")
    .option("--lie <name>", "plants this bug in the builtin peer")
    .option("--variant <name>", "has the builtin peer make other legal choices")
    .option("--seed <s>", "seed of the cases (default: 1)")
    .option("--shard <i/n>", "only part i of n of the cases")
    .option("--corpus <dir>", "cases to begin with and to add to (default: corpus in the folder of --out)")
    .option("--edges <dir>", "folder into which an instrumented peer writes .sancov files, which guide, too")
    .option("--no-guidance", "makes cases of the seed alone, whatever the peer does")
    .option("--differential", "plays each case on all peers, and compares what comes of it");

/** When it ends, and how much of it at a time. */
const withLimits = (command: Command): Command =>
  command
    .option("--time <duration>", "hard end, as 90s, 20m or 8h", "1m")
    .option("--cases <n>", "ends after so many cases with each peer")
    .option("--jobs <n>", "lanes of each peer at a time (default: one a core for the builtin peer, else 1)")
    .option("--window <n>", "conversations at a time on a lane (default: 8)")
    .option(
      "--rate <n>",
      `messages a second to a peer, at most (default: ${RATE.lab}, to an address ${RATE.address})`,
    )
    .option("--restarts <n>", "how often a peer may be started again within an hour", "2000");

async function fuzz(flags: Flags, finish: Finish): Promise<void> {
  const options = await optionsOf(flags);
  if (flags.plan !== undefined) {
    const written = await writePlan(flags.plan, options);
    process.stderr.write(`${flags.plan}: ${written} cases\n`);
    return finish(EXIT.ok);
  }
  const shown = fuzzProgress(process.stderr);
  const signals = onSignals(process.stderr, "ending the campaign");
  try {
    const end = await runCampaign(options, shown, signals.signal);
    shown.close();
    process.stderr.write(fuzzSummary(flags.out, end));
    if (flags.json) printJson(end.campaign);
    finish(exitOf(end));
  } finally {
    signals.release();
  }
}

function exitOf({ full, lost, campaign, findings }: CampaignEnd): number {
  if (full || (lost.length > 0 && campaign.cases === 0)) return EXIT.lab;
  return findings > 0 ? EXIT.verdict : EXIT.ok;
}

/** @throws UsageError for what makes no sense */
async function optionsOf(flags: Flags): Promise<CampaignOptions> {
  const { seed, out, corpus, peer, stage, setup, lie, variant, cases, jobs, window, shard, role, edges } =
    flags;
  const addresses = peer.filter(isAddress);
  for (const given of addresses) allowedTarget(given, flags.targets);
  const ordinary = addresses.length > 0 ? "address" : "lab";
  checkNames(flags);
  return {
    ...{ out, resume: flags.resume ?? false, timeMs: duration(flags.time) },
    ...{
      rate: wholeNumber("--rate", flags.rate ?? RATE[ordinary], MOST_RATE),
      restartsAnHour: wholeNumber("--restarts", flags.restarts),
    },
    muted: flags.mute === undefined ? new Set() : readMuted(flags.mute),
    ...(seed !== undefined && { seed }),
    ...(corpus !== undefined && { corpus }),
    ...(edges !== undefined && { edges: folderOf("--edges", edges) }),
    ...(peer.length > 0 && { peers: peer }),
    ...(stage.length > 0 && { stages: stage }),
    ...(setup.length > 0 && { setups: setup }),
    ...(ordinary === "address" && { boxes: await boxesOf(addresses, flags), role: "responder" as const }),
    ...(role !== undefined && { role: roleOf(role) }),
    ...(lie !== undefined && { lie }),
    ...(variant !== undefined && { variant }),
    ...(shard !== undefined && { shard: shardOf(shard) }),
    ...(cases !== undefined && { cases: wholeNumber("--cases", cases, MOST_CASES) }),
    ...(jobs !== undefined && { jobs: wholeNumber("--jobs", jobs, MOST_JOBS) }),
    ...(window !== undefined && { window: wholeNumber("--window", window, MOST_WINDOW) }),
    ...(!flags.guidance && { guided: false }),
    ...(flags.differential && { differential: true }),
  };
}

function folderOf(option: string, given: string): string {
  if (statSync(given, { throwIfNoEntry: false })?.isDirectory()) return given;
  throw new UsageError(`${option} ${given}: is no folder`);
}

const MOST_RATE = 1_000_000;
const MOST_CASES = 1_000_000_000;
const MOST_JOBS = 64;
const MOST_WINDOW = 64;

const ROLES = ["initiator", "responder", "both"] as const;

function roleOf(given: string): (typeof ROLES)[number] {
  const found = ROLES.find((name) => name === given);
  if (!found) throw unknownName("role", given, ROLES);
  return found;
}

function checkNames({ lie, variant }: Flags): void {
  for (const [what, given, all] of [
    ["lie", lie, [...lies, ...faults]],
    ["variant", variant, variants],
  ] as const) {
    const names = all.map(({ name }) => name);
    if (given !== undefined && !names.includes(given)) throw unknownName(what, given, names);
  }
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
const LONGEST_MS = 7 * 24 * UNITS.h;

/** Milliseconds. @throws UsageError */
function duration(given: string): number {
  const [, number, unit] = /^(\d{1,7})([smh])$/.exec(given) ?? [];
  const factor = unit === "s" || unit === "m" || unit === "h" ? UNITS[unit] : 0;
  const ms = Number(number) * factor;
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  throw new UsageError(`--time ${given}: must be a duration as 90s, 20m or 8h, a week at most`);
}
