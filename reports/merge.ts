/** Journals of several parts of a run, put together to the journal that the whole run would have left. */
import type { JournalRecord } from "./journal.ts";
import { type Evidence, type TestResult, testKey } from "./results.ts";
import { countWithheld } from "./withheld.ts";

/** The journal of one part, and how the user named its folder. */
export interface Part {
  name: string;
  records: readonly JournalRecord[];
}

export interface Merged {
  records: JournalRecord[];
  /** By {@link testKey}: the name of the part that a test is taken from. */
  sources: ReadonlyMap<string, string>;
  /** What a user should know of what was merged, in sentences. */
  said: string[];
  /** Shards that are missing of those that the run was split into. */
  missing: number[];
}

type Start = Extract<JournalRecord, { kind: "run-started" }>;
type Finish = Extract<JournalRecord, { kind: "run-finished" }>;
type Tested = Extract<JournalRecord, { kind: "test-finished" | "test-tried-again" }>;

/**
 * Merges the parts; `order` sorts the tests of a peer as a whole run takes them. A part is not merged as it is where it has another
 * seed, tool or baseline, or another result of the same test: then all that differs is told.
 */
export function mergeJournals(
  parts: readonly Part[],
  order: (a: TestResult, b: TestResult) => number,
): Merged | { conflicts: string[] } {
  const starts = parts.map((part) => ({ name: part.name, start: lastStart(part) }));
  const noRun = starts.filter(({ start }) => !start).map(({ name }) => `${name}: the journal holds no run`);
  const peers = mergePeers(parts);
  const tests = mergeTests(parts);
  const places = clashes(tests.kept);
  const conflicts = [...noRun, ...runConflicts(starts), ...peers.conflicts, ...tests.conflicts, ...places];
  const [first] = starts.flatMap(({ start }) => start ?? []);
  if (conflicts.length > 0 || !first) return { conflicts };
  const all = starts.flatMap(({ start }) => start ?? []);
  const time = all.map((start) => start.time).reduce((a, b) => (a < b ? a : b));
  const withheld = countWithheld(all.flatMap((start) => start.withheld ?? []));
  const { shard: _, withheld: __, ...common } = first;
  const shards = mergeShards(all);
  const lanes = [...peers.all.keys()];
  const laneOf = ({ test }: KeptTest) => lanes.indexOf(test.peer);
  const kept = [...tests.kept.values()].sort((a, b) => laneOf(a) - laneOf(b) || order(a.test, b.test));
  return {
    records: [
      { ...common, time, ...shards.left, ...(withheld.length > 0 ? { withheld } : {}) },
      ...[...peers.all.values()].map((peer): JournalRecord => ({ kind: "peer-started", time, peer })),
      ...kept.flatMap(({ records }) => records),
      ...parts.flatMap(({ records }) => records.filter(({ kind }) => kind === "golden-compared")),
      finishOf(parts),
    ],
    sources: new Map(kept.map(({ test, part }) => [testKey(test), part])),
    said: [...tests.said, ...shards.said],
    missing: shards.missing,
  };
}

const lastStart = ({ records }: Part): Start | undefined =>
  records.flatMap((record) => (record.kind === "run-started" ? [record] : [])).at(-1);

/** What must be the same in all parts, as a user would name it. */
const COMMON: readonly [what: string, of: (start: Start) => string][] = [
  ["seed", ({ seed }) => seed],
  ["tool", ({ tool }) => `${tool.name} ${tool.version}`],
  ["baseline", ({ baseline }) => baseline ?? "each peer's own"],
];

function runConflicts(starts: readonly { name: string; start: Start | undefined }[]): string[] {
  const [first, ...others] = starts.flatMap(({ name, start }) => (start ? [{ name, start }] : []));
  if (!first) return [];
  return others.flatMap(({ name, start }) =>
    COMMON.filter(([, of]) => of(start) !== of(first.start)).map(
      ([what, of]) => `${what}: ${of(first.start)} in ${first.name}, ${of(start)} in ${name}`,
    ),
  );
}

function mergePeers(parts: readonly Part[]) {
  const all = new Map<string, Extract<JournalRecord, { kind: "peer-started" }>["peer"]>();
  const conflicts: string[] = [];
  for (const { name, records } of parts) {
    for (const record of records) {
      if (record.kind !== "peer-started") continue;
      const { peer } = record;
      const known = all.get(peer.id);
      // A peer that could not be started in one part does not state its version there.
      if (!known || known.fullVersion === "") all.set(peer.id, peer);
      else if (peer.fullVersion !== "" && peer.fullVersion !== known.fullVersion)
        conflicts.push(`${peer.id}: ${known.fullVersion}, but ${peer.fullVersion} in ${name}`);
    }
  }
  return { all, conflicts };
}

interface KeptTest {
  part: string;
  test: TestResult;
  /** Its verdict, and what further tries found. */
  records: Tested[];
}

function mergeTests(parts: readonly Part[]) {
  const kept = new Map<string, KeptTest>();
  const conflicts: string[] = [];
  let twice = 0;
  for (const { name, records } of parts) {
    for (const record of records) {
      if (record.kind !== "test-finished" && record.kind !== "test-tried-again") continue;
      const key = testKey(record.test);
      const known = kept.get(key);
      if (!known) kept.set(key, { part: name, test: record.test, records: [record] });
      else if (known.part === name && record.kind === "test-tried-again") known.records.push(record);
      else if (known.part !== name && record.kind === "test-finished") {
        if (isSame(known.test, record.test)) twice++;
        else conflicts.push(conflictText(known, record.test, name));
      }
    }
  }
  const said =
    twice === 0 ? [] : [`${twice} tests are in several folders with the same result; the first is kept`];
  return { kept, conflicts, said };
}

const isSame = (a: TestResult, b: TestResult): boolean => a.verdict === b.verdict && a.reason === b.reason;

const conflictText = ({ part, test }: KeptTest, other: TestResult, name: string): string =>
  `${test.id} on ${test.peer} as ${test.role}: ${test.verdict} (${test.reason}) in ${part}, ${other.verdict} (${other.reason}) in ${name}`;

/** Files of two parts that would have one place. */
function clashes(kept: ReadonlyMap<string, KeptTest>): string[] {
  const owners = new Map<string, string>();
  return [...kept.values()].flatMap(({ part, records }) =>
    records
      .flatMap(({ test }) => pathsOf(test.evidence))
      .flatMap((path) => {
        const owner = owners.get(path) ?? part;
        owners.set(path, owner);
        return owner === part ? [] : [`${path} is in ${owner} and in ${part}, of different tests`];
      }),
  );
}

/** Paths of the files and folders of a test. */
export const pathsOf = (evidence: Evidence): string[] => Object.values(evidence);

/** `2/4`, or of parts that were merged already `1,2/4`. */
const SHARD = /^(?<parts>\d+(?:,\d+)*)\/(?<of>\d+)$/;

/** Which shards are there, and which are missing of those that a run was split into. */
function mergeShards(starts: readonly Start[]): {
  left: { shard?: string };
  said: string[];
  missing: number[];
} {
  const named = starts.flatMap(({ shard = "" }) => {
    const { parts, of } = SHARD.exec(shard)?.groups ?? {};
    return parts === undefined ? [] : [{ parts: parts.split(",").map(Number), of: Number(of) }];
  });
  const [first] = named;
  if (!first || named.some(({ of }) => of !== first.of)) return { left: {}, said: [], missing: [] };
  const there = new Set(named.flatMap(({ parts }) => parts));
  const all = Array.from({ length: first.of }, (_, i) => i + 1);
  const missing = all.filter((i) => !there.has(i));
  if (missing.length === 0) return { left: {}, said: [], missing };
  const shard = `${all.filter((i) => there.has(i)).join(",")}/${first.of}`;
  return { left: { shard }, said: [`of ${first.of} shards there is no ${missing.join(", ")}`], missing };
}

/** A part without an end was killed. */
function finishOf(parts: readonly Part[]): Finish {
  const ends = parts.map(({ name, records }) => ({ name, last: records.at(-1) }));
  const time = ends.flatMap(({ last }) => last?.time ?? []).reduce((a, b) => (a > b ? a : b));
  const cut = ends.flatMap(({ name, last }) => {
    if (last?.kind !== "run-finished") return [`${name}: the run ended without a word`];
    return last.interrupted === undefined ? [] : [`${name}: ${last.interrupted}`];
  });
  return { kind: "run-finished", time, ...(cut.length > 0 ? { interrupted: cut.join("; ") } : {}) };
}
