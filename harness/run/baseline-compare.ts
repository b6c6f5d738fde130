/** Verdicts beside what the baselines say of them. The verdicts stay as they are: all of this is derived. */
import { groupBy } from "../../reports/group.ts";
import {
  type Comparison,
  makeResults,
  type PeerInfo,
  type Results,
  type TestResult,
} from "../../reports/results.ts";
import {
  type Baseline,
  type BaselineEntry,
  type Baselines,
  baselineName,
  oneSpace,
  reasonFits,
} from "./baseline.ts";
import { namesTest, nearestNaming } from "./baseline-tests.ts";

type Found = Pick<TestResult, "verdict" | "reason">;

/** How a verdict differs from an entry, or from pass where there is none; undefined if it does not. */
function difference({ verdict, reason }: Found, entry: BaselineEntry | undefined): string | undefined {
  if (!entry) return verdict === "pass" ? undefined : `unexpected ${verdict}: the baseline has no entry`;
  if (verdict === "pass") return `unexpected pass: the baseline says ${entry.verdict}`;
  if (verdict !== entry.verdict) return `another verdict: ${verdict}, and the baseline says ${entry.verdict}`;
  if (reasonFits(entry.reason, reason)) return undefined;
  return `${verdict} for another reason: the baseline says "${oneSpace(entry.reason)}"`;
}

/** `day`: that of the run. An entry that is over is an error whatever the test finds, until someone looks again. */
function compareTest(test: TestResult, entry: BaselineEntry | undefined, day: string): Comparison {
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

const knownOf = ({ reason, why, evidence, section, fault, expires }: BaselineEntry) => ({
  ...{ reason: oneSpace(reason), why: oneSpace(why), evidence: oneSpace(evidence) },
  ...{ section, fault, expires },
});

function entryOf({ entries }: Baseline, { runtime }: PeerInfo, id: string): BaselineEntry | undefined {
  const here = entries.filter((entry) => entry.runtime === undefined || entry.runtime === runtime);
  return nearestNaming(here, id);
}

/** The results with each verdict beside its baseline. `ids`: of all tests there are. */
export function compare(results: Results, baselines: Baselines, ids: readonly string[]): Results {
  const peers = new Map(results.peers.map((peer) => [peer.id, peer]));
  const day = results.finished.slice(0, 10);
  const tests = results.tests.map((test) => {
    const peer = peers.get(test.peer);
    const baseline = peer && baselines.get(baselineName(peer));
    if (!baseline) return test;
    return { ...test, baseline: compareTest(test, entryOf(baseline, peer, test.id), day) };
  });
  const used = [...baselines].map(([name, baseline]) => {
    const judged = results.peers.filter((peer) => baselineName(peer) === name).map(({ id }) => id);
    const { file, missing } = baseline;
    return { file, missing, peers: judged, problems: nameless(baseline, judged, tests, ids) };
  });
  return makeResults({ ...results, tests, ...(used.length > 0 ? { baselines: used } : {}) });
}

/** Of a revision that runs only when it is asked for. */
const isOlder = (id: string): boolean => id.includes("@");

/** Entries that name no test. Told only where all tests ran, so that a look at a few of them is not disturbed. */
function nameless(
  { entries }: Baseline,
  peers: readonly string[],
  tests: readonly TestResult[],
  ids: readonly string[],
): string[] {
  const ran = groupBy(tests, ({ peer }) => peer);
  const whole = peers.some((peer) => {
    const own = new Set(ran.get(peer)?.map(({ id }) => id));
    return ids.every((id) => own.has(id) || isOlder(id));
  });
  if (!whole) return [];
  return entries.flatMap((entry, i) =>
    entry.tests
      .filter((tests) => !ids.some((id) => namesTest(tests, id)))
      .map((tests) => `[${i}].tests: there is no test ${tests}`),
  );
}
