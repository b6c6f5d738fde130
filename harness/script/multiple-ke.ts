/** Additional key exchanges in IKE_INTERMEDIATE, as a test negotiates, spoils and reads them: RFC 9370 sections 2.2.1 to 2.2.3. */
import type { PeerRole, ProposalSpec } from "../../peers/contract.ts";
import { keMethod } from "../crypto/ke.ts";
import { additionalMethods, repeatsMethod } from "../ike/additional-ke.ts";
import { kePayload } from "../ike/exchanges/ike-sa-init.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { errorNotify, payload } from "../ike/payloads.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { KePayload, Payload, Proposal, Transform } from "../wire/types.ts";
import { expectChoice } from "./choices.ts";
import { expectServed, inMessage, listPayloads, require } from "./expectations.ts";
import { beginner } from "./intermediate.ts";
import { authOnce, expectRounds, forget } from "./post-quantum.ts";
import { isResponse, messagesReceived } from "./raw.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure } from "./verdicts.ts";

/** All orders of some things. */
export const orders = <T>(all: readonly T[]): T[][] =>
  all.length < 2
    ? [[...all]]
    : all.flatMap((first) => orders(all.filter((one) => one !== first)).map((rest) => [first, ...rest]));

/** Roles for a row of tests of which each needs one alone, so that neighbours and every second neighbour differ in turn. */
export const inTurn = (index: number): PeerRole =>
  (index + Math.floor(index / 2)) % 2 === 0 ? "responder" : "initiator";

/** A proposal for an IKE SA, of X25519 and these additional key exchanges. */
export const hybrid = (added: string): ProposalSpec => `aes256-sha256-x25519-${added}`;

/** The IKE_SA_INIT exchange in which something was chosen. */
function settled(s: Script, by: "us" | "peer"): Exchange {
  const found = s.trace
    .exchangesOf(EXCHANGE.IKE_SA_INIT, by)
    .findLast(({ response }) => payload(response?.payloads ?? [], "SA"));
  if (!found) throw new Failure("a choice in IKE_SA_INIT", s.lastReason());
  return found;
}

/** Fails unless the choice is one of the offers, and none of its additional methods is there twice. */
export function expectAgreed(s: Script, peer: PeerRole): Proposal {
  const { request, response } = settled(s, beginner(peer));
  const chosen = expectChoice(response, request);
  require(!repeatsMethod(chosen), "no method twice, but for NONE", additionalMethods(chosen).join(
    ", ",
  ), inMessage(response, "SA"));
  return chosen;
}

/**
 * Fails unless the exchanges between IKE_SA_INIT and IKE_AUTH are those of the choice, and of `expected`, where only one
 * choice is right.
 */
export function expectPerformed(s: Script, peer: PeerRole, expected?: readonly number[]): void {
  const methods = additionalMethods(expectAgreed(s, peer));
  const [wanted, chosen] = [expected ?? methods, methods].map((all) => all.join(", ") || "NONE");
  require(wanted === chosen, `a choice of the methods ${wanted}`, `${chosen}`);
  expectRounds(s, beginner(peer), methods);
}

/** Sets up both SAs as {@link expectPerformed} says, and fails unless traffic passes under the keys that come of it. */
export async function expectHybrid(
  s: Script,
  peer: PeerRole,
  expected?: readonly number[],
): Promise<Session> {
  const session = await s.establish(peer);
  expectPerformed(s, peer, expected);
  await session.proveTraffic();
  return session;
}

/** Offers this, and fails unless both SAs come up. */
export async function dialWith(s: Script, proposals: Proposal[]): Promise<Session> {
  s.policy.ike = proposals.map((p, i) => ({ ...p, number: i + 1 }));
  s.decide("unprotected error notify", "give up");
  const { sa, failure, childFailure } = await s.tryDial();
  require(!failure && !childFailure, "both SAs", failure ?? childFailure ?? "");
  return new Session(s, sa);
}

/** Changes the additional transforms of our choice. */
export const inChoice =
  (change: (transforms: Transform[]) => Transform[]) =>
  ({ payloads }: OutgoingMessage): void => {
    const sa = payload(payloads, "SA");
    if (!sa) return;
    sa.proposals = sa.proposals.map((p) => ({ ...p, transforms: change(p.transforms) }));
  };

/** Gives the second additional type of our choice the method of the first. */
export const repeated = inChoice((transforms) => {
  const first = transforms.find(({ type }) => type === TRANSFORM.ADDKE1)?.id ?? 0;
  return transforms.map((t) => (t.type === TRANSFORM.ADDKE2 ? { ...t, id: first } : t));
});

/** A public value of this method that is in order. */
export function publicValue(s: Script, method: number): Uint8Array {
  const ke = keMethod(method);
  if (!ke) throw new Error(`no code for the key exchange method ${method}`);
  return ke.generate(s.arena.random).publicValue;
}

export const keOfMethod = (s: Script, method: number): KePayload => kePayload(method, publicValue(s, method));

/** What stands in the place of the KE payload of a round. */
export type SpoilKe = (ke: KePayload, s: Script) => KePayload[];

/** Changes our KE payload of the `number`th additional key exchange; the returned function ends that. */
function spoilRound(s: Script, peer: PeerRole, number: number, spoil: SpoilKe): () => void {
  const change = (message: OutgoingMessage): void => {
    if (message.header.messageId !== number) return;
    message.payloads = message.payloads.flatMap((p): Payload[] => (p.kind === "KE" ? spoil(p, s) : [p]));
  };
  return s.change(EXCHANGE.IKE_INTERMEDIATE, change, peer === "responder" ? "request" : "response");
}

/**
 * Spoils our KE payload of the `number`th additional key exchange. True if the peer refuses it: as responder by an error or
 * silence, as initiator by not going on; the next attempt, with the right one, has succeeded then.
 */
export async function refusesRound(
  s: Script,
  peer: PeerRole,
  number: number,
  spoil: SpoilKe,
): Promise<boolean> {
  const undo = spoilRound(s, peer, number, spoil);
  const refused = await (peer === "responder" ? responderRefuses : initiatorRefuses)(s, number);
  undo();
  if (!refused) return false;
  if (peer === "responder") await s.dial();
  else await expectServed(s);
  return true;
}

async function responderRefuses(s: Script, number: number): Promise<boolean> {
  const { sa } = await s.init();
  await authOnce(s, sa);
  const round = s.trace
    .exchangesOf(EXCHANGE.IKE_INTERMEDIATE, "us")
    .find(({ messageId }) => messageId === number);
  require(round !== undefined, `to come to round ${number}`, s.lastReason());
  if (round.response && !errorNotify(round.response.payloads)) return false;
  forget(s, sa);
  return true;
}

async function initiatorRefuses(s: Script, number: number): Promise<boolean> {
  const answered = () =>
    s.trace
      .exchangesOf(EXCHANGE.IKE_INTERMEDIATE, "peer")
      .some(({ messageId, response }) => messageId === number && response);
  require(await s.provoke(answered), `the peer to come to round ${number}`, s.lastReason());
  await s.wait();
  return !messagesReceived(s).some((message) => {
    const { exchangeType, messageId } = message.header;
    const next = exchangeType === EXCHANGE.IKE_INTERMEDIATE && messageId > number;
    return !isResponse(message) && (next || exchangeType === EXCHANGE.IKE_AUTH);
  });
}

/** Fails unless {@link refusesRound}. */
export async function expectRoundRefused(
  s: Script,
  peer: PeerRole,
  number: number,
  spoil: SpoilKe,
): Promise<void> {
  const refused = await refusesRound(s, peer, number, spoil);
  const answer = s.trace.exchangesOf(EXCHANGE.IKE_INTERMEDIATE, "us").find((e) => e.messageId === number);
  const went = peer === "responder" ? listPayloads(answer?.response) : "the next exchange";
  require(refused, `round ${number} refused`, went);
}

/** A message in clear with other payloads, as octets; one that cannot be read stays as it is. */
export function reencoded(datagram: Uint8Array, change: (m: OutgoingMessage) => void): Uint8Array {
  const message = decodeMessage(datagram);
  if (isFrameError(message)) return datagram;
  const { header, payloads } = message;
  change({ header, payloads, isResponse: true, clear: [], seal: {}, protected: false });
  return encodeMessage(message);
}
