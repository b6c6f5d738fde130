/** `bakeoff fuzz minimize`: the shortest conversation that still shows a finding. */
import { Command } from "commander";
import { CLOSED, OPEN, writeWhole } from "../../fuzz/findings/files.ts";
import type { StoredFinding } from "../../fuzz/findings/finding.ts";
import { operatorsOf } from "../../fuzz/findings/store.ts";
import { inWords } from "../../fuzz/findings/words.ts";
import { type Minimised, minimise, USUAL_LIMITS } from "../../fuzz/minimise/minimise.ts";
import { changesOf } from "../../fuzz/trace.ts";
import { plural, printable } from "../../reports/text.ts";
import { writable } from "../run/report.ts";
import { EXIT } from "./exit.ts";
import { givenFinding, onPeer, type PeerFlags } from "./fuzz-finding.ts";
import { seconds, wholeNumber } from "./numbers.ts";
import type { Finish } from "./program.ts";

const EXAMPLES = `
Examples:
  bakeoff fuzz minimize bakeoff-fuzz/findings/1f0c2a9b7d3e
  bakeoff fuzz minimize finding.json --executions 1000 --time 300 --out smaller.json

Exit status: ${EXIT.ok} done, ${EXIT.verdict} it does not show any more, ${EXIT.usage} wrong usage, ${EXIT.lab} the lab could not be set up.
`;

interface Flags extends PeerFlags {
  executions: string;
  time: string;
  out?: string;
}

export function minimizeCommand(finish: Finish): Command {
  return new Command("minimize")
    .description(
      "looks for the shortest conversation that still shows a finding, and writes it into its file",
    )
    .argument("<finding>", "the file of a finding, or its folder")
    .option("--peer <name[@version][:runtime]>", "another peer of the lab than the one it was found on")
    .option("--lie <name>", "the fault planted in the builtin peer, or none (default: as it was found)")
    .option("--executions <n>", "conversations played at most", String(USUAL_LIMITS.executions))
    .option("--time <seconds>", "time at most", String(USUAL_LIMITS.ms / 1_000))
    .option("--out <file>", "writes there, and leaves the file as it is")
    .addHelpText("after", EXAMPLES)
    .action(async (given: string, flags: Flags) => finish(await minimize(given, flags)));
}

async function minimize(given: string, flags: Flags): Promise<number> {
  const limits = {
    executions: wholeNumber("--executions", flags.executions),
    ms: seconds("--time", flags.time),
  };
  const { path, finding } = givenFinding(given);
  const least = await onPeer(finding, flags, "ending the search", (lane) =>
    minimise(
      finding.trace,
      async (trace) => {
        const { alarms, outcome } = await lane.play(finding, trace);
        const shows = alarms.some(({ signature }) => signature === finding.signature);
        return shows ? outcome : undefined;
      },
      limits,
    ),
  );
  process.stdout.write(printable(textOf(finding, least)));
  if (!least.shown) return EXIT.verdict;
  const { trace, messages } = least;
  const smaller = { ...finding, trace, messages, minimised: true, operators: operatorsOf(trace) };
  const out = flags.out ?? path;
  const text = `${JSON.stringify(smaller, null, 1)}\n`;
  writable(out, () => writeWhole(out, text, finding.embargo ? CLOSED : OPEN));
  return EXIT.ok;
}

function textOf(finding: StoredFinding, { trace, executions, exhausted, shown }: Minimised): string {
  const played = `${plural(executions, "conversation")} played`;
  if (!shown) return `${finding.id}: does not show any more; ${played}\n`;
  const sizes = [finding.trace, trace].map(
    (one) => `${plural(one.steps.length, "step")} with ${plural(changesOf(one).length, "lie")}`,
  );
  const end = exhausted ? "; a limit came first, there may be a shorter one" : "";
  return [`${finding.id}: ${sizes.join(" -> ")}; ${played}${end}`, ...inWords(trace), ""].join("\n");
}
