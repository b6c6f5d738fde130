/** Which revisions of the documents a user chose, and names of tests with their revision. */
import { documentFacts, factsOf } from "../wire/documents/index.ts";
import type { SuiteTest } from "./suites.ts";
import { UsageError, unknownName } from "./usage-error.ts";

type Placed = Pick<SuiteTest, "id" | "document" | "revision">;

/** What is in an id behind its document: `/4/answers-an-echo`. */
const placeOf = ({ id }: Placed): string => id.slice(id.indexOf("/"));

/** The id that a test has at the newest revision of its document: `esp-ping/4/answers-an-echo`. */
export const plainId = (test: Placed): string => test.document + placeOf(test);

/** The id with the revision, also where that is the newest: `esp-ping@M/4/answers-an-echo`. */
export const fullId = (test: Placed): string => `${test.document}@${test.revision}${placeOf(test)}`;

/**
 * Whether a test is of a revision that was chosen, by `DOCUMENT=NAME` each; `all` as a name stands for every revision
 * of the document. A document that is not named has its newest alone.
 * @throws UsageError for a name that does not exist
 */
export function revisionFilter(choices: readonly string[]): (test: Placed) => boolean {
  const chosen = new Map<string, Set<string>>();
  for (const choice of choices) {
    const [document, names] = parseChoice(choice);
    chosen.set(document, new Set([...(chosen.get(document) ?? []), ...names]));
  }
  return ({ document, revision }) => {
    const [newest = ""] = revisionsOf(document);
    return chosen.get(document)?.has(revision) ?? revision === newest;
  };
}

function parseChoice(choice: string): [document: string, revisions: readonly string[]] {
  const [document = "", name] = choice.split(/=(.*)/s);
  if (name === undefined)
    throw new UsageError(`--revision ${choice}: must be DOCUMENT=NAME, as in esp-ping=E3, or DOCUMENT=all`);
  const revised = documentFacts.filter(({ revisions }) => revisions.length > 0).map((facts) => facts.name);
  if (!revised.includes(document)) throw unknownName("document with revisions", document, revised);
  if (name === "all") return [document, revisionsOf(document)];
  checkRevision(document, name);
  return [document, [name]];
}

/** @throws UsageError */
export function checkRevision(document: string, name: string): void {
  const known = revisionsOf(document);
  if (known.length === 0) throw new UsageError(`${document} has no revisions, "${name}" is none of it`);
  if (!known.includes(name)) throw unknownName(`revision of ${document}`, name, [...known, "all"]);
}

const revisionsOf = (document: string): string[] =>
  factsOf(document)?.revisions.map(({ name }) => name) ?? [];
