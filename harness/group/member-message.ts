/** What a rekey message does to a group: RFC 9838 sections 2.4, 4.6. */

import { malformedGroup } from "../ike/group-syntax.ts";
import { payload } from "../ike/payloads.ts";
import { equal } from "../wire/bytes.ts";
import type { GsaPayload, KdPayload } from "../wire/group-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";
import { deletesOf, saPolicies } from "./group-payloads.ts";
import type { Wrapping } from "./keys.ts";
import { isDeleteOfAll, type JoinedGroup } from "./member-group.ts";
import { keysOf } from "./member-keys.ts";
import {
  type Acceptable,
  type Fault,
  isFault,
  type Lenience,
  type Plan,
  planOf,
  type Way,
} from "./member-policy.ts";

/** `trouble`: why the member has to register again. `excluded`: it is told to. */
export interface Effect {
  trouble?: string;
  excluded?: true;
}

const malformed = (reason: string): Fault => ({ fault: "malformed", reason });

/** GSA and KD of a message, both or none; a member's payloads are out of place. */
export function groupPayloads(payloads: Payload[]): { gsa: GsaPayload; kd: KdPayload } | undefined | Fault {
  const misshapen = malformedGroup(payloads);
  if (misshapen) return malformed(misshapen);
  const strange = payload(payloads, "ID", PAYLOAD.IDg) ?? payload(payloads, "SA");
  if (strange) return malformed(`payload ${strange.type} of a member's`);
  const [gsa, kd] = [payload(payloads, "GSA"), payload(payloads, "KD")];
  if (gsa && kd) return { gsa, kd };
  return gsa || kd ? malformed("GSA without KD, or KD without GSA") : undefined;
}

/** What a message that is authentic and new does; nothing if it is at fault. */
export function takeMessage(
  group: JoinedGroup,
  payloads: Payload[],
  {
    way,
    wrapping,
    acceptable,
    lenience,
  }: { way: Way; wrapping: Wrapping; acceptable: Acceptable; lenience?: Lenience },
): Effect | Fault {
  const found = groupPayloads(payloads);
  if (found && isFault(found)) return found;
  const effect: Effect = {};
  if (found) {
    const plan: Plan | Fault = planOf(found.gsa, way, acceptable, lenience);
    if (isFault(plan)) return plan;
    const keys = keysOf(found.kd, plan, { wrapping, path: group.path, way });
    if (isFault(keys)) return keys;
    const trouble = group.take(plan, keys, way);
    if (trouble) effect.trouble = trouble;
  }
  for (const { protocolId, spis } of deletesOf(payloads))
    if (group.deleted(protocolId, spis)) effect.excluded = true;
  return effect;
}

/**
 * The groups that a message on an IKE SA is for. Nothing in it says so but the SAs that it speaks of; a Delete of all
 * SAs goes for all of them.
 */
export function groupsFor(groups: readonly JoinedGroup[], payloads: Payload[]): readonly JoinedGroup[] {
  const policies = saPolicies(payloads);
  const deletes = deletesOf(payloads);
  if (policies.length === 0 && deletes.some(({ protocolId, spis }) => isDeleteOfAll(protocolId, spis)))
    return groups;
  const deleted = deletes.flatMap(({ spis }) => spis);
  const speaksOf = (group: JoinedGroup) =>
    [...group.data, ...group.rekeys].some(
      ({ planned }) =>
        deleted.some((spi) => equal(spi, planned.spi)) ||
        policies.some(({ destination }) => equal(destination.startAddress, planned.destination.startAddress)),
    );
  const found = groups.find(speaksOf) ?? groups[0];
  return found ? [found] : [];
}
