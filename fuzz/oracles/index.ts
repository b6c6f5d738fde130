/** What the conversation itself says of a peer: every oracle that needs no look into the lab. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import type { Setup } from "../setups.ts";
import { lintAlarms } from "./lint.ts";

export interface JudgeContext {
  setup: Setup;
  peer: PeerRole;
}

/** All alarms of a case, each signature once. Pure; never throws, whatever the peer sent. */
export function judgeCase(outcome: Outcome, _context: JudgeContext): Alarm[] {
  const alarms = new Map<string, Alarm>();
  for (const alarm of lintAlarms(outcome))
    if (!alarms.has(alarm.signature)) alarms.set(alarm.signature, alarm);
  return [...alarms.values()];
}
