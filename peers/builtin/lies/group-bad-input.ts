/** Lies of members and controllers of groups that bad input gets the better of. */

import type { RekeyError } from "../../../harness/group/rekey-open.ts";
import { malformedGroup } from "../../../harness/ike/group-syntax.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";

const ofType = (payloads: readonly Payload[], type: number): Payload[] =>
  payloads.filter((payload) => payload.type === type);

/** True for GSA and KD that cannot be read, and for one without the other. */
const isMisshapen = (payloads: readonly Payload[]): boolean =>
  malformedGroup(payloads) !== undefined ||
  ofType(payloads, PAYLOAD.GSA).length !== ofType(payloads, PAYLOAD.KD).length;

const hasSuperfluous = (payloads: readonly Payload[]): boolean =>
  payloads.some(({ type }) => type === PAYLOAD.GSA) &&
  (isMisshapen(payloads) || payloads.some(({ type }) => type === PAYLOAD.IDg || type === PAYLOAD.SA));

/** Says nothing and takes nothing any more once such a message came, as one that does not come out of a loop. */
export function hangsAt(
  matches: (payloads: readonly Payload[]) => boolean,
  errors: readonly RekeyError[] = [],
): LieBehaviour {
  let hangs = false;
  return {
    ike: {
      incoming: ({ payloads }) => {
        hangs ||= matches(payloads);
        return hangs ? "drop" : undefined;
      },
    },
    group: {
      openedRekey: (result) => {
        if (result === "wait") return result;
        hangs ||= "error" in result ? errors.includes(result.error) : matches(result.payloads);
        return hangs ? "wait" : result;
      },
    },
  };
}

export const groupBadInputLies = [
  lie(
    "hangs-at-misshapen-group-payloads",
    "G-IKEV2-B2",
    "takes nothing after a GSA or KD it cannot read",
    () => hangsAt(isMisshapen, ["malformed"]),
  ),
  lie(
    "hangs-at-superfluous-group-payloads",
    "G-IKEV2-B2",
    "takes nothing after GSA or KD twice, or with a member's payloads",
    () => hangsAt(hasSuperfluous, ["malformed"]),
  ),
];
