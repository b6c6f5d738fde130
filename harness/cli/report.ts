/** `bakeoff report`: of one run again, or of several as one site. */
import { Command } from "commander";
import { writeSite } from "../../reports/site/write-site.ts";
import { type ReportFormat, USUAL_FORMATS } from "../../reports/write.ts";
import { mergeRuns } from "../run/merge.ts";
import { judgedRun, report, writable } from "../run/report.ts";
import { extrasOf } from "../run/site.ts";
import { loadTests, type SuiteTest } from "../run/suites.ts";
import { UsageError } from "../run/usage-error.ts";
import { FORMATS_HELP, formats } from "./formats.ts";
import type { Finish } from "./program.ts";
import { compareCommand } from "./report-compare.ts";
import { mergeCommand } from "./report-merge.ts";
import { exitOf, said, summary } from "./summary.ts";

const EXAMPLES = `
Examples:
  bakeoff report bakeoff-report
  bakeoff report bakeoff-report --format sarif,tap --baseline none
  bakeoff report strongswan-run libreswan-run --out site
  bakeoff report compare last-week today --md changes.md
  bakeoff report merge shard-1 shard-2 --out whole
`;

interface Flags {
  format?: string;
  baseline?: string;
  out?: string;
}

export function reportCommand(finish: Finish): Command {
  const command = new Command("report")
    .enablePositionalOptions()
    .description(
      "writes the reports of runs again, from their journals, judged by the baselines as they are now",
    )
    .argument("<dir...>", "the folder of a run, or its results.json; of several runs one site is made")
    .option("--format <list>", `${FORMATS_HELP} (default: ${USUAL_FORMATS.join()}; with --out: html)`)
    .option("--out <dir>", "a folder of its own for the reports; with html alone it becomes a site")
    .option("--baseline <file>", "another baseline than that of the run, or none")
    .addHelpText("after", EXAMPLES)
    .action(async (dirs: string[], flags: Flags) => {
      const tests = await loadTests();
      const wanted = flags.format === undefined ? undefined : formats(flags.format);
      const [first = "", ...others] = dirs;
      if (flags.out !== undefined) return finish(elsewhere(dirs, flags.out, wanted, flags.baseline, tests));
      if (others.length > 0) throw new UsageError("--out: is missing: where the report of several runs goes");
      const outcome = report(first, wanted ?? USUAL_FORMATS, tests, flags.baseline, sayWriting);
      process.stderr.write(summary(outcome));
      finish(exitOf(outcome.results));
    });
  command.addCommand(compareCommand(finish));
  command.addCommand(mergeCommand(finish));
  return command;
}

/** Thousands of tests take long; who watches is told. */
const sayWriting = (): void => {
  if (process.stderr.isTTY) process.stderr.write("writing the reports\n");
};

/** A site of all the runs; for formats that are of one run, they are merged first. Gives the exit status. */
function elsewhere(
  dirs: readonly string[],
  out: string,
  wanted: readonly ReportFormat[] = ["html"],
  baseline: string | undefined,
  tests: readonly SuiteTest[],
): number {
  if (wanted.some((format) => format !== "html")) {
    const merged = mergeRuns(dirs, out, wanted, tests, baseline);
    process.stderr.write(said(merged.said) + summary(merged));
    return exitOf(merged.results);
  }
  const runs = dirs.map((dir) => judgedRun(dir, tests, baseline));
  sayWriting();
  const file = writable(out, () =>
    writeSite(out, runs, extrasOf(tests, ...runs.map(({ results }) => results))),
  );
  for (const { results } of runs) process.stderr.write(summary({ results, files: [file] }));
  return Math.max(...runs.map(({ results }) => exitOf(results)));
}
