import { groupBy } from "./group.ts";
import type { Withheld } from "./results.ts";

/** One row for each peer and file. */
export function countWithheld(rows: readonly Withheld[]): Withheld[] {
  const same = groupBy(rows, ({ peer, file }) => JSON.stringify([peer, file]));
  return [...same.values()].flatMap(([first, ...others]) =>
    first ? [{ ...first, tests: others.reduce((sum, { tests }) => sum + tests, first.tests) }] : [],
  );
}
