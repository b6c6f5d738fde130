import { Command } from "commander";
import { report } from "../run/report.ts";
import { loadTests } from "../run/suites.ts";
import { formats } from "./formats.ts";
import type { Finish } from "./program.ts";
import { exitOf, summary } from "./summary.ts";

const EXAMPLES = `
Examples:
  bakeoff report bakeoff-report
  bakeoff report bakeoff-report --format html --baseline none
`;

export function reportCommand(finish: Finish): Command {
  return new Command("report")
    .description(
      "writes the reports of a run again, from its journal, judged by the baselines as they are now",
    )
    .argument("<dir>", "the folder of the run")
    .option("--format <list>", "any of json, junit, md, html, with commas", "json,junit,md,html")
    .option("--baseline <file>", "another baseline than that of the run, or none")
    .addHelpText("after", EXAMPLES)
    .action(async (dir: string, options: { format: string; baseline?: string }) => {
      const outcome = report(dir, formats(options.format), await loadTests(), options.baseline);
      process.stderr.write(summary(outcome));
      finish(exitOf(outcome.results));
    });
}
