import { Command } from "commander";
import { formatDoctor, runDoctor } from "./doctor.ts";
import { hasColor, printJson } from "./output.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("what this machine can run, and what to install for the rest")
    .option("--json", "the checks as JSON on standard output")
    .addHelpText("after", "\nExamples:\n  bakeoff doctor\n  sudo npx bakeoff doctor\n")
    .action(async ({ json }: { json?: true }) => {
      const checks = await runDoctor();
      if (json) printJson(checks);
      else process.stdout.write(formatDoctor(checks, hasColor(process.stdout)));
    });
}
