/** Lies of members and controllers of groups that bad input gets the better of. */

import type { RekeyError } from "../../../harness/group/rekey-open.ts";
import { malformedGroup } from "../../../harness/ike/group-syntax.ts";
import { notifies } from "../../../harness/ike/payloads.ts";
import { malformed } from "../../../harness/ike/syntax.ts";
import { EMPTY } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
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
  matches: (payloads: readonly Payload[], exchangeType: number) => boolean,
  errors: readonly RekeyError[] = [],
): LieBehaviour {
  let hangs = false;
  return {
    ike: {
      incoming: ({ header, payloads }) => {
        hangs ||= matches(payloads, header.exchangeType);
        return hangs ? "drop" : undefined;
      },
    },
    group: {
      openedRekey: (result) => {
        if (result === "wait") return result;
        hangs ||=
          "error" in result ? errors.includes(result.error) : matches(result.payloads, EXCHANGE.GSA_REKEY);
        return hangs ? "wait" : result;
      },
    },
  };
}

const ID_TYPES: readonly number[] = [ID_TYPE.ID_IPV4_ADDR, ID_TYPE.ID_FQDN, ID_TYPE.ID_KEY_ID];

/** True for an IDg that names nothing, an SAg that cannot be read or comes twice, and a GROUP_SENDER of other than 4 octets. */
function isBadWish(payloads: readonly Payload[], exchangeType: number): boolean {
  if (exchangeType !== EXCHANGE.GSA_AUTH && exchangeType !== EXCHANGE.GSA_REGISTRATION) return false;
  const ids = ofType(payloads, PAYLOAD.IDg);
  const named = ids.every((id) => id.kind === "ID" && id.data.length > 0 && ID_TYPES.includes(id.idType));
  const address = ids.some((id) => id.kind === "ID" && id.idType !== ID_TYPE.ID_KEY_ID);
  const offers = ofType(payloads, PAYLOAD.SA);
  const senders = notifies([...payloads], NOTIFY.GROUP_SENDER);
  const bad = malformed([...payloads], EMPTY) !== undefined;
  return (
    bad ||
    !named ||
    address ||
    offers.length > 1 ||
    senders.length > 1 ||
    senders.some((n) => n.data.length !== 4)
  );
}

const deletesSasOfGroups = (payloads: readonly Payload[]): boolean =>
  payloads.some((p) => p.kind === "Delete" && p.protocolId !== PROTOCOL.IKE);

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
  lie("hangs-at-bad-registrations", "G-IKEV2-B1", "takes nothing after a request it cannot read", () =>
    hangsAt(isBadWish),
  ),
  lie("hangs-at-deletes-of-members", "G-IKEV2-B1", "takes nothing after a Delete of a group's SAs", () =>
    hangsAt(deletesSasOfGroups),
  ),
  lie("finds-groups-by-octets-alone", "G-IKEV2-B1", "takes any type of IDg for ID_KEY_ID", () => ({
    ike: {
      incoming: ({ payloads }) => {
        for (const p of payloads) if (p.kind === "ID" && p.type === PAYLOAD.IDg) p.idType = ID_TYPE.ID_KEY_ID;
        return undefined;
      },
    },
  })),
  lie("gives-one-member-all-sender-ids", "G-IKEV2-B1", "as many Sender-IDs as somebody asks for", () => ({
    config: (told) => ({
      ...told,
      groups: (told.groups ?? []).map((spec) => ({ ...spec, mostSenderIds: 2 ** (spec.senderIdBits ?? 8) })),
    }),
  })),
];
