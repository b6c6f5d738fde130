/** `bakeoff bench pq`. */
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { measurePq, type PqOptions } from "../bench/pq.ts";
import { pqPlot } from "../bench/pq-plot.ts";
import { pqText } from "../bench/pq-text.ts";
import { UsageError } from "../run/usage-error.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";

const EXAMPLES = `
Examples:
  bakeoff bench pq --loss 0,1,3,5,10
  bakeoff bench pq --loss 0,2 --rtt 120 --runs 1000 --seed 7 --svg loss.svg
`;

interface Flags {
  loss: string;
  rtt: string;
  runs: string;
  seed: string;
  svg?: string;
  json?: true;
}

export function benchPqCommand(): Command {
  return (
    new Command("pq")
      .description(
        "handshakes with post-quantum key exchanges over a network that loses packets, in virtual time",
      )
      .option("--loss <list>", "rates of loss in percent, with commas", "0,1,3,5,10")
      .option("--rtt <ms>", "milliseconds to the peer and back", "50")
      .option("--runs <n>", "handshakes for each rate, packet size and key exchange", "200")
      .option("--seed <text>", "equal seeds give equal figures, those of computing apart", "1")
      .option("--svg <file>", "writes a plot, too")
      .option("--json", "the figures as JSON on standard output")
      // The other benchmarks have it, and so it is asked for here as well.
      .addOption(new Option("--seconds <n>").hideHelp())
      .addHelpText("after", EXAMPLES)
      .action((_flags: Flags, command: Command) => {
        const isTimed = [command, command.parent].some((at) => at?.getOptionValueSource("seconds") === "cli");
        if (isTimed) throw new UsageError("--seconds: pq takes as long as its handshakes do; see --runs");
        // --json is an option of bench, too, which takes it first.
        return measure(command.optsWithGlobals());
      })
  );
}

const MOST_LOSS = 99;
const LONGEST_RTT = 10_000;
const DECIMAL = /^\d+(\.\d+)?$/;

/** Rates in percent, the smallest first. @throws UsageError naming the rate that is none */
export function lossRates(given: string): number[] {
  const rates = given.split(",").map((part) => {
    const text = part.trim();
    if (DECIMAL.test(text) && Number(text) <= MOST_LOSS) return Number(text);
    throw new UsageError(
      `--loss ${given}: "${text}" must be a number of percent from 0 to ${MOST_LOSS}, as in --loss 0,1,2.5`,
    );
  });
  const twice = rates.find((rate, i) => rates.indexOf(rate) < i);
  if (twice !== undefined) throw new UsageError(`--loss ${given}: ${twice} is named twice`);
  return rates.sort((a, b) => a - b);
}

function roundTrip(given: string): number {
  const value = Number(given);
  if (DECIMAL.test(given) && value > 0 && value <= LONGEST_RTT) return value;
  throw new UsageError(
    `--rtt ${given}: must be a number of milliseconds, more than 0 and up to ${LONGEST_RTT}`,
  );
}

/** Before the work, which takes a minute; leaves nothing behind, should that be interrupted. @throws UsageError */
function checkWritable(file: string): void {
  const isNew = !existsSync(file);
  try {
    closeSync(openSync(file, "a"));
    if (isNew) rmSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--svg ${file}: cannot be written: ${why}`);
  }
}

const CLEAR = "\r\x1b[2K";

/** One live line on a terminal; elsewhere the program is silent until it has its figures. */
function liveLine(stream: NodeJS.WriteStream): { progress: PqOptions["progress"]; close(): void } {
  if (stream.isTTY !== true) return { progress: () => {}, close: () => {} };
  const width = (stream.columns || 80) - 1;
  return {
    progress: (cell, cells, what) => stream.write(`${CLEAR}${`[${cell}/${cells}] ${what}`.slice(0, width)}`),
    close: () => stream.write(CLEAR),
  };
}

async function measure(flags: Flags): Promise<void> {
  const losses = lossRates(flags.loss);
  const rttMs = roundTrip(flags.rtt);
  const runs = wholeNumber("--runs", flags.runs);
  if (flags.svg !== undefined) checkWritable(flags.svg);
  process.stderr.write(`pq: ${runs} handshakes a cell, seed ${flags.seed}\n`);
  const live = liveLine(process.stderr);
  const start = performance.now();
  const result = await measurePq({ losses, rttMs, runs, seed: flags.seed, progress: live.progress });
  live.close();
  process.stderr.write(`pq: done in ${Math.round((performance.now() - start) / 1000)} s\n`);
  if (flags.svg !== undefined) writeFileSync(flags.svg, pqPlot(result));
  if (flags.json) printJson(result);
  else process.stdout.write(pqText(result));
}
