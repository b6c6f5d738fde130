/** What a campaign runs: one cell for each peer, document, role and set of parameters. */
import { createHash } from "node:crypto";
import { documents as allDocuments } from "../run/catalogue.ts";
import type { Externals } from "../run/external.ts";
import { nearest } from "../run/nearest.ts";
import { makePlan, type Selection, selectTests } from "../run/plan.ts";
import type { SuiteTest } from "../run/suites.ts";
import { regExpOf, UsageError } from "../run/usage-error.ts";
import { FileError } from "../run/yaml-file.ts";
import type { CampaignFile, DocumentChoice, Exclusion, Parameters } from "./file.ts";

/** One run of a campaign. */
export interface Cell {
  /** Of its folder: peer, document, role and parameters. */
  name: string;
  parameters: Parameters;
  selection: Selection;
  /** How many it has. */
  tests: number;
}

type Role = CampaignFile["roles"][number];

/** What a campaign is asked for at one place of its file. */
interface Choice<T> {
  /** In names of cells and in `exclude`. */
  name: string;
  value: T;
}

/**
 * All cells, in the order of the file; those without any test, as of a role that no test of a document is for, are
 * none.
 * @throws UsageError for a name that does not exist, for tests that two cells would have, and for no cell at all
 */
export function cellsOf(
  file: CampaignFile,
  all: readonly SuiteTest[],
  externals: Externals = new Map(),
): Cell[] {
  const peers = peersOf(file, all, externals);
  const documents = documentsOf(file, all);
  const roles = file.roles.map((role) => ({ name: role, value: role }));
  const parameters = file.parameters.map((value) => ({ name: value.name, value }));
  unlike(file, "parameters", parameters);
  unlike(file, "roles", roles);
  if (roles.length > 1 && file.roles.includes("both"))
    throw new FileError(file.path, "roles", "both is the two others together");
  checkExclusions(file, { peer: peers, document: documents, role: roles, parameters });
  const axes = { peers, documents, roles, parameters };
  const cells = combinations(axes)
    .filter((one) => !file.exclude.some((exclusion) => isExcluded(exclusion, one)))
    .flatMap((one) => cellOf(file, one, all, externals));
  if (cells.length === 0) throw new FileError(file.path, "document", "no test is selected");
  const twice = cells.find(({ name }, i) => cells.findIndex((other) => other.name === name) !== i);
  if (twice) throw new FileError(file.path, "document", `two cells have the name ${twice.name}`);
  return cells;
}

interface Combination {
  peer: Choice<string>;
  document: Choice<readonly SuiteTest[]>;
  role: Choice<Role>;
  parameters: Choice<Parameters>;
}

interface Axes {
  peers: Choice<string>[];
  documents: Choice<readonly SuiteTest[]>[];
  roles: Choice<Role>[];
  parameters: Choice<Parameters>[];
}

const combinations = ({ peers, documents, roles, parameters }: Axes): Combination[] =>
  parameters.flatMap((parameters) =>
    peers.flatMap((peer) =>
      documents.flatMap((document) => roles.map((role) => ({ peer, document, role, parameters }))),
    ),
  );

/** None where it has no test. */
function cellOf(
  { path }: CampaignFile,
  { peer, document, role, parameters }: Combination,
  all: readonly SuiteTest[],
  externals: Externals,
): Cell[] {
  const { grep, lie, variant, name: set } = parameters.value;
  const name = [peer, document, role, { name: set }].map((part) => fileName(part.name)).join("_");
  const pattern = grep === undefined ? undefined : regExpOf(`${path}: ${set}: grep`, grep);
  const tests = document.value.filter(
    ({ id, facts }) => (role.value === "both" || facts.peer === role.value) && (pattern?.test(id) ?? true),
  );
  if (tests.length === 0) return [];
  const selection: Selection = {
    ...{ documents: document.name.split(" "), peers: [peer.value], externals, role: role.value },
    ...(grep !== undefined && { grep }),
    ...(lie !== undefined && { lie }),
    ...(variant !== undefined && { variant }),
  };
  try {
    return [{ name, parameters: parameters.value, selection, tests: makePlan(all, selection).planned }];
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${path}: ${name}: ${error.message}`);
    throw error;
  }
}

const LONGEST_PART = 60;

/** Whatever a name has in it: a folder that artefact stores take, too, and no part of a path. */
function fileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9.@+-]/g, "-");
  if (plain.length <= LONGEST_PART) return plain;
  return `${plain.slice(0, LONGEST_PART)}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

/** Named as the results name them. */
function peersOf(file: CampaignFile, all: readonly SuiteTest[], externals: Externals): Choice<string>[] {
  const peers = file.peers.map((value, i) => {
    try {
      const [lane] = makePlan(all, { documents: [], peers: [value], externals, role: "both" }).lanes;
      return { name: lane?.id ?? value, value };
    } catch (error) {
      if (error instanceof UsageError) throw new FileError(file.path, `peers[${i}]`, error.message);
      throw error;
    }
  });
  unlike(file, "peers", peers);
  return peers;
}

function documentsOf(file: CampaignFile, all: readonly SuiteTest[]): Choice<readonly SuiteTest[]>[] {
  const chosen = file.documents ?? allDocuments().map((name): DocumentChoice => ({ name }));
  const owners = new Map<string, string>();
  return chosen.flatMap((choice, i) => {
    const place = file.documents ? `documents[${i}]` : "documents";
    const names = namesOf(choice);
    try {
      const value = selectTests(all, { documents: names, role: "both" });
      for (const { id } of value) {
        const owner = owners.get(id);
        if (owner !== undefined) throw new UsageError(`${id} is in ${owner}, too`);
      }
      for (const { id } of value) owners.set(id, place);
      return [{ name: names.join(" "), value }];
    } catch (error) {
      // A document whose requirements nobody can test has a catalogue and no test.
      if (!file.documents && !all.some(({ document }) => document === choice.name)) return [];
      if (error instanceof UsageError) throw new FileError(file.path, place, error.message);
      throw error;
    }
  });
}

/** `{ name: esp-ping, revisions: [E3, M], sections: [4] }` -> `esp-ping@E3/4`, `esp-ping@M/4`. */
function namesOf({ name, revisions, sections }: DocumentChoice): string[] {
  const [first = "", ...place] = name.split("/");
  const folders = revisions?.map((revision) => `${first}@${revision}`) ?? [first];
  const parts = sections?.map((section) => [...place, section]) ?? [place];
  return folders.flatMap((folder) => parts.map((part) => [folder, ...part].join("/")));
}

/** @throws FileError where two have one name */
function unlike(file: CampaignFile, field: string, choices: readonly Choice<unknown>[]): void {
  const seen = new Map<string, number>();
  choices.forEach(({ name }, i) => {
    const other = seen.get(name);
    if (other !== undefined)
      throw new FileError(file.path, `${field}[${i}]`, `is ${name}, as ${field}[${other}] is`);
    seen.set(name, i);
  });
}

type Axis = keyof Exclusion;

/** @throws FileError for a name in `exclude` that the campaign has not */
function checkExclusions(file: CampaignFile, axes: Record<Axis, readonly Choice<unknown>[]>): void {
  file.exclude.forEach((exclusion, i) => {
    const named = AXES.filter((axis) => exclusion[axis] !== undefined);
    if (named.length === 0) throw new FileError(file.path, `exclude[${i}]`, "names nothing");
    for (const axis of named)
      for (const name of exclusion[axis] ?? []) {
        if (axes[axis].some((choice) => isNamed(choice, name))) continue;
        const names = axes[axis].map((choice) => choice.name);
        const close = nearest(name, names);
        throw new FileError(file.path, `exclude[${i}].${axis}`, `there is no ${name}`, close);
      }
  });
}

const AXES: readonly Axis[] = ["peer", "document", "role", "parameters"];

/** A peer by all of its id, or by what the file calls it; a document also where only a part of it is run. */
const isNamed = ({ name, value }: Choice<unknown>, given: string): boolean =>
  name === given || value === given || name.split(/[/@: ]/)[0] === given;

const isExcluded = (exclusion: Exclusion, one: Combination): boolean =>
  AXES.every((axis) => exclusion[axis]?.some((given) => isNamed(one[axis], given)) ?? true);
