/** Further tries: a verdict that is not as the baseline says may be an accident, which a run of the test alone tells. */
import { join } from "node:path";
import type { Evidence, TestResult } from "../../reports/results.ts";
import type { ResultSink } from "./lanes.ts";
import type { Plan } from "./plan.ts";

/** Where the evidence of second tries is, below the folder of the run. */
export const TRIED_AGAIN = "again";

/** More than a handful of one peer is no accident. */
const MOST = 10;

/** How often a test is tried again at most; the journal keeps the last. */
export const TRIES = 3;

/** The tests to try once more, each in a lane of its own. `results` are those of the run, compared. */
export function oddOnes(plan: Plan, results: readonly TestResult[]): Plan {
  const lanes = plan.lanes.flatMap((lane) => {
    const odd = new Set(
      results
        .filter(({ peer, baseline }) => peer === lane.id && baseline?.agreement === "deviates")
        .filter(({ again }) => again === undefined)
        .map(({ id }) => id),
    );
    if (odd.size > MOST) return [];
    return lane.tests.filter(({ id }) => odd.has(id)).map((test) => ({ ...lane, tests: [test] }));
  });
  return { lanes, planned: lanes.length };
}

/** Those of the tests tried again that still deviate; in memory each try would be the same, octet by octet. */
export function stillOdd(tried: Plan, results: readonly TestResult[]): Plan {
  const deviating = new Set(
    results.flatMap(({ id, peer, baseline }) =>
      baseline?.agreement === "deviates" ? [JSON.stringify([id, peer])] : [],
    ),
  );
  const lanes = tried.lanes
    .filter(({ peer }) => peer.runtime !== "memory")
    .filter(({ id, tests }) => tests.some((test) => deviating.has(JSON.stringify([test.id, id]))));
  return { lanes, planned: lanes.length };
}

/** Hands over what second tries find, with the places of their evidence as seen from the folder of the run. */
export function secondTries(told: (text: string) => void, tried: (result: TestResult) => void): ResultSink {
  return {
    told,
    peerStarted: () => {},
    testStarted: () => {},
    testFinished: (result) => tried({ ...result, evidence: below(result.evidence) }),
  };
}

const below = (evidence: Evidence): Evidence =>
  Object.fromEntries(Object.entries(evidence).map(([kind, path]) => [kind, join(TRIED_AGAIN, path)]));
