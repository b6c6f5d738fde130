/** `bakeoff bench pcap`. */
import { Command, Option } from "commander";
import { benchText } from "../bench/index.ts";
import { measurePcap } from "../bench/pcap.ts";
import { UsageError } from "../run/usage-error.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";

const EXAMPLES = `
tshark reads the same file in the same run, which for a million packets takes a minute or more; without tshark the
figures stand alone. Two captures of 450 octets a packet lie in the folder for temporary files meanwhile.

Examples:
  bakeoff bench pcap
  bakeoff bench pcap --packets 50000 --json
`;

/** Captures of 45 GB. */
const MOST_PACKETS = 100_000_000;

interface Flags {
  packets: string;
  seed: string;
  json?: true;
}

export function benchPcapCommand(): Command {
  return (
    new Command("pcap")
      .description("reading, decrypting and comparing long captures of IKE and ESP, beside tshark -T json")
      .option("--packets <n>", "packets in the capture", "1000000")
      .option("--seed <text>", "equal seeds give equal captures", "1")
      .option("--json", "the figures as JSON on standard output")
      // The other benchmarks have it, and so it is asked for here as well.
      .addOption(new Option("--seconds <n>").hideHelp())
      .addHelpText("after", EXAMPLES)
      .action((_flags: Flags, command: Command) => {
        const isTimed = [command, command.parent].some((at) => at?.getOptionValueSource("seconds") === "cli");
        if (isTimed) throw new UsageError("--seconds: pcap takes as long as its packets do; see --packets");
        // --json is an option of bench, too, which takes it first.
        return measure(command.optsWithGlobals());
      })
  );
}

async function measure(flags: Flags): Promise<void> {
  const packets = wholeNumber("--packets", flags.packets, MOST_PACKETS);
  const start = performance.now();
  const progress = (text: string) => {
    const seconds = Math.round((performance.now() - start) / 1000);
    process.stderr.write(`pcap: after ${seconds} s: ${text}\n`);
  };
  const result = await measurePcap({ packets, seed: flags.seed, progress });
  if (flags.json) printJson(result);
  else process.stdout.write(benchText([result]));
}
