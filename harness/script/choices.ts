/** Verifiers for what was negotiated: RFC 7296 sections 2.7, 2.9 and 3.3.6. */
import { expect } from "chai";
import { isAdditional } from "../ike/additional-ke.ts";
import { groupOctets } from "../ike/exchanges/ike-sa-init.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { hasNotify, notify, payload } from "../ike/payloads.ts";
import { isSubset } from "../ike/selectors.ts";
import { formatAddress } from "../wire/address.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { formatProposal } from "../wire/registry/proposal-spec.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload, Proposal, TrafficSelector, Transform } from "../wire/types.ts";
import { inMessage, listPayloads, mindNoAdditionalSas, require } from "./expectations.ts";
import { ikeProposals } from "./policy.ts";
import { isResponse, lose, messagesReceived } from "./raw.ts";
import type { Script } from "./script.ts";
import type { Exchange } from "./trace.ts";
import { Failure, Unsupported } from "./verdicts.ts";

const isKe = ({ type }: Transform): boolean => type === TRANSFORM.KE;

interface WithPayloads {
  payloads: Payload[];
}

const proposalText = (p: Proposal): string => `#${p.number} ${formatProposal(p)}`;

const proposalsText = (proposals: Proposal[]): string => proposals.map(proposalText).join(", ") || "none";

const selectorText = (ts: TrafficSelector): string =>
  ts.body
    ? `type ${ts.tsType}`
    : `${ts.ipProtocol}/${formatAddress(ts.startAddress)}-${formatAddress(ts.endAddress)}`;

const selectorsText = (selectors: TrafficSelector[]): string =>
  selectors.map(selectorText).join(", ") || "none";

const attributesOf = (t: Transform): string =>
  t.attributes.map((a) => `${a.type}=${typeof a.value === "number" ? a.value : hex(a.value)}`).join(",");

const sameTransform = (a: Transform, b: Transform): boolean =>
  a.type === b.type && a.id === b.id && attributesOf(a) === attributesOf(b);

/** Why `chosen` is no choice out of `offer`; undefined if it is one. */
function fault(chosen: Proposal, offer: Proposal): string | undefined {
  if (chosen.protocolId !== offer.protocolId) return "another protocol";
  for (const { type } of offer.transforms) {
    const picked = chosen.transforms.filter((t) => t.type === type);
    const optional = type === TRANSFORM.INTEG || type === TRANSFORM.KE || isAdditional(type);
    const mayLack = optional && offer.transforms.some((t) => t.type === type && t.id === 0);
    if (picked.length > 1 || (picked.length === 0 && !mayLack))
      return `${picked.length} transforms of type ${type}`;
  }
  const foreign = chosen.transforms.find((t) => !offer.transforms.some((o) => sameTransform(o, t)));
  return foreign && `transform ${foreign.id} of type ${foreign.type} as nobody offered it`;
}

/**
 * Fails unless the response takes exactly one proposal of the request: its number and protocol, one transform of
 * each of its types, attributes as they were. Returns the choice.
 */
export function expectChoice(response: WithPayloads | undefined, request: WithPayloads): Proposal {
  if (response) mindNoAdditionalSas(response);
  const answer = payload(response?.payloads ?? [], "SA");
  const offers = payload(request.payloads, "SA")?.proposals ?? [];
  const wanted = "an SA payload with one of the offered proposals";
  if (!answer) throw new Failure(wanted, listPayloads(response), inMessage(response));
  const [chosen, ...more] = answer.proposals;
  const place = inMessage(response, "SA");
  if (!chosen || more.length > 0)
    throw new Failure("exactly one proposal", proposalsText(answer.proposals), place);
  const offer = offers.find((o) => o.number === chosen.number);
  const reason = offer ? fault(chosen, offer) : "a number that was not offered";
  if (reason)
    throw new Failure(`one of ${proposalsText(offers)}`, `${reason}: ${proposalText(chosen)}`, place);
  return chosen;
}

/** Fails unless every selector of `part` lies within one of `whole`, and there is one. */
export function expectWithin(part: TrafficSelector[], whole: TrafficSelector[], what: string): void {
  if (!isSubset(part, whole))
    throw new Failure(`${what} within ${selectorsText(whole)}`, selectorsText(part));
}

/** The first IKE_SA_INIT exchange whose response is no demand for a cookie, which any responder may make. */
export function initExchange(s: Script, by: "us" | "peer" = "us"): Exchange {
  const all = s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, by);
  const found = all.find(({ response }) => !hasNotify(response?.payloads ?? [], NOTIFY.COOKIE));
  if (!found) throw new Failure("an IKE_SA_INIT exchange that is not about a cookie", `${all.length} others`);
  return found;
}

/**
 * Has the peer initiate and loses its first request; from then on we allow only a group that it offers and that its KE
 * payload was not of. Unsupported if it offers none.
 */
export async function allowOnlyAnotherGroup(s: Script): Promise<void> {
  const found = lose(s, ({ header }) => header.exchangeType === EXCHANGE.IKE_SA_INIT);
  const first = () => messagesReceived(s).find((m) => payload(m.payloads, "KE"));
  if (!(await s.provoke(() => first() !== undefined)))
    throw new Failure("an IKE_SA_INIT request", s.lastReason());
  const request = first()?.payloads ?? [];
  const offered = payload(request, "SA")?.proposals.flatMap((p) => p.transforms.filter(isKe)) ?? [];
  const others = ["x25519", "ecp256", "modp2048"].map((group) => ikeProposals(`aes256-sha256-${group}`));
  const wanted = others.find((ours) => {
    const id = ours[0]?.transforms.find(isKe)?.id;
    return id !== payload(request, "KE")?.group && offered.some((t) => t.id === id);
  });
  if (!wanted) throw new Unsupported("the peer offers one group only");
  s.policy.ike = wanted;
  found();
}

/**
 * The peer initiates, and our INVALID_KE_PAYLOAD asks for a group that it did not offer. Fails if a KE payload of that group
 * comes.
 */
export async function expectNoSwitch(s: Script, group: number): Promise<void> {
  s.change(
    EXCHANGE.IKE_SA_INIT,
    (message) => {
      message.header.spiR = new Uint8Array(8);
      message.payloads = [notify(NOTIFY.INVALID_KE_PAYLOAD, groupOctets(group))];
    },
    "response",
  );
  const attempts = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer");
  require(await s.provoke(() => attempts().length > 0), "an IKE_SA_INIT request", s.lastReason());
  await s.wait();
  const used = attempts().map((e) => payload(e.request.payloads, "KE")?.group);
  expect(used, "groups of its KE payloads").not.to.include(group);
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
}

/** Requests of this exchange type that reached us, opened or not. */
export const heard = (s: Script, exchangeType: number, since = 0): number =>
  messagesReceived(s, since).filter((m) => m.header.exchangeType === exchangeType && !isResponse(m)).length;

/**
 * The peer initiates and gets an IKE_SA_INIT response as `spoil` made it. False if it goes on with IKE_INTERMEDIATE or IKE_AUTH;
 * true if it does not, and an ordinary response still serves it.
 */
export async function refusesInit(s: Script, spoil: (m: OutgoingMessage) => void): Promise<boolean> {
  const undo = s.change(EXCHANGE.IKE_SA_INIT, spoil, "response");
  const answered = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").some((e) => e.response);
  if (!(await s.provoke(answered))) throw new Failure("an IKE_SA_INIT request", s.lastReason());
  await s.wait();
  if (heard(s, EXCHANGE.IKE_INTERMEDIATE) + heard(s, EXCHANGE.IKE_AUTH) > 0) return false;
  undo();
  await s.arena.driver.reset();
  await s.accept();
  return true;
}

/** Fails unless {@link refusesInit}. */
export async function expectInitRefused(s: Script, spoil: (m: OutgoingMessage) => void): Promise<void> {
  if (!(await refusesInit(s, spoil)))
    throw new Failure("neither IKE_INTERMEDIATE nor IKE_AUTH after this response", "one of them");
}
