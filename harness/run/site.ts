/** What the reports tell beyond the results: the tests' own words and places, and the requirements. */
import type { Extras } from "../../reports/extras.ts";
import { catalogues } from "./catalogue.ts";
import { originsOf } from "./origins.ts";
import type { SuiteTest } from "./suites.ts";

/** @throws FileError when a catalogue cannot be read */
export const extrasOf = (tests: readonly SuiteTest[]): Extras => ({
  documentation: new Map(tests.map(({ id, page }) => [id, page])),
  catalogues: catalogues(),
  ...originsOf(tests),
});
