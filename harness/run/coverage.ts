/** How much of each document the tests look at, for each role of the peer. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Level } from "../../reports/results.ts";
import {
  binds,
  type Catalogue,
  isTestable,
  LEVELS,
  type Requirement,
  ROLES,
  untestableIn,
} from "./catalogue.ts";
import type { SuiteTest } from "./suites.ts";

/** A test, as far as coverage goes. */
export type CoveringTest = Pick<SuiteTest, "id" | "document"> & {
  facts: Pick<SuiteTest["facts"], "requirements" | "peer" | "lies">;
};

export interface Counts {
  /** Requirements that bind a peer in this role. */
  requirements: number;
  /** Those that a tester can see on the wire. */
  testable: number;
  /** Testable ones that a test with the peer in this role names. */
  covered: number;
  /** Covered ones of which such a test has a lie. */
  withLie: number;
  /** Testable ones not covered. */
  todo: number;
}

export interface CoverageRow extends Counts {
  document: string;
  level: Level;
  role: PeerRole;
}

/** One row for each document, level and role that has requirements. */
export function coverageOf(tests: readonly CoveringTest[], catalogues: readonly Catalogue[]): CoverageRow[] {
  return catalogues.flatMap(({ document, requirements }) =>
    LEVELS.flatMap((level) =>
      ROLES.flatMap((role) => {
        const bound = Object.entries(requirements).filter(
          ([, requirement]) => requirement.level === level && binds(requirement, role),
        );
        if (bound.length === 0) return [];
        const own = tests.filter((test) => test.document === document && test.facts.peer === role);
        return [{ document, level, role, ...countsOf(bound, role, own) }];
      }),
    ),
  );
}

function countsOf(
  bound: readonly [id: string, requirement: Requirement][],
  role: PeerRole,
  tests: readonly CoveringTest[],
): Counts {
  const testable = bound.filter(([, requirement]) => isTestable(requirement, role)).map(([id]) => id);
  const named = idsOf(tests);
  const proven = idsOf(tests.filter(({ facts }) => facts.lies.length > 0));
  const covered = testable.filter((id) => named.has(id)).length;
  return {
    requirements: bound.length,
    testable: testable.length,
    covered,
    withLie: testable.filter((id) => proven.has(id)).length,
    todo: testable.length - covered,
  };
}

const idsOf = (tests: readonly CoveringTest[]): Set<string> =>
  new Set(tests.flatMap(({ facts }) => facts.requirements));

/** All counts added up. */
export function sumOf(rows: readonly Counts[]): Counts {
  const sum = { requirements: 0, testable: 0, covered: 0, withLie: 0, todo: 0 };
  for (const row of rows) {
    sum.requirements += row.requirements;
    sum.testable += row.testable;
    sum.covered += row.covered;
    sum.withLie += row.withLie;
    sum.todo += row.todo;
  }
  return sum;
}

/** What rows can be put together by. */
export const GROUPINGS = ["document", "level", "role"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Counts of all rows that agree in the role and in what they are grouped by. */
export type GroupedRow = Counts &
  Pick<CoverageRow, "role"> &
  Partial<Pick<CoverageRow, "document" | "level">>;

export function grouped(rows: readonly CoverageRow[], by: Grouping): GroupedRow[] {
  const values = [...new Set(rows.map((row) => row[by]))];
  return values.flatMap((value) =>
    ROLES.flatMap((role) => {
      const same = rows.filter((row) => row[by] === value && row.role === role);
      return same.length === 0 ? [] : [{ [by]: value, role, ...sumOf(same) }];
    }),
  );
}

/** A testable requirement that no test names in these roles. */
export interface Uncovered extends Pick<Requirement, "section" | "level" | "text" | "observed"> {
  document: string;
  id: string;
  roles: PeerRole[];
}

export function uncovered(tests: readonly CoveringTest[], catalogues: readonly Catalogue[]): Uncovered[] {
  return catalogues.flatMap(({ document, requirements }) => {
    const named = (role: PeerRole) =>
      idsOf(tests.filter((test) => test.document === document && test.facts.peer === role));
    const covered = { initiator: named("initiator"), responder: named("responder") };
    return Object.entries(requirements).flatMap(([id, requirement]) => {
      const roles = ROLES.filter((role) => isTestable(requirement, role) && !covered[role].has(id));
      const { section, level, text, observed } = requirement;
      return roles.length === 0 ? [] : [{ document, id, section, level, roles, text, observed }];
    });
  });
}

/**
 * What is wrong with what tests and lies say of the catalogue: a test without requirement, an id that does not exist,
 * one that does not bind the peer in the test's role, or that the catalogue calls untestable there.
 */
export function wrongClaims(
  tests: readonly CoveringTest[],
  lies: readonly { name: string; breaks: string }[],
  catalogues: readonly Catalogue[],
): string[] {
  const everything = new Set(catalogues.flatMap(({ requirements }) => Object.keys(requirements)));
  return [
    ...tests.flatMap((test) => {
      const known = catalogues.find(({ document }) => document === test.document)?.requirements ?? {};
      const { requirements, peer } = test.facts;
      if (requirements.length === 0) return [`${test.id}: names no requirement`];
      return requirements.flatMap((id) =>
        wrongClaim(id, known[id], peer).map((wrong) => `${test.id}: ${wrong}`),
      );
    }),
    ...lies.flatMap(({ name, breaks }) =>
      everything.has(breaks) ? [] : [`lie ${name}: there is no requirement ${breaks}`],
    ),
  ];
}

function wrongClaim(id: string, requirement: Requirement | undefined, role: PeerRole): string[] {
  if (!requirement) return [`there is no requirement ${id}`];
  if (!binds(requirement, role)) return [`${id} does not bind a peer that is ${role}`];
  const reason = untestableIn(requirement, role);
  return reason === undefined ? [] : [`${id} is called untestable with the peer as ${role}: ${reason}`];
}
