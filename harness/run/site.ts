/** What the reports tell beyond the results: the tests' own words and places, and the requirements. */
import type { Extras } from "../../reports/extras.ts";
import type { Results } from "../../reports/results.ts";
import { catalogues } from "./catalogue.ts";
import { originsOf } from "./origins.ts";
import { pageOf, type SuiteTest } from "./suites.ts";

/**
 * Of the tests that are in the results.
 * @throws FileError when a catalogue cannot be read
 */
export function extrasOf(all: readonly SuiteTest[], ...results: readonly Results[]): Extras {
  const reported = new Set(results.flatMap(({ tests }) => tests.map(({ id }) => id)));
  const tests = all.filter(({ id }) => reported.has(id));
  return {
    documentation: new Map(tests.map((test) => [test.id, pageOf(test)])),
    catalogues: catalogues(),
    ...originsOf(tests),
  };
}
