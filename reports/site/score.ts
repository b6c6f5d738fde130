/**
 * How much of a document a peer meets in a role. The definition stands on every page that shows a score, so that anybody
 * can compute it again from `results.json` and the catalogue.
 */
import type { CatalogueEntry, Role } from "../extras.ts";
import { groupBy } from "../group.ts";
import { type Level, outcomeOf, type Verdict } from "../results.ts";
import type { DocumentPart, Entry, Subject } from "./model.ts";

/** What is known of one requirement, one peer and one role; the first that applies. */
export const STANDINGS = [
  "failed",
  "setup",
  "ambiguous",
  "behind",
  "unsupported",
  "met",
  "not run",
  "not testable",
  "not bound",
] as const;
export type RequirementStanding = (typeof STANDINGS)[number];

/** Levels that are counted together. */
export const GROUPS = ["MUST", "SHOULD", "MAY", "statement"] as const;
export type LevelGroup = (typeof GROUPS)[number];

export const groupOf = (level: Level): LevelGroup =>
  level === "stmt" ? "statement" : level === "MAY" ? "MAY" : level.startsWith("MUST") ? "MUST" : "SHOULD";

export const DEFINITION = [
  "A requirement counts for each peer and each role in which the catalogue says that it binds.",
  "It is met when all its tests there ended pass or tolerated, and failed when one ended fail, wrong-reason, crash or hang.",
  "If none failed but not all passed, it stands apart as the first of setup, ambiguous, behind and unsupported that one of its tests ended with: never met, and always in the denominator.",
  "The score is met / run: run are all requirements with at least one test here. Requirements that a tester could see but no test here names are not run; those that nobody can see on the wire are not testable. Both are told beside the score.",
  "MUST includes MUST NOT, SHOULD includes SHOULD NOT; a statement is a sentence without key word.",
];

/** A requirement with the tests that name it for a subject in a role. */
export function standingOf(
  requirement: Pick<CatalogueEntry, "roles" | "untestable">,
  role: Role,
  verdicts: readonly Verdict[],
): RequirementStanding {
  if (verdicts.length > 0) return ofVerdicts(verdicts);
  if (!requirement.roles.includes(role)) return "not bound";
  const { untestable } = requirement;
  const why = typeof untestable === "string" ? untestable : untestable?.[role];
  return why === undefined ? "not run" : "not testable";
}

function ofVerdicts(verdicts: readonly Verdict[]): RequirementStanding {
  if (verdicts.some((verdict) => verdict !== "setup" && ["failed", "broken"].includes(outcomeOf(verdict))))
    return "failed";
  const open = (["setup", "ambiguous", "behind", "unsupported"] as const).find((verdict) =>
    verdicts.includes(verdict),
  );
  return open ?? "met";
}

type Counted = Record<RequirementStanding, number>;

/** Requirements of a level group by standing. */
export interface Score {
  counts: Counted;
  met: number;
  /** The denominator. */
  run: number;
}

export function scoreOf(standings: readonly RequirementStanding[]): Score {
  const counts: Counted = {
    ...{ failed: 0, setup: 0, ambiguous: 0, behind: 0, unsupported: 0, met: 0 },
    ...{ "not run": 0, "not testable": 0, "not bound": 0 },
  };
  for (const standing of standings) counts[standing] += 1;
  const idle = counts["not run"] + counts["not testable"] + counts["not bound"];
  return { counts, met: counts.met, run: standings.length - idle };
}

/** Scores added up. */
export const sumOf = (scores: readonly Score[]): Score =>
  scoreOf(
    scores.flatMap(({ counts }) =>
      STANDINGS.flatMap((s) => new Array<RequirementStanding>(counts[s]).fill(s)),
    ),
  );

/** A requirement as its document's page shows it; one that only the results name has no text. */
export interface Annotated {
  id: string;
  section: string;
  level: Level;
  known?: CatalogueEntry;
  /** All results of tests that name it. */
  entries: Entry[];
}

/** The catalogue's requirements in its order, then what only results name. */
export function annotated({ catalogue, entries }: DocumentPart): Annotated[] {
  const named = groupBy(
    entries.flatMap((entry) => [...new Set(entry.test.requirements)].map((id) => ({ id, entry }))),
    ({ id }) => id,
  );
  const of = (id: string) => (named.get(id) ?? []).map(({ entry }) => entry);
  const known = Object.entries(catalogue?.requirements ?? {});
  const ids = new Set(known.map(([id]) => id));
  const strangers = [...named.keys()].filter((id) => !ids.has(id));
  return [
    ...known.map(([id, entry]) => ({
      id,
      section: entry.section,
      level: entry.level,
      known: entry,
      entries: of(id),
    })),
    ...strangers.map((id) => {
      const [first] = of(id);
      return {
        id,
        section: first?.test.section ?? "",
        level: first?.test.level ?? ("stmt" as const),
        entries: of(id),
      };
    }),
  ];
}

/** What is known of a requirement, for a subject in a role; without a catalogue it binds whoever was tested. */
export function standingFor(requirement: Annotated, subject: Subject, role: Role): RequirementStanding {
  const own = requirement.entries.filter((e) => e.subject === subject && e.test.role === role);
  return standingOf(
    requirement.known ?? { roles: [] },
    role,
    own.map(({ test }) => test.verdict),
  );
}

/** Scores of a subject in a role by level group. What the catalogue does not know or bind there is left out. */
export function scoresOf(
  requirements: readonly Annotated[],
  subject: Subject,
  role: Role,
): Record<LevelGroup, Score> {
  const of = (group: LevelGroup) =>
    scoreOf(
      requirements
        .filter(({ known, level }) => known?.roles.includes(role) && groupOf(level) === group)
        .map((requirement) => standingFor(requirement, subject, role)),
    );
  return { MUST: of("MUST"), SHOULD: of("SHOULD"), MAY: of("MAY"), statement: of("statement") };
}
