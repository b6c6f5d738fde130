import { Command } from "commander";
import { documents } from "../run/catalogue.ts";
import { coverageOf, unknownRequirements } from "../run/coverage.ts";
import { loadTests } from "../run/suites.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { printJson, table } from "./output.ts";

const EXAMPLES = `
Examples:
  bakeoff coverage
  bakeoff coverage rfc7296 --json
`;

export function coverageCommand(): Command {
  return new Command("coverage")
    .description("how many of the testable requirements have a test, by document and level")
    .argument("[document...]", "all documents when none is named")
    .option("--json", "as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], { json }: { json?: true }) => {
      const known = documents();
      for (const name of names) if (!known.includes(name)) throw unknownName("document", name, known);
      const tests = await loadTests();
      const rows = coverageOf(tests, names.length > 0 ? names : known);
      if (json) printJson(rows);
      else {
        const head = ["document", "level", "requirements", "testable", "covered"];
        const cells = rows.map((r) =>
          [r.document, r.level, r.requirements, r.testable, r.covered].map(String),
        );
        process.stdout.write(table([head, ...cells]));
      }
      const [wrong] = unknownRequirements(tests);
      if (wrong) throw new UsageError(`${wrong.test}: requirements: there is no ${wrong.id}`);
    });
}
