/** Requests of both ends that cross on the way: RFC 7296 sections 2.8.1, 2.8.2, 2.25. */
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload } from "../wire/types.ts";
import type { ChildSa } from "./child.ts";
import type { Core } from "./core.ts";
import { notify } from "./payloads.ts";
import type { IkeSa } from "./sa.ts";

/** The peer's rekeying of an SA, with the lowest nonce of its exchange. */
export interface Crossing<T> {
  /** The new SA; not set before it is there, which additional key exchanges put off. */
  made?: T;
  lowest: Uint8Array;
  /** Set once it is known whether there is one. */
  over?: true;
  /** Set while somebody waits for it; gets undefined if it never comes. */
  settled?: (made: T | undefined) => void;
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
  if (followsUp(sa, wanted, replaces)) {
    const follows = core.decide("rekey of what IKE_FOLLOWUP_KE rekeys", "TEMPORARY_FAILURE");
    return follows === "process" ? undefined : notify(NOTIFY[follows]);
  }
  const passing =
    busy || sa.state === "rekeyed" || unsettledPredecessor(sa) || replaces?.state === "deleting";
  const manner = passing ? core.decide("crossing request", "TEMPORARY_FAILURE") : "process";
  return manner === "process" ? undefined : notify(NOTIFY[manner]);
}

/** RFC 9370 section 2.2.4: we have won, for our rekeying of the same SA has come to its IKE_FOLLOWUP_KE exchanges. */
function followsUp({ pending }: IkeSa, wanted: "rekey IKE" | "Child", replaces?: ChildSa): boolean {
  if (pending?.exchangeType !== EXCHANGE.IKE_FOLLOWUP_KE) return false;
  const { doing } = pending;
  if (wanted === "rekey IKE") return doing?.what === "rekey IKE";
  return doing?.what === "rekey Child" && doing.child === replaces;
}

/** Enters what the peer has made by the exchange that crossed ours, or that it never will, and tells who waits for it. */
export function settle<T>(crossing: Crossing<T>, made: T | undefined): void {
  crossing.over = true;
  crossing.made = made;
  crossing.settled?.(made);
}

/** Calls `act` with what the peer makes, or undefined if it never finishes: now, if that is known, or then. */
export function whenSettled<T>(crossing: Crossing<T>, act: (made: T | undefined) => void): void {
  if (crossing.over) return act(crossing.made);
  const { settled } = crossing;
  crossing.settled = (made) => {
    settled?.(made);
    act(made);
  };
}

/** We have lost: calls `done` with what the peer makes, or with a reason if it never finishes. */
export function awaitCrossing<T>(crossing: Crossing<T>, done: (made: T | string) => void): void {
  whenSettled(crossing, (made) => done(made ?? "the peer did not finish its rekeying, which crossed ours"));
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
export function oursIsRedundant(
  Ni: Uint8Array,
  Nr: Uint8Array,
  { lowest }: Pick<Crossing<never>, "lowest">,
): boolean {
  return Buffer.compare(lowestNonce(Ni, Nr), lowest) < 0;
}

/** True if our rekeying has lost before anything was made: no IKE_FOLLOWUP_KE follows (RFC 9370 section 2.2.4). */
export function mustStop(
  core: Core,
  Ni: Uint8Array,
  Nr: Uint8Array,
  crossing: Pick<Crossing<never>, "lowest">,
): boolean {
  const manner = core.decide("rekeying that has lost", "stop");
  return manner !== "go on" && oursIsRedundant(Ni, Nr, crossing) === (manner === "stop");
}
