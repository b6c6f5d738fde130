/** Verdicts beside what the baselines say of them. The verdicts stay as they are: all of this is derived. */
import { groupBy } from "../../reports/group.ts";
import {
  type Comparison,
  makeResults,
  type PeerInfo,
  type Results,
  type TestResult,
} from "../../reports/results.ts";
import { countWithheld } from "../../reports/withheld.ts";
import {
  type Baseline,
  type BaselineEntry,
  type Baselines,
  baselineName,
  entriesOf,
  isWithheld,
  type KnownEntry,
  oneSpace,
  reasonFits,
} from "./baseline.ts";
import { namesTest } from "./baseline-tests.ts";

type Found = Pick<TestResult, "verdict" | "reason">;

/** How a verdict differs from an entry, or from pass where there is none; undefined if it does not. */
function difference({ verdict, reason }: Found, entry: KnownEntry | undefined): string | undefined {
  if (!entry) return verdict === "pass" ? undefined : `unexpected ${verdict}: the baseline has no entry`;
  if (verdict === "pass") return `unexpected pass: the baseline says ${entry.verdict}`;
  if (verdict !== entry.verdict) return `another verdict: ${verdict}, and the baseline says ${entry.verdict}`;
  if (reasonFits(entry.reason, reason)) return undefined;
  return `${verdict} for another reason: the baseline says "${oneSpace(entry.reason)}"`;
}

/** The one that the verdict is as; else the first. One that withholds the test goes before all. */
function entryFor(found: Found, entries: (BaselineEntry | undefined)[]): BaselineEntry | undefined {
  const agrees = (entry: BaselineEntry | undefined) =>
    entry?.verdict !== "withheld" && difference(found, entry) === undefined;
  const held = entries.find((entry) => entry?.verdict === "withheld");
  return held ?? entries[Math.max(0, entries.findIndex(agrees))];
}

/** `day`: that of the run. An entry that is over is an error whatever the test finds, until someone looks again. */
function compareTest(test: TestResult, entry: KnownEntry | undefined, day: string): Comparison {
  const base = { expected: entry?.verdict ?? "pass", ...(entry ? { known: knownOf(entry) } : {}) };
  const differs = difference(test, entry);
  if (entry && entry.expires < day) {
    const over = `the baseline's entry expired on ${entry.expires}`;
    return { ...base, agreement: "deviates", deviation: differs ? `${differs}; ${over}` : over };
  }
  if (differs === undefined) return { ...base, agreement: "expected" };
  const recovered = test.again !== undefined && difference(test.again, entry) === undefined;
  return { ...base, agreement: recovered ? "unstable" : "deviates", deviation: differs };
}

const knownOf = ({ reason, why, evidence, section, fault, expires }: KnownEntry) => ({
  ...{ reason: oneSpace(reason), why: oneSpace(why), evidence: oneSpace(evidence) },
  ...{ section, fault, expires },
});

/**
 * The results with each verdict beside its baseline, and without those that it withholds. `ids`: of all tests there
 * are.
 */
export function compare(results: Results, baselines: Baselines, ids: readonly string[]): Results {
  const peers = new Map(results.peers.map((peer) => [peer.id, peer]));
  const day = results.finished.slice(0, 10);
  const placed = results.tests.map((test) => {
    const peer = peers.get(test.peer);
    const baseline = peer && baselines.get(baselineName(peer));
    return { test, baseline, entry: baseline && entryFor(test, entriesOf(baseline, peer.runtime, test.id)) };
  });
  const tests = placed.flatMap(({ test, baseline, entry }) => {
    if (entry?.verdict === "withheld") return [];
    return baseline ? [{ ...test, baseline: compareTest(test, entry, day) }] : [test];
  });
  const held = placed.flatMap(({ test, baseline, entry }) =>
    baseline && entry?.verdict === "withheld" ? [{ peer: test.peer, file: baseline.file, tests: 1 }] : [],
  );
  const withheld = countWithheld([...(results.withheld ?? []), ...held]);
  const used = [...baselines].map(([name, baseline]) => {
    const judged = results.peers.filter((peer) => baselineName(peer) === name);
    const { file, missing } = baseline;
    const problems = [...overdue(baseline, day), ...nameless(baseline, judged, tests, ids)];
    return { file, missing, peers: judged.map(({ id }) => id), problems };
  });
  return makeResults({
    ...{ ...results, tests },
    ...(withheld.length > 0 ? { withheld } : {}),
    ...(used.length > 0 ? { baselines: used } : {}),
  });
}

/** Entries that withhold tests, and are over: nobody sees it by a verdict. */
const overdue = ({ entries }: Baseline, day: string): string[] =>
  entries.flatMap(({ verdict, expires }, i) =>
    verdict === "withheld" && expires < day ? [`[${i}].expires: tests were withheld until ${expires}`] : [],
  );

/** Of a revision that runs only when it is asked for. */
const isOlder = (id: string): boolean => id.includes("@");

/** Entries that name no test. Told only where all tests ran, so that a look at a few of them is not disturbed. */
function nameless(
  baseline: Baseline,
  peers: readonly PeerInfo[],
  tests: readonly TestResult[],
  ids: readonly string[],
): string[] {
  const ran = groupBy(tests, ({ peer }) => peer);
  const whole = peers.some(({ id: peer, runtime }) => {
    const own = new Set(ran.get(peer)?.map(({ id }) => id));
    const isHeld = (id: string) => isWithheld(baseline, runtime, id);
    return ids.every((id) => own.has(id) || isOlder(id) || isHeld(id));
  });
  if (!whole) return [];
  return baseline.entries.flatMap(({ tests, except = [] }, i) =>
    [...tests.map((name) => ["tests", name]), ...except.map((name) => ["except", name])]
      .filter(([, name = ""]) => !ids.some((id) => namesTest(name, id)))
      .map(([field, name]) => `[${i}].${field}: there is no test ${name}`),
  );
}
