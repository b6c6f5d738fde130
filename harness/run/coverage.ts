/** How much of each document the tests look at. */
import type { Level } from "../../reports/results.ts";
import { catalogue, documents } from "./catalogue.ts";
import type { SuiteTest } from "./suites.ts";

export interface CoverageRow {
  document: string;
  level: Level;
  requirements: number;
  /** Those that a tester can see on the wire. */
  testable: number;
  covered: number;
}

/** A test that names a requirement that its document does not have. */
export interface UnknownRequirement {
  test: string;
  id: string;
}

const LEVELS: Level[] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stmt"];

export function coverageOf(tests: readonly SuiteTest[], only = documents()): CoverageRow[] {
  return only.flatMap((document) => {
    const own = tests.filter((test) => test.document === document);
    const named = new Set(own.flatMap(({ facts }) => facts.requirements));
    const all = Object.entries(catalogue(document)?.requirements ?? {});
    return LEVELS.flatMap((level) => {
      const those = all.filter(([, requirement]) => requirement.level === level);
      if (those.length === 0) return [];
      const testable = those.filter(([, { untestable }]) => untestable === undefined).length;
      const covered = those.filter(([id]) => named.has(id)).length;
      return [{ document, level, requirements: those.length, testable, covered }];
    });
  });
}

export function unknownRequirements(tests: readonly SuiteTest[]): UnknownRequirement[] {
  return tests.flatMap(({ id: test, document, facts }) => {
    const known = catalogue(document)?.requirements ?? {};
    return facts.requirements.filter((id) => !Object.hasOwn(known, id)).map((id) => ({ test, id }));
  });
}
