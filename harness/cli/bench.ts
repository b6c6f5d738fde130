import { Command } from "commander";
import { benches, benchText, findBench } from "../bench/index.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { benchFuzzCommand } from "./bench-fuzz.ts";
import { benchPcapCommand } from "./bench-pcap.ts";
import { benchPqCommand } from "./bench-pq.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";

const EXAMPLES = `
Examples:
  bakeoff bench
  bakeoff bench wire esp --seconds 5
  bakeoff bench pq --loss 0,1,3,5,10
  bakeoff bench pcap --packets 100000
  bakeoff bench fuzz --seconds 5
`;

interface Flags {
  seconds: string;
  json?: true;
}

export function benchCommand(): Command {
  const names = benches.map(({ name }) => name);
  return (
    new Command("bench")
      .description("measures how fast this program is on this machine")
      .argument("[name...]", `any of ${names.join(", ")} (default: all)`)
      .option("--seconds <n>", "time for each", "3")
      .option("--json", "the figures as JSON on standard output")
      .addHelpText("after", EXAMPLES)
      // So that --json behind "pq" is that of pq.
      .enablePositionalOptions()
      .addCommand(benchPqCommand())
      .addCommand(benchPcapCommand())
      .addCommand(benchFuzzCommand())
      .action((given: string[], flags: Flags) => measure(given.length > 0 ? given : names, flags))
  );
}

async function measure(names: string[], flags: Flags): Promise<void> {
  const seconds = wholeNumber("--seconds", flags.seconds);
  for (const name of ["pq", "pcap", "fuzz"])
    if (names.includes(name)) throw new UsageError(`${name} stands alone: bakeoff bench ${name}`);
  const chosen = names.map((name) => {
    const bench = findBench(name);
    if (!bench)
      throw unknownName(
        "benchmark",
        name,
        benches.map((known) => known.name),
      );
    return bench;
  });
  const results = [];
  for (const bench of chosen) {
    process.stderr.write(`${bench.name}: ${bench.summary}\n`);
    results.push(await bench.run(seconds));
  }
  if (flags.json) printJson(results);
  else process.stdout.write(benchText(results));
}
