/** `npm run square [-- DOCUMENT...]`, in two processes where there are several tests: exit status 1 if there is a gap. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { VERDICTS } from "../../reports/results.ts";
import { EXIT, fail } from "../cli/exit.ts";
import { selectTests } from "./plan.ts";
import { formatRow, namesMissing, type Row, square } from "./square.ts";
import { loadTests, type SuiteTest } from "./suites.ts";

/** The first argument of the second process, which takes every other test and tells its rows to the first. */
const SECOND = "--second";

const rowSchema = z.object({
  test: z.string(),
  cells: z.array(
    z.object({
      kind: z.enum(["honest", "variant", "lie"]),
      name: z.string(),
      verdict: z.enum(VERDICTS),
      reason: z.string(),
      gap: z.string().optional(),
    }),
  ),
});

async function selected(documents: string[]): Promise<SuiteTest[]> {
  return selectTests(await loadTests(), { documents, revisions: "all", role: "both" });
}

async function second(documents: string[]): Promise<number> {
  const tests = (await selected(documents)).filter((_, i) => i % 2 === 1);
  const { rows } = await square(tests, false);
  for (const row of rows) await new Promise((sent) => process.send?.(row, sent));
  process.disconnect();
  return EXIT.ok;
}

/** The rows of the second process go to `take`, all of them before it resolves. */
async function helped(documents: string[], take: (row: Row) => void): Promise<void> {
  const other = fork(fileURLToPath(import.meta.url), [SECOND, ...documents]);
  other.on("message", (message) => take(rowSchema.parse(message)));
  await once(other, "disconnect");
}

async function first(documents: string[]): Promise<number> {
  const tests = await selected(documents);
  const rows: Row[] = [];
  const take = (row: Row): void => {
    rows.push(row);
    process.stdout.write(formatRow(row));
  };
  const ended = tests.length > 1 ? helped(documents, take) : undefined;
  await square(
    tests.filter((_, i) => i % 2 === 0),
    false,
    take,
  );
  await ended;
  const wrong = rows.flatMap(({ test, cells }) =>
    cells.flatMap(({ gap }) => (gap ? [`${test}: ${gap}`] : [])),
  );
  const lost = rows.length < tests.length ? [`${tests.length - rows.length} tests were not run`] : [];
  const gaps = [...wrong, ...lost, ...namesMissing(tests, documents.length === 0)];
  const runs = rows.reduce((sum, { cells }) => sum + cells.length, 0);
  process.stdout.write(`${rows.length} tests, ${runs} runs, ${gaps.length} gaps\n`);
  for (const gap of gaps) process.stdout.write(`gap: ${gap}\n`);
  return gaps.length === 0 ? EXIT.ok : EXIT.verdict;
}

const [mark, ...rest] = process.argv.slice(2);
const work = mark === SECOND ? second(rest) : first(process.argv.slice(2));
process.exitCode = await work.catch(fail);
