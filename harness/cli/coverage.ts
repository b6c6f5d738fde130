import { Command } from "commander";
import { lies } from "../../peers/builtin/lies/index.ts";
import { catalogues, documents } from "../run/catalogue.ts";
import { coverageOf, GROUPINGS, type Grouping, grouped, uncovered, wrongClaims } from "../run/coverage.ts";
import { changes, fallen, inWords, recordedCoverage, recordOf, writeRecord } from "../run/coverage-gate.ts";
import { loadTests, type SuiteTest } from "../run/suites.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { factsOf } from "../wire/documents/index.ts";
import { coverageTable, todoTable } from "./coverage-table.ts";
import { EXIT } from "./exit.ts";
import { hasColor, painter } from "./output.ts";
import type { Finish } from "./program.ts";

const EXAMPLES = `
Rows are the requirements that bind a peer in that role, % is how many of the testable ones are covered.

Examples:
  bakeoff coverage
  bakeoff coverage rfc7296 --by role
  bakeoff coverage rfc7427 --todo           what still wants a test
  bakeoff coverage --update                 after tests were added
`;

interface Options {
  by?: Grouping;
  todo?: true;
  json?: true;
  update?: true;
}

export function coverageCommand(finish: Finish): Command {
  return new Command("coverage")
    .description("how many of the testable requirements have a test, by document, level and role of the peer")
    .argument("[document...]", "all documents when none is named")
    .option("--by <what>", `one line for each of: ${GROUPINGS.join(", ")}`, grouping)
    .option("--todo", "list the testable requirements without a test")
    .option("--json", "as JSON on standard output")
    .option("--update", "write suites/coverage.json, below which coverage must not fall")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], options: Options) => {
      const chosen = chooseDocuments(names);
      const tests = await loadTests();
      process.stdout.write(shown(tests, chosen, options));
      refuseWrongClaims(tests);
      if (!compareWithRecord(tests, options.update === true)) finish(EXIT.verdict);
    });
}

function grouping(given: string): Grouping {
  const found = GROUPINGS.find((name) => name === given);
  if (!found) throw unknownName("grouping", given, GROUPINGS);
  return found;
}

function chooseDocuments(names: string[]): string[] {
  const known = documents();
  for (const name of names) if (!known.includes(name)) throw unknownName("document", name, known);
  return names.length > 0 ? names : known;
}

function shown(tests: readonly SuiteTest[], chosen: string[], { by, todo, json }: Options): string {
  const paint = painter(hasColor(process.stdout));
  if (todo) {
    const rows = uncovered(tests, catalogues(chosen));
    return json ? asJson(rows) : todoTable(rows, paint);
  }
  const rows = coverageOf(tests, catalogues(chosen));
  if (json) return asJson((by ? grouped(rows, by) : rows).map(withProvisional));
  return coverageTable(rows, by, paint) + provisionalLines(chosen);
}

/** What of the row's document is our own definition. */
const withProvisional = <R extends { document?: string }>(row: R): R & { provisional?: string } => {
  const provisional = factsOf(row.document ?? "")?.provisional;
  return provisional === undefined ? row : { ...row, provisional };
};

const provisionalLines = (chosen: readonly string[]): string =>
  chosen
    .map((document) => withProvisional({ document }))
    .flatMap(({ document, provisional }) =>
      provisional === undefined ? [] : [`provisional in ${document}, our own definition: ${provisional}\n`],
    )
    .join("");

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function refuseWrongClaims(tests: readonly SuiteTest[]): void {
  const wrong = wrongClaims(tests, lies, catalogues());
  for (const each of wrong.slice(1)) process.stderr.write(`bakeoff: ${each}\n`);
  if (wrong[0] !== undefined) throw new UsageError(wrong[0]);
}

/** False if coverage fell. The record is of all documents, whichever are shown. */
function compareWithRecord(tests: readonly SuiteTest[], update: boolean): boolean {
  const now = recordOf(coverageOf(tests, catalogues()));
  const all = changes(recordedCoverage(), now);
  for (const change of all) process.stderr.write(`${inWords(change)}\n`);
  if (update) writeRecord(now);
  else if (all.length > 0) process.stderr.write("to record this: bakeoff coverage --update\n");
  return update || fallen(all).length === 0;
}
