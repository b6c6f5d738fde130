/** Requests of both ends that cross on the way: RFC 7296 sections 2.8.1, 2.8.2, 2.25. */
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload } from "../wire/types.ts";
import type { ChildSa } from "./child.ts";
import type { Core } from "./core.ts";
import { notify } from "./payloads.ts";
import type { IkeSa } from "./sa.ts";

/** A new SA that the peer made of the one we are replacing, and the lowest nonce of its exchange. */
export interface Crossing<T> {
  made: T;
  lowest: Uint8Array;
}

/** A Child SA that the peer may have, and we will once we see the response. */
interface ToBeMade {
  /** SPIs, in hex, that the peer deleted before we knew of them. */
  deletedEarly?: Set<string>;
}

/** What an outstanding request of ours is about to change. */
export type Doing =
  | ({ what: "create Child" } & ToBeMade)
  | ({ what: "rekey Child"; child: ChildSa; crossing?: Crossing<ChildSa> } & ToBeMade)
  | { what: "delete Child"; child: ChildSa }
  | { what: "rekey IKE"; crossing?: Crossing<IkeSa> }
  | { what: "delete IKE" };

const OF_CHILDREN: ReadonlySet<Doing["what"]> = new Set(["create Child", "rekey Child", "delete Child"]);
const OF_IKE: ReadonlySet<Doing["what"]> = new Set(["rekey IKE", "delete IKE"]);

/** TEMPORARY_FAILURE, if what we are doing does not go together with this request of the peer; else undefined. */
export function refusedByCrossing(
  core: Core,
  sa: IkeSa,
  wanted: "rekey IKE" | "Child",
  replaces?: ChildSa,
): NotifyPayload | undefined {
  const what = sa.pending?.doing?.what;
  const busy =
    what !== undefined &&
    (wanted === "Child" ? OF_IKE.has(what) : OF_CHILDREN.has(what) || what === "delete IKE");
  const passing =
    busy || sa.state === "rekeyed" || unsettledPredecessor(sa) || replaces?.state === "deleting";
  const manner = passing ? core.decide("crossing request", "TEMPORARY_FAILURE") : "process";
  return manner === "process" ? undefined : notify(NOTIFY[manner]);
}

/**
 * The SA that `sa` may replace, while we cannot tell, because our own rekeying of that one is still unanswered: the
 * Child SAs are there until then.
 */
export function unsettledPredecessor(sa: IkeSa): IkeSa | undefined {
  const doing = sa.replaces?.pending?.doing;
  return doing?.what === "rekey IKE" && doing.crossing?.made === sa ? sa.replaces : undefined;
}

/** Whether the peer may speak of a Child SA that we cannot know yet: our request for one is outstanding. */
export function mayBeMaking(sa: IkeSa): (Doing & ToBeMade) | undefined {
  const doing = sa.pending?.doing;
  return doing?.what === "create Child" || doing?.what === "rekey Child" ? doing : undefined;
}

/** Octet by octet, a prefix being lower. */
export function lowestNonce(Ni: Uint8Array, Nr: Uint8Array): Uint8Array {
  return Buffer.compare(Ni, Nr) <= 0 ? Ni : Nr;
}

/** True if our exchange holds the lowest of the four nonces: what it made is redundant, and ours to delete. */
export function oursIsRedundant(Ni: Uint8Array, Nr: Uint8Array, crossing: Crossing<unknown>): boolean {
  return Buffer.compare(lowestNonce(Ni, Nr), crossing.lowest) < 0;
}
