/** Tests that a baseline withholds: they are not run, and a report tells how many they are and nothing more. */
import type { Withheld } from "../../reports/results.ts";
import { countWithheld } from "../../reports/withheld.ts";
import { type Baselines, baselineName, isWithheld } from "./baseline.ts";
import type { LanePlan, Plan } from "./plan.ts";

/** The file that withholds a test of a lane. */
function withholding(baselines: Baselines, { peer }: LanePlan, id: string): string | undefined {
  const baseline = baselines.get(baselineName({ name: peer.definition.name, version: peer.version.version }));
  if (!baseline || !isWithheld(baseline, peer.runtime, id)) return undefined;
  return baseline.file;
}

/** The plan without the tests that baselines withhold, and how many those are. */
export function withoutWithheld(plan: Plan, baselines: Baselines): { plan: Plan; withheld: Withheld[] } {
  const withheld = plan.lanes.flatMap((lane) =>
    lane.tests.flatMap(({ id }) => {
      const file = withholding(baselines, lane, id);
      return file === undefined ? [] : [{ peer: lane.id, file, tests: 1 }];
    }),
  );
  const lanes = plan.lanes
    .map((lane) => ({
      ...lane,
      tests: lane.tests.filter(({ id }) => withholding(baselines, lane, id) === undefined),
    }))
    .filter((lane) => lane.tests.length > 0);
  return { plan: { lanes, planned: plan.planned - withheld.length }, withheld: countWithheld(withheld) };
}
