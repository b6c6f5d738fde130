/** `bakeoff report merge`. */
import { Command } from "commander";
import { USUAL_FORMATS } from "../../reports/write.ts";
import { mergeRuns } from "../run/merge.ts";
import { loadTests } from "../run/suites.ts";
import { EXIT } from "./exit.ts";
import { FORMATS_HELP, formats } from "./formats.ts";
import { printJson } from "./output.ts";
import type { Finish } from "./program.ts";
import { exitOf, said, summary } from "./summary.ts";

const EXAMPLES = `
Examples:
  bakeoff run --shard 1/2 --out shard-1
  bakeoff run --shard 2/2 --out shard-2
  bakeoff report merge shard-1 shard-2 --out whole

Exit status: as that of the single run, 1 when a shard is missing; 2 when the folders do not belong to one run.
`;

interface Flags {
  out: string;
  format: string;
  baseline?: string;
  json?: true;
}

export function mergeCommand(finish: Finish): Command {
  return new Command("merge")
    .description("puts the parts of a run together: what it writes is what the single run would have left")
    .argument("<dir...>", "the folders of the parts")
    .requiredOption("--out <dir>", "folder of the whole")
    .option("--format <list>", FORMATS_HELP, USUAL_FORMATS.join())
    .option("--baseline <file>", "another baseline than that of the run, or none")
    .option("--json", "the results as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (dirs: string[], flags: Flags) => {
      const merged = mergeRuns(dirs, flags.out, formats(flags.format), await loadTests(), flags.baseline);
      process.stderr.write(said(merged.said) + summary(merged));
      if (flags.json) printJson(merged.results);
      finish(merged.isWhole ? exitOf(merged.results) : Math.max(exitOf(merged.results), EXIT.verdict));
    });
}
