/**
 * Words for what RFC 7296 asks of a peer that is told nothing of IKE_INTERMEDIATE, additional key exchanges and ML-KEM.
 * Whether it knows them does not matter: where it agrees to one of them, it must say so in full.
 */
import { additionalMethods } from "../ike/additional-ke.ts";
import { hasNotify, notify, payload } from "../ike/payloads.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload, Proposal, Transform } from "../wire/types.ts";
import { expectChoice } from "./choices.ts";
import { expectAlive, expectKept, expectNotify, inMessage, listPayloads, require } from "./expectations.ts";
import { forget } from "./post-quantum.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure } from "./verdicts.ts";

const FAILED_CHILD = "deletes the IKE SA after a failed Child SA, which it should not (section 1.3.1)";

/** Transforms of one type without attributes. */
export const transformsOf = (type: number, ...ids: number[]): Transform[] =>
  ids.map((id) => ({ type, id, attributes: [] }));

/** The same proposal with more transforms, at its end. */
export const withTransforms = (proposal: Proposal, ...added: Transform[]): Proposal => ({
  ...proposal,
  transforms: [...proposal.transforms, ...added],
});

/** The same proposal with these key exchange methods in the place of its own. */
export const withMethods = (proposal: Proposal, ...ids: number[]): Proposal => ({
  ...proposal,
  transforms: [
    ...proposal.transforms.filter(({ type }) => type !== TRANSFORM.KE),
    ...transformsOf(TRANSFORM.KE, ...ids),
  ],
});

/** What a peer of this configuration takes for a further Child SA. */
export const childOffers = ({ policy }: Script): Proposal[] => policy.rekeyEsp ?? policy.esp;

const numbered = (proposals: Proposal[]): Proposal[] => proposals.map((p, i) => ({ ...p, number: i + 1 }));

/** A KE payload with as many octets as an encapsulation key of ML-KEM-768. */
export const bigKe = (): Payload => ({
  ...{ kind: "KE", type: PAYLOAD.KE, group: 36 },
  data: new Uint8Array(1184).map((_, i) => (i * 7) & 0x7f),
});

/**
 * Has INTERMEDIATE_EXCHANGE_SUPPORTED in our IKE_SA_INIT messages as `wanted` says, whatever our endpoint would do:
 * with these data, or, for undefined, not at all.
 */
export function announceIntermediate(
  s: Script,
  wanted: (request: Payload[]) => Uint8Array | undefined,
): void {
  const isAnnouncement = (p: Payload): boolean =>
    p.kind === "Notify" && p.notifyType === NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;
  s.extensions.push({
    name: "announcement",
    outgoing: (message) => {
      if (message.header.exchangeType !== EXCHANGE.IKE_SA_INIT) return;
      const data = wanted(message.request?.payloads ?? []);
      message.payloads = message.payloads.filter((p) => !isAnnouncement(p));
      if (data) message.payloads.push(notify(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, data));
    },
  });
}

/**
 * Fails unless the response takes one of the offers as it should. True if that is one behind the first `unknown` ones;
 * false if the peer agreed to additional key exchanges, and said with `notifyType` that they follow.
 */
function tookOrdinary({ request, response }: Exchange, unknown: number, notifyType: number): boolean {
  const [choice] = payload(response?.payloads ?? [], "SA")?.proposals ?? [];
  const early = choice !== undefined && choice.number <= unknown;
  const inInit = notifyType === NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;
  if (early && inInit && !hasNotify(request.payloads, notifyType))
    throw new Failure(
      `a proposal behind number ${unknown}, for who announced nothing`,
      `number ${choice.number}`,
    );
  const chosen = expectChoice(response, request);
  if (!early) return true;
  const agreed = hasNotify(response?.payloads ?? [], notifyType) && additionalMethods(chosen).length > 0;
  require(agreed, `a proposal behind number ${unknown}, or a notify that says what follows`, listPayloads(
    response,
  ), inMessage(response));
  return false;
}

/** Offers an IKE SA of these proposals and, behind them, of ordinary ones. The peer takes one of those, and both SAs come up. */
export async function expectOrdinaryIkeSa(s: Script, unknown: Proposal[]): Promise<void> {
  s.policy.ike = numbered([...unknown, ...s.policy.ike]);
  s.decide("unprotected error notify", "give up");
  const { sa, failure } = await s.tryInit();
  const exchange = s.exchange(EXCHANGE.IKE_SA_INIT);
  if (!tookOrdinary(exchange, unknown.length, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED)) return;
  require(!failure, "an IKE_SA_INIT response with keys", failure ?? "");
  const attempt = await s.tryAuth(sa);
  require(!attempt.failure && !attempt.childFailure, "both SAs", attempt.failure ??
    attempt.childFailure ??
    "");
  await new Session(s, sa).proveTraffic();
}

/** Offers an IKE SA of these proposals alone: NO_PROPOSAL_CHOSEN. An ordinary offer is served. */
export async function expectNoIkeSa(s: Script, unknown: Proposal[]): Promise<void> {
  const ordinary = s.policy.ike;
  s.policy.ike = numbered(unknown);
  s.decide("unprotected error notify", "give up");
  const { sa } = await s.tryInit();
  expectNotify(s.exchange(EXCHANGE.IKE_SA_INIT).response, NOTIFY.NO_PROPOSAL_CHOSEN);
  forget(s, sa);
  s.policy.ike = numbered(ordinary);
  await s.dial();
}

/** Asks for a Child SA of these proposals and, behind them, of ordinary ones. The peer takes one of those. */
export async function expectOrdinaryChildSa(session: Session, unknown: Proposal[]): Promise<void> {
  const { script } = session;
  const child = await session.tryCreateChild({
    proposals: numbered([...unknown, ...childOffers(script)]),
  });
  const exchange = script.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (!tookOrdinary(exchange, unknown.length, NOTIFY.ADDITIONAL_KEY_EXCHANGE)) return;
  require(typeof child !== "string", "a new Child SA", String(child));
  await session.proveTraffic(child);
}

/** Asks for a Child SA of these proposals alone: NO_PROPOSAL_CHOSEN, and the IKE SA goes on. */
export async function expectNoChildSa(session: Session, unknown: Proposal[]): Promise<void> {
  const { script } = session;
  await session.tryCreateChild({ proposals: numbered(unknown) });
  expectNotify(script.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
  await expectKept(session, FAILED_CHILD);
}

/** Rekeys the IKE SA with these proposals and, behind them, with ordinary ones. The peer takes one of those. */
export async function expectOrdinaryIkeRekey(session: Session, unknown: Proposal[]): Promise<void> {
  const { script } = session;
  const sa = await session.tryRekeyIke({ proposals: numbered([...unknown, ...script.policy.ike]) });
  const exchange = script.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (!tookOrdinary(exchange, unknown.length, NOTIFY.ADDITIONAL_KEY_EXCHANGE)) return;
  require(typeof sa !== "string", "a new IKE SA", String(sa));
  await expectAlive(new Session(script, sa));
}

/** Rekeys the IKE SA with these proposals alone: NO_PROPOSAL_CHOSEN, and the old one goes on. */
export async function expectNoIkeRekey(session: Session, unknown: Proposal[]): Promise<void> {
  const { script } = session;
  await session.tryRekeyIke({ proposals: numbered(unknown) });
  expectNotify(script.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
  await expectAlive(session);
}
