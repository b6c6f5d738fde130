/** Sequence number subspaces in the hands of a test. */
import type { PeerRole } from "../../peers/contract.ts";
import type { DropReason } from "../esp/inbound.ts";
import { limitIn, type SubspaceSpeech, subspaces, subspacesType } from "../extensions/subspaces.ts";
import type { ChildSa } from "../ike/child.ts";
import { notifies } from "../ike/payloads.ts";
import { readU16, readU32 } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { espFromPeer } from "./echo.ts";
import { require } from "./expectations.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Unsupported } from "./verdicts.ts";

export { subspaceNumber } from "../esp/subspaces.ts";

export const subspacesTypeOf = (s: Script): number => subspacesType(s.arena.config.codePoints);

/** The notifies of a message, well-formed or not. */
export const subspaceNotifies = (s: Script, payloads: Payload[]): NotifyPayload[] =>
  notifies(payloads, subspacesTypeOf(s));

/** Has our end announce that it receives so many subspaces with every Child SA, and use those that the peer announces. */
function announceSubspaces(s: Script, receive: number): SubspaceSpeech & { over: () => void } {
  const speech = subspaces({ receive, codePoints: s.arena.config.codePoints });
  s.extensions.push(speech.ike);
  s.espExtensions.push(speech.esp);
  const over = () => void s.extensions.splice(s.extensions.indexOf(speech.ike), 1);
  return { ...speech, over };
}

/** What the peer announced in IKE_AUTH; ends the test if that was nothing. */
function neededNotify(s: Script): Payload[] {
  const messages = s.trace
    .exchangesOf(EXCHANGE.IKE_AUTH)
    .map((e) => (e.by === "peer" ? e.request : e.response));
  const payloads = messages.flatMap((m) => m?.payloads ?? []);
  if (subspaceNotifies(s, payloads).length > 0) return payloads;
  throw new Unsupported("no ANTI_REPLAY_SUBSPACES in the peer's IKE_AUTH");
}

/** A session whose ends have agreed on subspaces. */
export interface Divided {
  session: Session;
  /** How many subspaces the peer receives. */
  limit: number;
  /** Our part; `over` ends our announcements, not the subspaces of SAs that have them. */
  ours: SubspaceSpeech & { over: () => void };
}

/** Both SAs; the Child SA has subspaces, of which we receive so many. */
export async function establishDivided(s: Script, peer: PeerRole, receive = 8): Promise<Divided> {
  const ours = announceSubspaces(s, receive);
  const session = await s.establish(peer);
  const limit = limitIn(neededNotify(s), s.arena.config.codePoints);
  require(limit !== undefined, "a well-formed ANTI_REPLAY_SUBSPACES", "another form");
  require(session.child.esn, "Sequence Numbers 1 beside the notify", "another id");
  return { session, limit, ours };
}

/** Our end drops a packet for its number alone: what is wrong with that is for the test to say. */
const BY_NUMBER: readonly DropReason[] = ["subspace", "sequence-zero", "replay"];

/**
 * The numbers of the peer's packets on this Child SA by subspace, smallest first. Fails if one of them does not open,
 * unless we dropped it for its number.
 */
export function numbersBySubspace(session: Session, child: ChildSa = session.child): Map<number, number[]> {
  const numbers = new Map<number, number[]>();
  for (const { packet, result } of espFromPeer(session, child)) {
    const right = result.ok || BY_NUMBER.includes(result.reason);
    require(right, "packets that open", result.ok ? "" : `${result.reason}: ${result.detail}`);
    const subspace = readU16(packet, 4);
    const number = readU16(packet, 6) * 2 ** 32 + readU32(packet, 8);
    numbers.set(subspace, [...(numbers.get(subspace) ?? []), number]);
  }
  for (const list of numbers.values()) list.sort((a, b) => a - b);
  return numbers;
}
