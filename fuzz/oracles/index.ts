/** What the conversation itself says of a peer: every oracle that needs no look into the lab. */
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import { amplificationAlarms } from "./amplification.ts";
import { claimAlarms } from "./claims.ts";
import { demandAlarms } from "./demands.ts";
import { acceptedAlarms, type JudgeContext } from "./demands-accepted.ts";
import { lintAlarms } from "./lint.ts";
import { heardIn } from "./lint-heard.ts";
import { touchedIn } from "./lint-touched.ts";
import { secrecyAlarms } from "./secrecy.ts";
import { silenceAlarms } from "./silence.ts";

export type { JudgeContext } from "./demands-accepted.ts";
export { differenceAlarm, differences, isDifference, supported } from "./difference.ts";
export { normalForm } from "./normal-form.ts";
export { CampaignMemory } from "./secrecy.ts";

/** All alarms of a case, each signature once. Pure; never throws, whatever the peer sent. */
export function judgeCase(outcome: Outcome, context: JudgeContext): Alarm[] {
  const { setup, peer } = context;
  const touched = touchedIn(outcome);
  const silence = silenceAlarms(outcome, touched);
  if (!outcome.entries.some(({ event }) => event.type === "datagram-received")) return silence;
  const heard = heardIn(outcome.entries);
  const accepted = acceptedAlarms(outcome, context, heard, touched);
  const demanded = demandAlarms(outcome, heard);
  return onceEach([
    ...accepted,
    // How it was done says more than by which operator.
    ...demanded.filter((alarm) => !accepted.some((other) => isSameBreach(alarm, other))),
    ...claimAlarms(outcome, setup, heard, touched),
    ...amplificationAlarms(outcome, peer, heard),
    ...secrecyAlarms(heard),
    ...(context.memory?.see(heard) ?? []),
    ...silence,
    ...lintAlarms(outcome, heard, touched),
  ]);
}

const isSameBreach = (one: Alarm, other: Alarm): boolean =>
  (one.oracle === "state" && other.oracle === "state") ||
  (one.requirement !== undefined &&
    one.requirement.document === other.requirement?.document &&
    one.requirement.id === other.requirement.id);

function onceEach(alarms: readonly Alarm[]): Alarm[] {
  const found = new Map<string, Alarm>();
  for (const alarm of alarms) if (!found.has(alarm.signature)) found.set(alarm.signature, alarm);
  return [...found.values()];
}
