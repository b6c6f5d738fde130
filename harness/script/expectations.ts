/** Verifiers, named for what can be observed. They say what was expected and what came instead. */
import type { ChildSa } from "../ike/child.ts";
import { errorNotify, hasNotify } from "../ike/payloads.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY, notifyTypes } from "../wire/registry/notify-types.ts";
import { payloadTypes } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { describePayload } from "../wire/text.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { whyNoAnswer } from "./diagnosis.ts";
import { answersSince } from "./raw.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import { Failure, type Place, Unsupported, WrongReason } from "./verdicts.ts";

/** Anything that holds opened payloads. */
interface WithPayloads {
  payloads: Payload[];
}

export function listPayloads(message: WithPayloads | undefined): string {
  if (!message) return "silence";
  const { payloads } = message;
  return payloads.length > 0
    ? `[ ${payloads.map(describePayload).join(" ")} ]`
    : "a message without payloads";
}

/** In this message, and in this field of it, as `SA > proposal 1`; undefined for a message that never came. */
export const inMessage = (message: WithPayloads | undefined, field?: string): Place | undefined =>
  message && { payloads: message.payloads, ...(field !== undefined && { field }) };

/** The message, and in it the notify that is at fault. */
const at = (message: WithPayloads, notify: NotifyPayload): Place | undefined =>
  inMessage(message, `N(${notifyTypes.nameOf(notify.notifyType)})`);

/** Fails unless this notify is in the message; another error notify is a wrong reason. */
export function expectNotify(message: WithPayloads | undefined, ...types: number[]): void {
  const names = types.map((t) => `N(${notifyTypes.nameOf(t)})`).join(" or ");
  if (!message) throw new Failure(names, "silence");
  if (types.some((t) => hasNotify(message.payloads, t))) return;
  mindNoAdditionalSas(message);
  const error = errorNotify(message.payloads);
  if (error) throw new WrongReason(names, listPayloads(message), at(message, error));
  throw new Failure(names, listPayloads(message), inMessage(message));
}

/** Ends the test as unsupported if this is NO_ADDITIONAL_SAS: a minimal implementation may refuse all CREATE_CHILD_SA requests (RFC 7296 sections 1.3 and 4). */
export function mindNoAdditionalSas({ payloads }: WithPayloads): void {
  if (hasNotify(payloads, NOTIFY.NO_ADDITIONAL_SAS)) throw new Unsupported("the peer says NO_ADDITIONAL_SAS");
}

export function expectNoNotify(message: WithPayloads | undefined, type: number): void {
  if (message && hasNotify(message.payloads, type)) {
    const name = `N(${notifyTypes.nameOf(type)})`;
    throw new Failure(`no ${name}`, listPayloads(message), inMessage(message, name));
  }
}

/** Fails if the message refuses something. */
export function expectNoError(message: WithPayloads | undefined): void {
  if (!message) throw new Failure("a response without error", "silence");
  mindNoAdditionalSas(message);
  const error = errorNotify(message.payloads);
  if (!error) return;
  const name = `N(${notifyTypes.nameOf(error.notifyType)})`;
  throw new Failure("a response without error", name, at(message, error));
}

export function expectPayload(message: WithPayloads | undefined, type: number): void {
  if (!message?.payloads.some((p) => p.type === type))
    throw new Failure(payloadTypes.nameOf(type), listPayloads(message), inMessage(message));
}

/**
 * Sends something that must not be answered, then proves by `positive` that the peer had the chance: silence
 * alone proves nothing. Fails if something came that answers it.
 */
export async function expectSilence(
  s: Script,
  send: () => void | Promise<void>,
  positive: () => Promise<void>,
): Promise<void> {
  const since = s.mark();
  await send();
  await s.wait();
  expectNoAnswer(s, since, "silence");
  await positive();
}

/** Fails if something came since the mark that answers what must not be answered; `expected` says so in words. */
export function expectNoAnswer(s: Script, since: number, expected: string): void {
  const answers = answersSince(s, since);
  const [first] = answers;
  if (first) throw new Failure(expected, answers.map(({ text }) => text).join(", "), first);
}

/** Fails if the SA is gone at the peer. */
export async function expectAlive(session: Session): Promise<void> {
  if (!(await session.alive()))
    throw new Failure(
      "the IKE SA still alive (INFORMATIONAL answered)",
      (await whyNoAnswer(session)) ?? "silence",
    );
}

/** Fails if the peer gave the IKE SA up in silence. A Delete is an end in order, which is tolerated for this reason. */
export async function expectKept(session: Session, reason: string): Promise<void> {
  const kept = await session.alive();
  if (!kept && peerDeletedIke(session.script)) return session.script.tolerate(reason);
  require(kept, "the IKE SA still alive (INFORMATIONAL answered)", "silence");
}

/** Fails if the SA still answers. */
export async function expectDead(session: Session): Promise<void> {
  if (await session.alive()) throw new Failure("the IKE SA gone (INFORMATIONAL not answered)", "an answer");
}

/** Fails with what was expected and what came, unless `condition` holds; `place` says in which message. */
export function require(
  condition: boolean,
  expected: string,
  actual: string,
  place?: Place,
): asserts condition {
  if (!condition) throw new Failure(expected, actual, place);
}

/** Fails if the peer keeps an SA that it must refuse: it says so on this SA, or answers no more under it. */
export async function expectAbandoned(session: Session): Promise<void> {
  const { script, sa } = session;
  if (await script.until(() => sa.state === "closed", script.arena.quiet)) return;
  await expectDead(session);
}

/** Fails if the peer uses a Child SA that it must not have made, or gives the IKE SA up without a Delete. */
export async function expectUnused(session: Session, child: ChildSa): Promise<void> {
  const { script } = session;
  await script.wait();
  const used = child.state === "installed" && (await session.ping({ child, tries: 1 }));
  require(!used, "silence on the Child SA that was not made", "an answer");
  if (!peerDeletedIke(script)) await expectAlive(session);
}

/** Has the peer begin anew, and fails unless it sets up both SAs and answers under them. */
export async function expectServed(s: Script): Promise<void> {
  await s.arena.driver.reset();
  const before = s.trace.childSas().length;
  await s.provoke(() => s.trace.childSas().length > before);
  const fresh = s.trace.childSas()[before];
  if (!fresh) throw new Failure("the peer to set up both SAs at its next attempt", s.lastReason());
  await expectAlive(new Session(s, fresh.ike));
}

/** True if the peer sent a Delete for an IKE SA. */
export const peerDeletedIke = (s: Script): boolean =>
  s.trace
    .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
    .some(({ request }) =>
      request.payloads.some((p) => p.kind === "Delete" && p.protocolId === PROTOCOL.IKE),
    );
