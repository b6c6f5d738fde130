/** `bakeoff bench fuzz`. */
import { Command } from "commander";
import { findPeer, PeerNameError } from "../../peers/definition.ts";
import { measureFuzz } from "../bench/fuzz.ts";
import { benchText } from "../bench/index.ts";
import { UsageError } from "../run/usage-error.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";
import { onSignals } from "./signals.ts";

const EXAMPLES = `
scapy's fuzz() builds the same message in the same run, where python3 has it. The rate of the closed loop stands beside
that at which the same peer answers honest IKE_SA_INIT requests one at a time. A real peer needs root.

Examples:
  bakeoff bench fuzz
  sudo -E npx bakeoff bench fuzz --peer strongswan@6.1 --seconds 5
`;

const MOST_AT_ONCE = 64;

interface Flags {
  peer: string;
  seconds: string;
  window: string;
  seed: string;
  json?: true;
}

export function benchFuzzCommand(): Command {
  return (
    new Command("fuzz")
      .description("making cases of the fuzzer, beside scapy; and playing them with a verdict for each")
      .option("--peer <name>", "the peer of the closed loop", "builtin:process")
      .option("--seconds <n>", "time for each figure", "3")
      .option("--window <n>", "conversations at once, beside one alone", "8")
      .option("--seed <text>", "equal seeds give equal cases", "1")
      .option("--json", "the figures as JSON on standard output")
      .addHelpText("after", EXAMPLES)
      // --json and --seconds are options of bench, too, which takes them first.
      .action((_flags: Flags, command: Command) => measure(command))
  );
}

/** Before the work. @throws UsageError naming the peer that there is not */
function checkPeer(spec: string): void {
  try {
    findPeer(spec);
  } catch (error) {
    if (error instanceof PeerNameError) throw new UsageError(`--peer ${spec}: ${error.message}`);
    throw error;
  }
}

async function measure(command: Command): Promise<void> {
  const flags: Flags = command.optsWithGlobals();
  const own: Flags = command.opts();
  const isGlobal = command.parent?.getOptionValueSource("seconds") === "cli";
  const seconds = wholeNumber("--seconds", isGlobal ? flags.seconds : own.seconds);
  const window = wholeNumber("--window", flags.window, MOST_AT_ONCE);
  checkPeer(flags.peer);
  const stop = onSignals(process.stderr, "ending the benchmark");
  try {
    const progress = (text: string) => process.stderr.write(`fuzz: ${text}\n`);
    const { peer, seed } = flags;
    const result = await measureFuzz({ peer, seconds, window, seed, progress, signal: stop.signal });
    if (flags.json) printJson(result);
    else process.stdout.write(benchText([result]));
  } finally {
    stop.release();
  }
}
