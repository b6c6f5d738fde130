/** One or many runs as a site tells of them: who was tested, in which documents, and the page of each result. */
import { basename, resolve } from "node:path";
import type { DocumentCatalogue, Extras } from "../extras.ts";
import { groupBy } from "../group.ts";
import { documentLabel, type PeerInfo, type Results, type TestResult } from "../results.ts";
import { fileName, folderOfId, UniqueNames } from "./names.ts";
import type { SiteInput } from "./types.ts";

export interface Run {
  /** Counted from 1. */
  number: number;
  name: string;
  folder: string;
  results: Results;
}

/** A peer as it was tested: the same peer with a lie, in another build or in a repetition of its tests is another. */
export interface Subject {
  label: string;
  /** Name in paths; its page is `peers/<slug>.html`. */
  slug: string;
  peer: string;
  lie?: string;
  info?: PeerInfo;
  runs: Run[];
  entries: Entry[];
}

/** A result and where it stands. */
export interface Entry {
  test: TestResult;
  run: Run;
  subject: Subject;
  /** Path without `.html`; the folder of the same name holds its evidence. */
  place: string;
}

/** A document at one revision. */
export interface DocumentPart {
  label: string;
  slug: string;
  document: string;
  revision: string;
  provisional?: string;
  catalogue?: DocumentCatalogue;
  entries: Entry[];
}

export interface Site {
  runs: Run[];
  subjects: Subject[];
  documents: DocumentPart[];
  entries: Entry[];
  /** Entries by id of the test. */
  byId: ReadonlyMap<string, Entry[]>;
  extras: Extras;
}

export function siteOf(inputs: readonly SiteInput[], extras: Extras): Site {
  const runs = inputs.map(({ folder, results, name }, index) => ({
    ...{ number: index + 1, folder, results },
    name: name ?? basename(resolve(folder)),
  }));
  const subjects = new Subjects();
  const places = new UniqueNames();
  const entries = runs.flatMap((run) =>
    [...groupBy(run.results.tests, ({ peer, lie }) => JSON.stringify([peer, lie]))].flatMap(([, tests]) => {
      const subject = subjects.of(run, tests);
      const own = tests.map((test) => ({ test, run, subject, place: places.take(placeOf(test, subject)) }));
      subject.entries.push(...own);
      return own;
    }),
  );
  return {
    ...{ runs, subjects: subjects.all, entries, extras },
    documents: documentsOf(entries, extras),
    byId: groupBy(entries, ({ test }) => test.id),
  };
}

const placeOf = ({ id, role }: TestResult, { slug }: Subject): string =>
  `tests/${folderOfId(id)}/${slug}.${role}`;

class Subjects {
  readonly all: Subject[] = [];
  readonly #names = new UniqueNames();

  /** The subject these tests of a run belong to: one known before, as in shards, unless it has one of them already. */
  of(run: Run, tests: readonly TestResult[]): Subject {
    const [{ peer, lie } = { peer: "", lie: undefined }] = tests;
    const info = run.results.peers.find(({ id }) => id === peer);
    const same = this.all.filter((subject) => subject.peer === peer && subject.lie === lie);
    const keys = new Set(tests.map(keyOf));
    const known = same.find(
      (subject) =>
        subject.info?.fullVersion === info?.fullVersion &&
        !subject.entries.some(({ test }) => keys.has(keyOf(test))),
    );
    if (known) {
      if (!known.runs.includes(run)) known.runs.push(run);
      return known;
    }
    const parts = [
      peer,
      ...(lie === undefined ? [] : [`lie ${lie}`]),
      ...(same.length > 0 ? [`run ${run.number}`] : []),
    ];
    const slug = this.#names.take(parts.map((part) => fileName(part.replaceAll(" ", "-"))).join("."));
    const subject = { label: parts.join(", "), slug, peer, runs: [run], entries: [], ...(info && { info }) };
    const made: Subject = lie === undefined ? subject : { ...subject, lie };
    this.all.push(made);
    return made;
  }
}

const keyOf = ({ id, role }: TestResult): string => `${role} ${id}`;

function documentsOf(entries: readonly Entry[], { catalogues = [] }: Extras): DocumentPart[] {
  const names = new UniqueNames();
  return [...groupBy(entries, ({ test }) => documentLabel(test))].map(([label, own]) => {
    const { document, revision } = own[0]!.test;
    const provisional = own.find(({ test }) => test.provisional !== undefined)?.test.provisional;
    const catalogue = catalogues.find((one) => one.document === document);
    return {
      ...{ label, document, revision, entries: own, slug: names.take(fileName(label)) },
      ...(provisional !== undefined && { provisional }),
      ...(catalogue && { catalogue }),
    };
  });
}

export const ROLES = ["initiator", "responder"] as const;

/** The roles in which a subject has results among these, initiator first. */
export const rolesOf = (entries: readonly Entry[], subject: Subject): TestResult["role"][] =>
  ROLES.filter((role) => entries.some((entry) => entry.subject === subject && entry.test.role === role));
