import { Command, Option } from "commander";
import type { PeerRole } from "../../peers/contract.ts";
import { USUAL_FORMATS } from "../../reports/write.ts";
import type { DialFlags } from "../dial/wishes.ts";
import type { GoldenOptions } from "../run/golden.ts";
import { run } from "../run/run.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { withDialOptions } from "./calling.ts";
import { externalsOf, type MeansFlags } from "./externals.ts";
import { FORMATS_HELP, formats } from "./formats.ts";
import { goldenText } from "./golden-text.ts";
import { shardOf, wholeNumber } from "./numbers.ts";
import { hasColor, painter, printJson } from "./output.ts";
import type { Finish } from "./program.ts";
import { progress } from "./progress.ts";
import { onSignals } from "./signals.ts";
import { exitOf, summary } from "./summary.ts";

interface Flags extends DialFlags, MeansFlags {
  revision: string[];
  peer: string[];
  role: string;
  grep?: string;
  lie?: string;
  variant?: string;
  jobs: string;
  seed?: string;
  out: string;
  format: string;
  resume?: true;
  baseline?: string;
  golden?: true;
  updateGolden?: true;
  shard?: string;
  suite: string[];
  goldenDir?: string;
  testLimit: string;
  limit: string;
  json?: true;
}

const EXAMPLES = `
Examples:
  bakeoff run
  bakeoff run rfc7296/2.8 rfc7383 --role responder
  bakeoff run esp-ping --revision esp-ping=E3 --revision esp-ping=M
  bakeoff run --lie omits-nonce --grep sends-a-nonce
  sudo -E npx bakeoff run --peer strongswan@6.1 --peer strongswan@6.1:uml --jobs 2
  sudo -E npx bakeoff run --golden --peer strongswan@6.1
  bakeoff run --resume --out bakeoff-report
  bakeoff run --shard 2/4 --out shard-2
  bakeoff run --suite found/rfc7296/2.10-no-nonce.suite.ts
  sudo -E npx bakeoff run rfc7296 --peer 192.0.2.7 --psk-file secret --id me@example --remote-id box.example
  sudo -E npx bakeoff run --role initiator --peer 192.0.2.7 --psk-file secret --hook http://192.0.2.7:8080/
  sudo -E npx bakeoff run rfc7296 --peer my-daemon.yaml

Exit status: 0 all as expected, 1 a verdict is not, 2 wrong usage, 3 the lab could not be set up.
`;

const ROLES = ["initiator", "responder", "both"] as const;

export function runCommand(finish: Finish): Command {
  const command = withGoldenOptions(withSelection(new Command("run")))
    .option("--lie <name>", "plants this bug in the builtin peer")
    .option("--variant <name>", "has the builtin peer make other legal choices")
    .option("--jobs <n>", "lanes at a time; a peer with many tests takes several", "1")
    .option("--seed <s>", "seed of everything that is random (default: 1)")
    .option("--out <dir>", "folder of the report", "bakeoff-report")
    .option("--format <list>", FORMATS_HELP, USUAL_FORMATS.join())
    .option("--resume", "goes on where the run in the folder ended")
    .option(
      "--baseline <file>",
      "what the peer is known to do, or none (default: baselines/<peer>@<version>.yaml)",
    )
    .option("--test-limit <seconds>", "hard end of one test", "120")
    .option("--limit <minutes>", "hard end of the run", "120")
    .option("--json", "the results as JSON on standard output");
  return withDialOptions(withMeans(command.optionsGroup("Peers at addresses:")))
    .addHelpText("after", EXAMPLES)
    .action((documents: string[], flags: Flags) => runAction(documents, flags, finish));
}

/** Which tests, against whom. */
function withSelection(command: Command): Command {
  const collect = (value: string, all: string[]) => [...all, value];
  return command
    .description("runs the suites against one or more peers, and writes a report")
    .argument(
      "[document...]",
      "documents, or parts of them: rfc7296, rfc7296/2.8, esp-ping@E3, a test's id (default: all)",
    )
    .addOption(
      new Option("--revision <document=name>", "a revision of a draft, or all of them; may be given again")
        .argParser(collect)
        .default([], "the newest of each"),
    )
    .addOption(
      new Option(
        "--peer <name[@version][:runtime]>",
        "a peer: a name, an address, or the YAML file that defines one; may be given again",
      )
        .argParser(collect)
        .default([], "builtin"),
    )
    .option("--role <role>", "the role the peer plays: initiator, responder or both", "both")
    .addOption(
      new Option("--suite <file>", "only the tests of this suite file, from anywhere; may be given again")
        .argParser(collect)
        .default([], "the suites' own"),
    )
    .option("--grep <re>", "only tests whose id matches this regular expression")
    .option("--shard <i/n>", "only part i of n; bakeoff report merge puts the parts together");
}

/** How a peer at an address is made to do something. */
const withMeans = (command: Command): Command =>
  command
    .option("--hook <url>", "posts there what the peer has to do, as JSON, as to begin an IKE SA")
    .option("--command <command>", "runs this with what the peer has to do: initiate, rekey-ike, reset, ...")
    .option("--prompt", "asks you to dial")
    .option("--prompt-limit <seconds>", "how long you are given for it", "60");

const withGoldenOptions = (command: Command): Command =>
  command
    .option(
      "--golden",
      "only the tests with a golden capture, and compares what was seen with it, by meaning",
    )
    .option("--update-golden", "as --golden, and takes what was seen for golden where it differs")
    .option("--golden-dir <dir>", "other golden captures than ours");

async function runAction(documents: string[], flags: Flags, finish: Finish): Promise<void> {
  const { grep, lie, variant, seed, out, baseline } = flags;
  const options = {
    ...{ documents, grep, lie, variant, seed, out, baseline },
    revisions: flags.revision,
    suites: flags.suite,
    peers: flags.peer.length > 0 ? flags.peer : ["builtin"],
    externals: await externalsOf(flags.peer, flags),
    role: role(flags.role),
    jobs: wholeNumber("--jobs", flags.jobs),
    formats: formats(flags.format),
    golden: goldenOf(flags),
    ...(flags.shard === undefined ? {} : { shard: shardOf(flags.shard) }),
    resume: flags.resume ?? false,
    testLimitMs: wholeNumber("--test-limit", flags.testLimit) * 1_000,
    runLimitMs: wholeNumber("--limit", flags.limit) * 60_000,
  };
  const boxes = [...options.externals.values()].filter(({ way }) => way.box);
  if (options.jobs > 1 && boxes.length > 1)
    throw new UsageError(
      `--jobs ${options.jobs}: peers at addresses are tested one at a time, from the same ports`,
    );
  const shown = progress(process.stderr);
  const signals = onSignals(process.stderr);
  try {
    const outcome = await run(options, shown, signals.signal);
    shown.close();
    process.stderr.write(summary(outcome));
    process.stderr.write(goldenText(outcome.golden, painter(hasColor(process.stderr))));
    if (flags.json) printJson(outcome.results);
    finish(exitOf(outcome.results));
  } finally {
    signals.release();
  }
}

/** @throws UsageError for a folder of golden captures without --golden */
function goldenOf({ golden, updateGolden, goldenDir }: Flags): GoldenOptions | undefined {
  if (!golden && !updateGolden) {
    if (goldenDir === undefined) return undefined;
    throw new UsageError("--golden-dir: is for --golden and --update-golden");
  }
  return { folder: goldenDir, update: updateGolden ?? false };
}

function role(given: string): PeerRole | "both" {
  const found = ROLES.find((name) => name === given);
  if (!found) throw unknownName("role", given, ROLES);
  return found;
}
