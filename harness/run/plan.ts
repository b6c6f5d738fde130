/** Which tests run against which peers: everything a user may have got wrong is found here, before anything starts. */
import { findLie, lies } from "../../peers/builtin/lies/index.ts";
import { variants } from "../../peers/builtin/variants.ts";
import type { PeerRole } from "../../peers/contract.ts";
import {
  type ChosenPeer,
  findPeer,
  loadDefinitions,
  PeerNameError,
  peerName,
} from "../../peers/definition.ts";
import { testKey } from "../../reports/results.ts";
import type { External, Externals } from "./external.ts";
import { checkRevision, fullId, plainId, revisionFilter } from "./revisions.ts";
import type { SuiteTest } from "./suites.ts";
import { regExpOf, UsageError, unknownName } from "./usage-error.ts";

export interface Selection {
  /** Documents, or parts of one: `rfc7296`, `rfc7296/2.8`, `esp-ping@E3/4`, a test's id. None means all. */
  documents: string[];
  /** DOCUMENT=NAME each, or `all` for every revision of every document. Not set: the newest of each. */
  revisions?: readonly string[] | "all";
  /** NAME[@VERSION][:RUNTIME] each, or a name of `externals`. */
  peers: string[];
  /** Not set: none. */
  externals?: Externals;
  role: PeerRole | "both";
  /** Regular expression on test ids. */
  grep?: string;
  lie?: string;
  variant?: string;
  /** Only this part of the plan. Not set: all of it. */
  shard?: Shard;
}

/** One of `of` parts of a plan, counted from 1. */
export interface Shard {
  index: number;
  of: number;
}

export interface LanePlan {
  /** Id of the peer in results: `strongswan@6.1:netns`, with `+NAME` for a variant. */
  id: string;
  peer: ChosenPeer;
  /** Where the peer is none of this program's own. */
  external?: External;
  tests: SuiteTest[];
}

export interface Plan {
  lanes: LanePlan[];
  /** Number of tests over all lanes. */
  planned: number;
}

/**
 * One lane for each peer, with the selected tests in the order of their ids.
 * @throws UsageError for a name that does not exist or a selection without any test
 */
export function makePlan(all: readonly SuiteTest[], selection: Selection): Plan {
  const tests = selectTests(all, selection);
  const lanes = choosePeers(selection).map(({ chosen: peer, external }) => ({
    ...{ peer, id: idOf(peer, selection.variant), tests },
    ...(external && { external }),
  }));
  const plan = { lanes, planned: lanes.length * tests.length };
  return selection.shard ? shardOf(plan, selection.shard) : plan;
}

/**
 * Every n-th test of the plan: all parts together are the plan, and no test is in two. Which part a test is in depends
 * on nothing but the plan.
 */
function shardOf({ lanes }: Plan, { index, of }: Shard): Plan {
  let place = 0;
  const mine = lanes
    .map((lane) => ({ ...lane, tests: lane.tests.filter(() => place++ % of === index - 1) }))
    .filter(({ tests }) => tests.length > 0);
  return { lanes: mine, planned: mine.reduce((sum, { tests }) => sum + tests.length, 0) };
}

/** The plan without tests that have a verdict already. */
export function withoutFinished(plan: Plan, finished: ReadonlySet<string>, lie?: string): Plan {
  const lanes = plan.lanes
    .map((lane) => ({
      ...lane,
      tests: lane.tests.filter(
        ({ id, facts }) => !finished.has(testKey({ id, role: facts.peer, peer: lane.id, lie })),
      ),
    }))
    .filter((lane) => lane.tests.length > 0);
  return { lanes, planned: lanes.reduce((sum, lane) => sum + lane.tests.length, 0) };
}

/** Tests in a piece of a lane: so many that one more start of the peer is little beside them. */
export const PIECE = 230;

/** What workers take one after another: lanes in pieces, so that none waits for the other's long lane at the end. */
export function pieces(lanes: readonly LanePlan[], jobs: number): LanePlan[] {
  if (jobs === 1) return [...lanes];
  return lanes.flatMap((lane) =>
    // At an address there is one peer, however many lanes there are.
    lane.external?.way.box ? [lane] : piecesOf(lane),
  );
}

const piecesOf = (lane: LanePlan): LanePlan[] =>
  Array.from({ length: Math.ceil(lane.tests.length / PIECE) }, (_, i) => ({
    ...lane,
    tests: lane.tests.slice(i * PIECE, (i + 1) * PIECE),
  }));

const idOf = (peer: ChosenPeer, variant?: string): string =>
  variant === undefined ? peerName(peer) : `${peerName(peer)}+${variant}`;

export function selectTests(
  all: readonly SuiteTest[],
  { documents, revisions = [], role, grep }: Pick<Selection, "documents" | "revisions" | "role" | "grep">,
): SuiteTest[] {
  const isChosen = revisions === "all" ? () => true : revisionFilter(revisions);
  for (const name of documents) checkDocument(name, all);
  const pattern = grep === undefined ? undefined : regExpOf("--grep", grep);
  const isNamed = (test: SuiteTest): boolean =>
    documents.length === 0
      ? isChosen(test)
      : documents.some((name) => isWithin(test, name) && (hasRevision(name) || isChosen(test)));
  const chosen = all.filter(
    (test) =>
      isNamed(test) &&
      (role === "both" || test.facts.peer === role) &&
      (pattern === undefined || pattern.test(test.id)),
  );
  if (chosen.length === 0) {
    const selection = inWords({ documents, revisions, role, grep });
    throw new UsageError(`no test is selected: ${selection}`);
  }
  return chosen;
}

/**
 * A name with a revision, `esp-ping@E3/4`, means that alone, and `esp-ping@all` every one; a name without means the
 * revisions that were chosen.
 */
const hasRevision = (name: string): boolean => name.includes("@");

function isWithin(test: SuiteTest, name: string): boolean {
  const wanted = name.replace(/^([^/@]+)@all(?=\/|$)/, "$1");
  const id = hasRevision(wanted) ? fullId(test) : plainId(test);
  return id === wanted || id.startsWith(`${wanted}/`);
}

function checkDocument(name: string, all: readonly SuiteTest[]): void {
  if (all.some((test) => isWithin(test, name))) return;
  const documents = [...new Set(all.map(({ document }) => document))];
  const [first = "", ...place] = name.split("/");
  const [document = "", revision] = first.split("@");
  if (!documents.includes(document)) throw unknownName("document", document, documents);
  if (revision !== undefined) checkRevision(document, revision);
  const idOf = revision === undefined ? plainId : fullId;
  const parts = all.map(place.length > 1 ? idOf : (test) => sectionOf(idOf(test)));
  throw unknownName(
    "test",
    name,
    parts.filter((part) => part.startsWith(`${first}/`)),
  );
}

const sectionOf = (id: string): string => id.split("/").slice(0, 2).join("/");

function inWords({ documents, revisions, role, grep }: Omit<Selection, "peers" | "shard">): string {
  const named = revisions === "all" ? [] : (revisions ?? []);
  return [
    documents.join(" ") || "all documents",
    ...named.map((name) => `--revision ${name}`),
    `--role ${role}`,
    ...(grep === undefined ? [] : [`--grep ${grep}`]),
  ].join(", ");
}

interface Choice {
  chosen: ChosenPeer;
  external?: External;
}

function choosePeers({ peers, externals, lie, variant }: Selection): Choice[] {
  const definitions = loadDefinitions();
  const choices = new Map<string, Choice>();
  for (const spec of peers) {
    const external = externals?.get(spec);
    const chosen = external?.chosen ?? findOne(spec, definitions);
    if (external && choices.has(peerName(chosen)))
      throw new UsageError(`--peer ${spec}: another peer is called ${peerName(chosen)}, too`);
    choices.set(peerName(chosen), { chosen, ...(external && { external }) });
  }
  const all = [...choices.values()];
  if (lie !== undefined && !findLie(lie))
    throw unknownName(
      "lie",
      lie,
      lies.map(({ name }) => name),
    );
  if (variant !== undefined && !variants.some(({ name }) => name === variant))
    throw unknownName(
      "variant",
      variant,
      variants.map(({ name }) => name),
    );
  const real = all.find(({ chosen }) => chosen.definition.name !== "builtin");
  if (real && (lie ?? variant) !== undefined)
    throw new UsageError(
      `--${lie === undefined ? "variant" : "lie"}: only the builtin peer has them, not ${peerName(real.chosen)}`,
    );
  return all;
}

function findOne(spec: string, definitions: ReturnType<typeof loadDefinitions>): ChosenPeer {
  try {
    return findPeer(spec, definitions);
  } catch (error) {
    if (error instanceof PeerNameError) throw new UsageError(`--peer ${spec}: ${error.message}`);
    throw error;
  }
}
