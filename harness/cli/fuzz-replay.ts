/** `bakeoff fuzz replay`: a finding once more, alone. */
import { cpSync } from "node:fs";
import { Command } from "commander";
import type { StoredFinding } from "../../fuzz/findings/finding.ts";
import type { Played } from "../../fuzz/findings/replay.ts";
import { inWords } from "../../fuzz/findings/words.ts";
import { findOperator } from "../../fuzz/operators/index.ts";
import { plural, printable } from "../../reports/text.ts";
import { writable } from "../run/report.ts";
import { EXIT } from "./exit.ts";
import { givenFinding, onPeer, type PeerFlags } from "./fuzz-finding.ts";
import { wholeNumber } from "./numbers.ts";
import { oneLine, printJson } from "./output.ts";
import type { Finish } from "./program.ts";

const EXAMPLES = `
Examples:
  bakeoff fuzz replay bakeoff-fuzz/findings/1f0c2a9b7d3e
  bakeoff fuzz replay finding.json --times 10
  sudo -E npx bakeoff fuzz replay finding.json --peer strongswan@6.1 --out seen

Exit status: ${EXIT.ok} it does not show, ${EXIT.verdict} it shows, ${EXIT.usage} wrong usage, ${EXIT.lab} the lab could not be set up.
`;

interface Flags extends PeerFlags {
  times: string;
  out?: string;
  json?: true;
}

export function replayCommand(finish: Finish): Command {
  return new Command("replay")
    .description(
      "plays the conversation of a finding again on a fresh peer, and says whether the fault shows",
    )
    .argument("<finding>", "the file of a finding, or its folder")
    .option("--peer <name[@version][:runtime]>", "another peer of the lab than the one it was found on")
    .option("--lie <name>", "the fault planted in the builtin peer, or none (default: as it was found)")
    .option("--times <n>", "how often", "1")
    .option("--out <dir>", "keeps capture, keys and ladder of the last time there")
    .option("--json", "what was seen as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (given: string, flags: Flags) => finish(await replay(given, flags)));
}

async function replay(given: string, flags: Flags): Promise<number> {
  const times = wholeNumber("--times", flags.times);
  const { finding } = givenFinding(given);
  const { out } = flags;
  const all = await onPeer(finding, flags, "ending the replay", async (lane) => {
    const seen: Played[] = [];
    while (seen.length < times) seen.push(await lane.play(finding));
    const capture = seen.at(-1)?.capture;
    if (out !== undefined && capture !== undefined)
      writable(out, () => cpSync(capture, out, { recursive: true }));
    return seen;
  });
  if (flags.json) printJson(jsonOf(finding, all));
  else process.stdout.write(printable(textOf(finding, all)));
  return all.some(({ shown }) => shown) ? EXIT.verdict : EXIT.ok;
}

const jsonOf = ({ id, signature }: StoredFinding, all: readonly Played[]) => ({
  ...{ finding: id, signature, times: all.length, shown: all.filter(({ shown }) => shown).length },
  plays: all.map(({ alarms, outcome, shown }) => ({ shown: shown !== undefined, alarms, outcome })),
});

function textOf(finding: StoredFinding, all: readonly Played[]): string {
  const shown = all.filter((played) => played.shown);
  const [alarm] = shown.flatMap((played) => played.shown ?? []);
  const others = new Set(
    all
      .flatMap(({ alarms }) => alarms.map(({ signature }) => signature))
      .filter((one) => one !== alarm?.signature),
  );
  const count = `${shown.length} of ${plural(all.length, "time")}`;
  return [
    `${finding.id}: ${oneLine(finding.title)}`,
    ...inWords(finding.trace, (op) => findOperator(op)?.effect),
    "",
    all.at(-1)?.ladder ?? "",
    alarm ? `shows, ${count}: ${oneLine(alarm.title)}` : `does not show, ${count}`,
    ...(alarm && alarm.detail !== "" ? [alarm.detail.trimEnd()] : []),
    ...[...others].map((other) => `also: ${oneLine(other)}`),
    "",
  ].join("\n");
}
