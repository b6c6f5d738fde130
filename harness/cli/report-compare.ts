/** `bakeoff report compare`. */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { type Compared, compareResults, type PeerPair } from "../../reports/compare.ts";
import { compareMarkdown, compareText } from "../../reports/compare-text.ts";
import { judgedRun, writable } from "../run/report.ts";
import { loadTests } from "../run/suites.ts";
import { UsageError } from "../run/usage-error.ts";
import { EXIT } from "./exit.ts";
import { printJson } from "./output.ts";
import type { Finish } from "./program.ts";

const EXAMPLES = `
Examples:
  bakeoff report compare last-week today
  bakeoff report compare last-week today --md changes.md
  bakeoff report compare bakeoff-report --peer-a strongswan@5.9 --peer-b strongswan@6.1 --json

Exit status: 0 nothing became worse, 1 something did, 2 wrong usage. A new test is no regression.
`;

interface Flags {
  peerA?: string;
  peerB?: string;
  baseline?: string;
  md?: string;
  json?: true;
}

export function compareCommand(finish: Finish): Command {
  return new Command("compare")
    .description(
      "what became worse, better or different from one run to another, and which tests are new or gone",
    )
    .argument("<old>", "the folder of a run, or its results.json")
    .argument("[new]", "that of the other; not given: the same, for two of its peers")
    .option("--peer-a <peer>", "compares this peer of the old run, as in strongswan@5.9")
    .option("--peer-b <peer>", "with this one of the new run")
    .option("--baseline <file>", "another baseline than those of the runs, or none")
    .option("--md <file>", "writes a page for a pull request, too")
    .option("--json", "the comparison as JSON on standard output, in place of the text")
    .addHelpText("after", EXAMPLES)
    .action(async (old: string, now: string | undefined, flags: Flags) => {
      const pair = pairOf(flags);
      if (now === undefined && !pair)
        throw new UsageError("a run to compare with is missing, or two peers of this one");
      const tests = await loadTests();
      const read = (name: string): Compared => ({
        name,
        results: judgedRun(name, tests, flags.baseline).results,
      });
      const before = read(old);
      const comparison = compareResults(before, now === undefined ? before : read(now), pair);
      if ("error" in comparison)
        throw new UsageError(`--peer-${comparison.side === "old" ? "a" : "b"}: ${comparison.reason}`);
      const { md, json } = flags;
      if (md !== undefined) writable(md, () => writeFileSync(md, compareMarkdown(comparison)));
      if (json) printJson(comparison);
      else process.stdout.write(compareText(comparison));
      if (comparison.totals.compared === 0) process.stderr.write(NOTHING_IN_COMMON);
      finish(comparison.totals.worse > 0 ? EXIT.verdict : EXIT.ok);
    });
}

const NOTHING_IN_COMMON =
  "warning: nothing was compared, for no test is in both runs on the same peer; --peer-a and --peer-b compare two peers, a run with a lie or variant has tests of its own\n";

/** @throws UsageError for one without the other */
function pairOf({ peerA, peerB }: Flags): PeerPair | undefined {
  if (peerA === undefined && peerB === undefined) return undefined;
  if (peerA === undefined || peerB === undefined)
    throw new UsageError(`--peer-${peerA === undefined ? "a" : "b"}: is missing beside the other peer`);
  return { old: peerA, new: peerB };
}
