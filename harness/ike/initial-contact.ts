/** INITIAL_CONTACT: RFC 7296 section 2.4. */
import { equal } from "../wire/bytes.ts";
import { ID_TYPE } from "../wire/registry/id-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import type { Core } from "./core.ts";
import { hasNotify, notify } from "./payloads.ts";
import type { Identity } from "./policy.ts";
import type { IkeSa } from "./sa.ts";

const same = (a: Identity | undefined, b: Identity): boolean =>
  a !== undefined && a.type === b.type && equal(a.data, b.data);

/** The other established IKE SAs of an identity, those that are being replaced included. */
const othersOf = (core: Core, sa: IkeSa, identity: Identity): IkeSa[] =>
  [...core.sas.values()].filter(
    (other) => other !== sa && other.established && same(other.remoteIdentity, identity),
  );

/** The notify for our first IKE_AUTH message, if `sa` is the only IKE SA with the peer. */
export function initialContactNotify(core: Core, sa: IkeSa): Payload[] {
  const first = core.policy.initialContact && othersOf(core, sa, core.policy.remoteId).length === 0;
  return first ? [notify(NOTIFY.INITIAL_CONTACT)] : [];
}

/** Whether the peer has proved to be who it says: by NULL authentication nobody does (RFC 7619 section 2.3). */
const isProven = ({ policy }: Core, identity: Identity): boolean =>
  identity.type !== ID_TYPE.ID_NULL && policy.peerAuth.method !== "null";

/**
 * Drops older IKE SAs of the identity that `sa` has just proved, without a Delete, if its first IKE_AUTH message says
 * that they are gone.
 */
export function onInitialContact(core: Core, sa: IkeSa, request: Payload[]): void {
  const identity = sa.remoteIdentity;
  const manner = core.decide("INITIAL_CONTACT", "of proven identities");
  if (!identity || core.policy.unique !== "replace" || manner === "ignore") return;
  if (manner !== "of any identity" && !isProven(core, identity)) return;
  if (!hasNotify(request, NOTIFY.INITIAL_CONTACT)) return;
  for (const older of othersOf(core, sa, identity)) core.closeIke(older, "the peer says INITIAL_CONTACT");
}
