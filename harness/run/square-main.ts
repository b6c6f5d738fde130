/** `npm run square [-- DOCUMENT...]`: exit status 1 if there is a gap. */
import { EXIT, fail } from "../cli/exit.ts";
import { selectTests } from "./plan.ts";
import { formatRow, square } from "./square.ts";
import { loadTests } from "./suites.ts";

async function main(documents: string[]): Promise<number> {
  const tests = selectTests(await loadTests(), { documents, revisions: "all", role: "both" });
  const { rows, gaps } = await square(tests, documents.length === 0, (row) =>
    process.stdout.write(formatRow(row)),
  );
  const runs = rows.reduce((sum, { cells }) => sum + cells.length, 0);
  process.stdout.write(`${rows.length} tests, ${runs} runs, ${gaps.length} gaps\n`);
  for (const gap of gaps) process.stdout.write(`gap: ${gap}\n`);
  return gaps.length === 0 ? EXIT.ok : EXIT.verdict;
}

process.exitCode = await main(process.argv.slice(2)).catch(fail);
