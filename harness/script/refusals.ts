/** What a peer must do with a proof of identity that is not good. */
import type { OutgoingMessage } from "../ike/hooks.ts";
import { errorNotify, payload } from "../ike/payloads.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { expectAbandoned, expectServed, listPayloads, require } from "./expectations.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { SeenMessage } from "./trace.ts";

/** Turns one bit of the AUTH value. */
export function flipAuth({ payloads }: OutgoingMessage): void {
  const auth = payload(payloads, "AUTH");
  if (auth) auth.data = auth.data.map((octet, i) => (i === 0 ? octet ^ 1 : octet));
}

/** Spoils what we prove who we are with; the returned function undoes it. */
export type Spoil = (s: Script) => () => void;

/**
 * The peer, as responder, must refuse our IKE_AUTH, best with AUTHENTICATION_FAILED; the right one serves it. `what`
 * names the proof in the reason of a failure.
 */
export async function expectRefusedByResponder(s: Script, spoil: Spoil, what?: string): Promise<void> {
  const undo = spoil(s);
  await s.tryDial();
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  const error = errorNotify(response?.payloads ?? []);
  const expected = ["N(AUTHENTICATION_FAILED)", ...(what ? [`for ${what}`] : [])].join(" ");
  // An error beside AUTH is one of the Child SA: we were believed.
  const refused = error !== undefined && !payload(response?.payloads ?? [], "AUTH");
  require(refused || !response, expected, listPayloads(response));
  undo();
  await s.dial();
  if (error?.notifyType === NOTIFY.AUTHENTICATION_FAILED) return;
  s.tolerate(`refuses with ${listPayloads(response)}; section 2.21.2 recommends AUTHENTICATION_FAILED`);
}

/**
 * The peer, as initiator, must drop the SA once it has our IKE_AUTH response, of several rounds the one that is
 * `spoilt`; the right one serves it.
 */
export async function expectRefusedByInitiator(
  s: Script,
  spoil: Spoil,
  spoilt: (response: SeenMessage) => boolean = () => true,
): Promise<void> {
  const undo = spoil(s);
  const before = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").length;
  const answer = () =>
    s.trace
      .exchangesOf(EXCHANGE.IKE_AUTH, "peer")
      .slice(before)
      .flatMap(({ response }) => response ?? [])
      .find(spoilt);
  await s.provoke(() => answer() !== undefined);
  const sa = answer()?.sa;
  require(sa !== undefined, "the peer to come to this round of IKE_AUTH", s.lastReason());
  await expectAbandoned(new Session(s, sa));
  undo();
  await expectServed(s);
}
