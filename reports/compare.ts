/** What changed from one run to another, or from one peer to another. */
import { judgeChange } from "./compare-change.ts";
import {
  CHANGES,
  type ChangeCounts,
  COMPARE_SCHEMA,
  type Found,
  type Lone,
  type Row,
  type RunComparison,
  type Side,
} from "./compare-schema.ts";
import { documentLabel, type PeerInfo, type Results, type TestResult } from "./results.ts";

/** One of the two: results, and how the user named them. */
export interface Compared {
  name: string;
  results: Results;
}

/** Two peers to be compared with one another, each by its id or the beginning of it: `strongswan@5.9`. */
export interface PeerPair {
  old: string;
  new: string;
}

/** What was asked for cannot be compared; `option` names which of the two peers. */
export interface CompareError {
  error: "no-peer" | "several-peers";
  side: "old" | "new";
  reason: string;
}

/**
 * Compares test by test: peers are matched by their ids (name, version and runtime), or are the two of `pair`;
 * revisions of a document are kept apart, also when another became the newest. Times are not compared.
 */
export function compareResults(old: Compared, now: Compared, pair?: PeerPair): RunComparison | CompareError {
  const [before, after] = [onePeer("old", old, pair), onePeer("new", now, pair)];
  if ("error" in before) return before;
  if ("error" in after) return after;
  const keyOf = (test: TestResult) => keyFor(test, pair !== undefined);
  const earlier = new Map(before.tests.map((test) => [keyOf(test), test]));
  const later = new Set(after.tests.map(keyOf));
  const tally = new Tally();
  const changes: Row[] = [];
  const added: Lone[] = [];
  for (const test of after.tests) {
    const known = earlier.get(keyOf(test));
    const judged = known && judgeChange(known, test);
    tally.count(test, known ? (judged?.change ?? "same") : "added");
    if (!known) added.push({ ...subjectOf(test), found: foundOf(test) });
    else if (judged) changes.push({ ...subjectOf(test), ...judged, old: foundOf(known), new: foundOf(test) });
  }
  const gone = before.tests.filter((test) => !later.has(keyOf(test)));
  for (const test of gone)
    tally.count(pair ? { ...test, peer: after.peers[0]?.id ?? test.peer } : test, "gone");
  return {
    schema: COMPARE_SCHEMA,
    ...{ old: sideOf(old.name, before), new: sideOf(now.name, after) },
    ...{ totals: tally.all, documents: tally.documents },
    changes: CHANGES.flatMap((change) => changes.filter((row) => row.change === change)),
    ...{ added, gone: gone.map((test) => ({ ...subjectOf(test), found: foundOf(test) })) },
  };
}

/** The id names the newest revision of a document by nothing; here each has its name. */
function keyFor(test: TestResult, anyPeer: boolean): string {
  const id = test.id.replace(/^[^/]*/, () => documentLabel(test));
  return JSON.stringify([id, test.role, test.lie ?? null, anyPeer ? null : test.peer]);
}

function onePeer(side: "old" | "new", { name, results }: Compared, pair?: PeerPair): Results | CompareError {
  if (!pair) return results;
  const wanted = pair[side];
  const isMeant = ({ id }: PeerInfo) =>
    id === wanted || [":", "@"].some((c) => id.startsWith(`${wanted}${c}`));
  const peers = results.peers.filter(isMeant);
  const [peer, other] = peers;
  const list = (all: readonly PeerInfo[]) => all.map(({ id }) => id).join(", ") || "no peer";
  if (!peer) {
    const reason = `there is no peer ${wanted} in ${name}, which has ${list(results.peers)}`;
    return { error: "no-peer", side, reason };
  }
  if (other) return { error: "several-peers", side, reason: `${wanted} is ${list(peers)} in ${name}` };
  const isIts = (row: { peer: string }) => row.peer === peer.id;
  const { withheld = [], tests } = results;
  return { ...results, peers, tests: tests.filter(isIts), withheld: withheld.filter(isIts) };
}

/** Counts over all and by document and peer, in the order these first appear. */
class Tally {
  readonly all = noChanges();
  readonly #rows = new Map<string, RunComparison["documents"][number]>();

  get documents(): RunComparison["documents"] {
    return [...this.#rows.values()];
  }

  count({ document, revision, peer }: TestResult, what: Exclude<keyof ChangeCounts, "compared">): void {
    const key = JSON.stringify([document, revision, peer]);
    const row = this.#rows.get(key) ?? { document, revision, peer, ...noChanges() };
    this.#rows.set(key, row);
    for (const counts of [this.all, row]) {
      counts[what] += 1;
      if (what !== "added" && what !== "gone") counts.compared += 1;
    }
  }
}

const noChanges = (): ChangeCounts => ({
  ...{ compared: 0, same: 0, worse: 0, better: 0, other: 0, unstable: 0, added: 0, gone: 0 },
});

const subjectOf = (test: TestResult) => {
  const { id, title, document, revision, section, level, peer, role, lie } = test;
  const common = { id, title, document, revision, section, level, peer, role };
  return lie === undefined ? common : { ...common, lie };
};

function foundOf({ verdict, reason, baseline, again }: TestResult): Found {
  const { agreement, known } = baseline ?? {};
  return {
    ...{ verdict, reason },
    ...(agreement === undefined ? {} : { agreement }),
    ...(known === undefined ? {} : { known: { why: known.why, expires: known.expires } }),
    ...(again === undefined ? {} : { again: { verdict: again.verdict, reason: again.reason } }),
  };
}

function sideOf(name: string, results: Results): Side {
  const { tool, seed, started, finished, interrupted, peers, tests, withheld = [] } = results;
  const unsupported = tests.filter(({ verdict }) => verdict === "unsupported").length;
  return {
    ...{ name, tool, seed, started, finished },
    ...(interrupted === undefined ? {} : { interrupted }),
    ...{ peers, tests: tests.length, unsupported, withheld },
  };
}
