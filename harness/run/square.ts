/**
 * The square that proves the tests themselves: each passes on the honest builtin peer and on its honest variants,
 * and fails on each of its lies. In memory, one after another.
 */
import { lies } from "../../peers/builtin/lies/index.ts";
import { variants } from "../../peers/builtin/variants.ts";
import { outcomeOf, type Verdict } from "../../reports/results.ts";
import { runTest } from "./lane.ts";
import { memoryPeer } from "./live-peer.ts";
import type { SuiteTest } from "./suites.ts";

/** One run of a test: on the honest peer, on a variant, or on a lie. */
export interface Cell {
  kind: "honest" | "variant" | "lie";
  name: string;
  verdict: Verdict;
  reason: string;
  /** What is wrong with it: an honest peer that does not pass, or a lie that is not caught. */
  gap?: string;
}

export interface Row {
  test: string;
  cells: Cell[];
}

export interface Square {
  rows: Row[];
  /** Everything that is missing, in words. */
  gaps: string[];
}

const TEST_LIMIT_MS = 60_000;

/** Runs the square of these tests; `whole` also looks for lies that no test catches. */
export async function square(
  tests: readonly SuiteTest[],
  whole: boolean,
  onRow: (row: Row) => void = () => {},
): Promise<Square> {
  const rows: Row[] = [];
  for (const test of tests) {
    const row = { test: test.id, cells: await cellsOf(test) };
    onRow(row);
    rows.push(row);
  }
  const wrong = rows.flatMap(({ test, cells }) =>
    cells.flatMap(({ gap }) => (gap ? [`${test}: ${gap}`] : [])),
  );
  return { rows, gaps: [...wrong, ...namesMissing(tests, whole)] };
}

/** Tests without a lie, names of lies that do not exist, and lies that no test is to catch. */
export function namesMissing(tests: readonly SuiteTest[], whole: boolean): string[] {
  const known = new Set(lies.map(({ name }) => name));
  const named = new Set(tests.flatMap(({ facts }) => facts.lies));
  return [
    ...tests.filter(({ facts }) => facts.lies.length === 0).map(({ id }) => `${id}: names no lie`),
    ...tests.flatMap(({ id, facts }) =>
      facts.lies.filter((name) => !known.has(name)).map((name) => `${id}: there is no lie ${name}`),
    ),
    ...(whole
      ? [...known].filter((name) => !named.has(name)).map((name) => `lie ${name}: no test names it`)
      : []),
  ];
}

async function cellsOf(test: SuiteTest): Promise<Cell[]> {
  const cells: Cell[] = [honestCell("honest", "honest", await once(test, {}))];
  for (const { name } of variants.filter(({ concerns }) => concerns?.(test.document, test.revision) ?? true))
    cells.push(honestCell("variant", name, await once(test, { variant: name })));
  for (const name of test.facts.lies) {
    if (lies.some((lie) => lie.name === name)) cells.push(lieCell(name, await once(test, { lie: name })));
  }
  return cells;
}

type Outcome = Pick<Cell, "verdict" | "reason">;

async function once(test: SuiteTest, planted: { lie?: string; variant?: string }): Promise<Outcome> {
  const order = { peer: "builtin:memory", id: "builtin", seed: "1", ...planted };
  const peer = memoryPeer(order, "");
  const { result } = await runTest(test, peer, { epochMs: peer.epochMs, testLimitMs: TEST_LIMIT_MS });
  return { verdict: result.verdict, reason: result.reason };
}

/** What a variant that lacks what the test is about may end with, or one that speaks it as it once was. */
const LACKING: readonly Verdict[] = ["unsupported", "behind"];

/** A variant may do what is tolerated, too; the honest peer does neither. */
function honestCell(kind: "honest" | "variant", name: string, { verdict, reason }: Outcome): Cell {
  const outcome = outcomeOf(verdict);
  const fine =
    verdict === "pass" || (kind === "variant" && (outcome === "passed" || LACKING.includes(verdict)));
  const gap = fine
    ? {}
    : { gap: `${kind === "honest" ? "the honest peer" : `variant ${name}`}: ${verdict}: ${reason}` };
  return { kind, name, verdict, reason, ...gap };
}

export const CAUGHT: readonly Verdict[] = ["fail", "wrong-reason", "crash", "hang"];

function lieCell(name: string, { verdict, reason }: Outcome): Cell {
  const gap = CAUGHT.includes(verdict) ? {} : { gap: uncaught(name, { verdict, reason }) };
  return { kind: "lie", name, verdict, reason, ...gap };
}

/** A lie that `bakeoff new` made begins without behaviour. */
function uncaught(name: string, { verdict, reason }: Outcome): string {
  const behaviour = lies.find((lie) => lie.name === name)?.behaviour() ?? {};
  return Object.keys(behaviour).length === 0
    ? `lie ${name} changes nothing yet: give it a behaviour in peers/builtin/lies, and the test an expectation that it breaks`
    : `lie ${name} is not caught: ${verdict}: ${reason}`;
}

/** A row as lines of text: one for the honest runs, one for each lie with the reason of its failure. */
export function formatRow({ test, cells }: Row): string {
  const good = cells.every(({ gap }) => gap === undefined);
  const honest = cells.filter(({ kind }) => kind !== "lie").map(({ name, verdict }) => `${name} ${verdict}`);
  const caught = cells.filter(({ kind }) => kind === "lie");
  const lines = [
    `${good ? "ok " : "GAP"} ${test}  ${honest.join(", ")}`,
    ...caught.map(({ name, verdict, reason }) => `      ${name}: ${verdict}: ${reason}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
