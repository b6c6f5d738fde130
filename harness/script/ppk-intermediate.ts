/** PPKs in IKE_INTERMEDIATE and CREATE_CHILD_SA as a test sees them: RFC 9867. */
import type { PeerConfig, PeerRole, PpkSpec } from "../../peers/contract.ts";
import { ppkOffer } from "../extensions/ppk-offer.ts";
import { errorNotify, hasNotify, notifies } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat, EMPTY, equal, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PPK_ID } from "../wire/registry/notify-data.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { heard } from "./choices.ts";
import {
  expectNotify,
  expectServed,
  inMessage,
  listPayloads,
  mindNoAdditionalSas,
  require,
} from "./expectations.ts";
import { beginner, intermediates } from "./intermediate.ts";
import { peersInits, ppkId, SHARED_PPK } from "./ppk.ts";
import type { Spoil } from "./refusals.ts";
import type { Attempt, Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** The peer has a PPK for the initial IKE SA, and may do without; or must not. */
export const EARLY_PPK: Partial<PeerConfig> = { ppks: [SHARED_PPK], ppkIn: ["IKE_INTERMEDIATE"] };
export const EARLY_PPK_ALWAYS: Partial<PeerConfig> = { ...EARLY_PPK, ppkRequired: true };
/** The same for the SAs made later. */
export const LATE_PPK: Partial<PeerConfig> = { ppks: [SHARED_PPK], ppkIn: ["CREATE_CHILD_SA"] };
export const LATE_PPK_ALWAYS: Partial<PeerConfig> = { ...LATE_PPK, ppkRequired: true };

/** A PPK of a configuration as our end has it. */
export const ppkOf = ({ id, secret }: PpkSpec, type: number = PPK_ID.FIXED): Ppk => ({
  id: ppkId(id, type),
  secret: new TextEncoder().encode(secret),
});

/** That of {@link SHARED_PPK}. */
export const SHARED = ppkOf(SHARED_PPK);

/** What a confirmation is computed over for the initial IKE SA. */
export const earlySeed = ({ Ni, Nr, spiI, spiR }: IkeSa): Uint8Array => concat(Ni, Nr, spiI, spiR);
/** And in CREATE_CHILD_SA: Ni is that of the request. */
export const lateSeed = ({ spiI, spiR }: IkeSa, Ni: Uint8Array): Uint8Array => concat(Ni, spiI, spiR);

/** The data of PPK_IDENTITY_KEY. */
export const offerOf = (sa: IkeSa, ppk: Ppk, seed: Uint8Array): Uint8Array =>
  sa.suite ? ppkOffer(sa.suite.prf, ppk, seed) : EMPTY;

/** Ends the test as unsupported if the peer never said USE_PPK_INT, although it was told of a PPK. */
export function needEarlyPpk(s: Script, peer: PeerRole): void {
  const type = s.codePoint("USE_PPK_INT");
  if (!peersInits(s, peer).some((payloads) => hasNotify(payloads, type)))
    throw new Unsupported("the peer did not say USE_PPK_INT");
}

/** The PPKs on offer in the request of an exchange. */
export const offersOf = (s: Script, { request }: Exchange): NotifyPayload[] =>
  notifies(request.payloads, s.codePoint("PPK_IDENTITY_KEY"));

const named = (payloads: Payload[] | undefined): string =>
  notifies(payloads ?? [], NOTIFY.PPK_IDENTITY)
    .map(({ data }) => hex(data) || "nothing")
    .join(", ");

/** Fails unless the response names this PPK, once, in a notify without SPI. */
export function expectNamed(response: Exchange["response"], { id }: Ppk): void {
  expectNotify(response, NOTIFY.PPK_IDENTITY);
  const payloads = response?.payloads ?? [];
  require(named(payloads) === hex(id), `one PPK_IDENTITY with ${hex(id)}`, named(payloads), inMessage(
    response,
    "N(PPK_IDENTITY)",
  ));
  const [notify] = notifies(payloads, NOTIFY.PPK_IDENTITY);
  const plain = notify?.protocolId === 0 && notify.spi.length === 0;
  require(plain, "PPK_IDENTITY with Protocol ID 0 and no SPI", listPayloads(response), inMessage(
    response,
    "N(PPK_IDENTITY)",
  ));
}

/** Fails unless the last exchange of the last IKE SA was about this PPK, and nothing else was. */
export function expectChosen(s: Script, peer: PeerRole, ppk: Ppk = SHARED): void {
  const all = intermediates(s, peer);
  const last = all.at(-1);
  if (!last) throw new Failure("an IKE_INTERMEDIATE exchange", s.lastReason());
  expectNamed(last.response, ppk);
  const { sa } = last.request;
  const others = all.filter((e) => e !== last && e.request.sa === sa);
  const early = others.find((e) => offersOf(s, e).length > 0 || named(e.response?.payloads));
  require(!early, "PPKs in the last IKE_INTERMEDIATE alone", listPayloads(early?.request));
  expectNoPpksInAuth(s, peer);
}

/** Section 3.1.1: IKE_AUTH has no part in it. */
function expectNoPpksInAuth(s: Script, peer: PeerRole): void {
  const types = [NOTIFY.PPK_IDENTITY, NOTIFY.NO_PPK_AUTH, s.codePoint("PPK_IDENTITY_KEY")];
  for (const { request, response } of s.trace.exchangesOf(EXCHANGE.IKE_AUTH, beginner(peer)))
    for (const message of [request, ...(response ? [response] : [])]) {
      const found = types.some((type) => hasNotify(message.payloads, type));
      require(!found, "no notify about PPKs in IKE_AUTH", listPayloads(message), inMessage(message));
    }
}

/** As {@link Script.tryDial}, but does not wait for long where the peer answers somebody else meanwhile. */
export async function tryDialBriefly(s: Script): Promise<Attempt> {
  const { sa, failure } = await s.tryInit();
  if (failure) return { sa, failure };
  let outcome: Attempt | undefined;
  s.host.endpoint.auth(sa, {}, (ended) => {
    outcome = { sa, ...ended };
  });
  s.host.settle();
  await s.untilAnswered(() => outcome !== undefined, 2 * s.arena.quiet);
  return outcome ?? { sa, failure: "silence" };
}

/** Both SAs, or soon a failure: for a peer that has said USE_PPK_INT, and may be silent to what comes then. */
export async function dialBriefly(s: Script): Promise<Session> {
  const { sa, failure, childFailure } = await tryDialBriefly(s);
  const reason = failure ?? childFailure;
  if (reason) throw new Failure("an established IKE SA with a Child SA", reason);
  return new Session(s, sa);
}

/** Both SAs, with a PPK in the keys of IKE_AUTH and all that follows; traffic proves them. */
export async function expectEarlyPpk(
  s: Script,
  peer: PeerRole,
  ppk: Ppk = SHARED,
  made = s.establish(peer),
): Promise<Session> {
  const session = await made;
  needEarlyPpk(s, peer);
  expectChosen(s, peer, ppk);
  await session.proveTraffic();
  return session;
}

/** Both SAs without a PPK: no response names one, and traffic passes under plain keys. */
export async function expectNoEarlyPpk(
  s: Script,
  peer: PeerRole,
  made = s.establish(peer),
): Promise<Session> {
  const session = await made;
  for (const { response } of intermediates(s, peer))
    require(!named(response?.payloads), "no PPK_IDENTITY", listPayloads(response), inMessage(
      response,
      "N(PPK_IDENTITY)",
    ));
  expectNoPpksInAuth(s, peer);
  await session.proveTraffic();
  return session;
}

/** Ends the test as unsupported unless the peer, as responder, says USE_PPK_INT to an ordinary request. */
export async function proveEarlyPpk(s: Script): Promise<void> {
  await s.tryInit();
  needEarlyPpk(s, "responder");
}

/** The peer, as responder, refuses an exchange of ours with this notify; without what is spoilt it uses the PPK. */
export async function expectEarlyRefused(
  s: Script,
  spoil: Spoil,
  exchangeType: number,
  ...types: number[]
): Promise<void> {
  s.decide("unprotected error notify", "give up");
  await proveEarlyPpk(s);
  const undo = spoil(s);
  const { failure } = await tryDialBriefly(s);
  const { response } = s.exchange(exchangeType);
  require(failure !== undefined, "no IKE SA", "one");
  expectNotify(response, ...types);
  undo();
  await expectEarlyPpk(s, "responder");
}

/**
 * The peer begins an IKE SA, and gives it up before IKE_AUTH because of what is spoilt in our messages of an exchange type. Without
 * that, the same peer is served.
 */
export async function expectEarlyAbort(s: Script, spoil: Spoil, exchangeType: number): Promise<void> {
  const undo = spoil(s);
  const offered = (e: Exchange) => exchangeType !== EXCHANGE.IKE_INTERMEDIATE || offersOf(s, e).length > 0;
  const asked = () => s.trace.exchangesOf(exchangeType, "peer").some((e) => e.response && offered(e));
  const begun = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").some((e) => e.response);
  if (!(await s.provoke(begun))) throw new Failure("an IKE_SA_INIT request", s.lastReason());
  needEarlyPpk(s, "initiator");
  const came = await s.until(() => asked() || heard(s, EXCHANGE.IKE_AUTH) > 0);
  require(came, "PPK_IDENTITY_KEY in an IKE_INTERMEDIATE request", s.lastReason());
  await s.wait();
  require(heard(s, EXCHANGE.IKE_AUTH) === 0, "no IKE_AUTH", "one");
  undo();
  await expectServed(s);
}

/** Writes other offers into our IKE_INTERMEDIATE requests that have some, until the returned function is called. */
export const withOffers =
  (make: (sa: IkeSa) => Uint8Array[]): Spoil =>
  (s) =>
    s.change(EXCHANGE.IKE_INTERMEDIATE, ({ sa, payloads }) => replaceOffers(s, payloads, sa && make(sa)));

/** The same in our CREATE_CHILD_SA requests; `Ni` is theirs. */
export const withLateOffers =
  (make: (sa: IkeSa, Ni: Uint8Array) => Uint8Array[]): Spoil =>
  (s) =>
    s.change(EXCHANGE.CREATE_CHILD_SA, ({ sa, payloads }) => {
      const Ni = payloads.flatMap((p) => (p.kind === "Nonce" ? [p.data] : []))[0];
      replaceOffers(s, payloads, sa && Ni && make(sa, Ni));
    });

function replaceOffers(s: Script, payloads: Payload[], data: Uint8Array[] | undefined): void {
  const [model] = notifies(payloads, s.codePoint("PPK_IDENTITY_KEY"));
  if (!model || !data) return;
  const others = payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== model.notifyType);
  payloads.splice(0, payloads.length, ...others, ...data.map((d): NotifyPayload => ({ ...model, data: d })));
}

/** Fails unless each of the offers is that of one of these PPKs, with the confirmation that belongs to it. */
export function expectRightOffers(offers: NotifyPayload[], sa: IkeSa, seed: Uint8Array, ppks: Ppk[]): void {
  const right = ppks.map((ppk) => offerOf(sa, ppk, seed));
  for (const { data, protocolId, spi } of offers) {
    const known = right.some((r) => equal(r, data));
    require(known, `PPK_IDENTITY_KEY with one of ${right.map(hex).join(", ")}`, hex(data));
    require(protocolId === 0 && spi.length === 0, "Protocol ID 0 and no SPI", `${protocolId}, ${hex(spi)}`);
  }
}

/** The last CREATE_CHILD_SA exchange that made an SA, begun by us or by the peer. */
export function lastCreation(s: Script, by: Exchange["by"]): Exchange {
  const made = s.trace
    .exchangesOf(EXCHANGE.CREATE_CHILD_SA, by)
    .findLast(({ request }) => request.payloads.some((p) => p.kind === "SA"));
  if (!made) throw new Failure("a CREATE_CHILD_SA request", s.lastReason());
  return made;
}

/** Ends the test as unsupported if the peer's response, to an offer that is right, names no PPK: it may ignore offers. */
export function needLatePpk({ response }: Exchange): void {
  if (!response) throw new Failure("a response to CREATE_CHILD_SA", "silence");
  mindNoAdditionalSas(response);
  if (!errorNotify(response.payloads) && !named(response.payloads))
    throw new Unsupported("the peer ignores PPK_IDENTITY_KEY in CREATE_CHILD_SA");
}

/** Ends the test as unsupported if the peer's request offers no PPK. */
export function needLateOffers(s: Script): NotifyPayload[] {
  const offers = offersOf(s, lastCreation(s, "peer"));
  if (offers.length > 0) return offers;
  throw new Unsupported("the peer offers no PPK in CREATE_CHILD_SA");
}
