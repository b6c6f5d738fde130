/** IKE_SA_INIT: RFC 7296 sections 1.2, 2.6, 2.7, 2.10, 2.14, 2.23. */
import { hash } from "node:crypto";
import { hmac } from "../../crypto/hash.ts";
import { skeyseed } from "../../crypto/keys.ts";
import type { KeyPair } from "../../crypto/types.ts";
import { concat, EMPTY, equal, hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type {
  KePayload,
  NoncePayload,
  NotifyPayload,
  Payload,
  Proposal,
  SaPayload,
} from "../../wire/types.ts";
import { announcedHashes, hashNotify, responderAnnouncements } from "../auth/announce.ts";
import type { Core } from "../core.ts";
import { installKeys } from "../generation.ts";
import { MANY_HALF_OPEN } from "../half-open.ts";
import type { IkeKeyInputs, IncomingMessage } from "../hooks.ts";
import { freshKeyPair, isKem } from "../key-pair.ts";
import { detectNat, natNotifies } from "../nat.ts";
import { errorNotify, notifies, notify, notifyText, payload } from "../payloads.ts";
import { choose, firstOffer, isChoiceOf } from "../proposals.ts";
import { IkeSa, type IkeSuite, ikeSuite } from "../sa.ts";
import { sendClearAnswer, sendRequest, sendResponse } from "../send.ts";

/** Rounds of COOKIE and INVALID_KE_PAYLOAD before we give up (section 2.6 asks for a bound). */
const MAX_ROUNDS = 5;

/** What an initiator keeps between the rounds of IKE_SA_INIT. */
interface Attempt {
  group: number;
  keyPair: KeyPair;
  cookie?: Uint8Array;
  round: number;
  /** Called once the keys are there, or with why they are not. */
  done: (failure?: string) => void;
}

export const saPayload = (proposals: Proposal[]): SaPayload => ({ kind: "SA", type: PAYLOAD.SA, proposals });
export const kePayload = (group: number, data: Uint8Array): KePayload => ({
  kind: "KE",
  type: PAYLOAD.KE,
  group,
  data,
});
export const noncePayload = (data: Uint8Array): NoncePayload => ({
  kind: "Nonce",
  type: PAYLOAD.NONCE,
  data,
});

/** The groups of a list of proposals, in order of preference, without NONE. */
export function groups(proposals: Proposal[]): number[] {
  const found: number[] = [];
  for (const { transforms } of proposals) {
    for (const { type, id } of transforms)
      if (type === TRANSFORM.KE && id !== 0 && !found.includes(id)) found.push(id);
  }
  return found;
}

/** Begins a new IKE SA. */
export function startInit(core: Core, sa: IkeSa, done: Attempt["done"]): void {
  const group = groups(core.policy.ike)[0] ?? 0;
  const keyPair = freshKeyPair(core, group);
  if (!keyPair) {
    core.closeIke(sa, "no key exchange method");
    return done("the policy names no key exchange method we have");
  }
  sa.Ni = core.random(core.policy.nonceLength);
  sendInit(core, sa, { group, keyPair, round: 0, done });
}

function sendInit(core: Core, sa: IkeSa, attempt: Attempt): void {
  const cookie = attempt.cookie ? [notify(NOTIFY.COOKIE, attempt.cookie)] : [];
  const payloads: Payload[] = [
    ...cookie,
    saPayload(core.policy.ike),
    kePayload(attempt.group, attempt.keyPair.publicValue),
    noncePayload(sa.Ni),
    ...natNotifies(sa.spiI, sa.spiR, sa.local, sa.remote),
    ...hashNotify(core),
  ];
  const answered = (response?: IncomingMessage) => {
    if (response) onInitResponse(core, sa, attempt, response);
    else attempt.done("no answer to IKE_SA_INIT");
  };
  const useful = (response: IncomingMessage) => isUseful(attempt, response);
  sendRequest(core, sa, EXCHANGE.IKE_SA_INIT, payloads, answered, { useful });
}

function onInitResponse(core: Core, sa: IkeSa, attempt: Attempt, response: IncomingMessage): void {
  const [cookie] = notifies(response.payloads, NOTIFY.COOKIE);
  const [wanted] = notifies(response.payloads, NOTIFY.INVALID_KE_PAYLOAD);
  const retries = attempt.round < MAX_ROUNDS;
  if (cookie && retries && core.decide("COOKIE", "retry") === "retry")
    return retryWithCookie(core, sa, attempt, cookie);
  if (wanted && retries) return retryWithGroup(core, sa, attempt, wanted);
  const error = errorNotify(response.payloads);
  // Nothing of this message is authenticated: a forged error must not end the attempt (section 2.21.1).
  if (error) return keepWaiting(core, sa, attempt, refusedWith(error));
  const failure = acceptInit(core, sa, attempt, response);
  if (failure) keepWaiting(core, sa, attempt, failure);
  else attempt.done();
}

/** A second copy of the challenge that the outstanding request already answers leads no further. */
function isUseful(attempt: Attempt, response: IncomingMessage): boolean {
  const [cookie] = notifies(response.payloads, NOTIFY.COOKIE);
  const [wanted] = notifies(response.payloads, NOTIFY.INVALID_KE_PAYLOAD);
  if (cookie && attempt.cookie) return !equal(cookie.data, attempt.cookie);
  return !wanted || !equal(wanted.data, groupOctets(attempt.group));
}

const refusedWith = (error: NotifyPayload): string => `IKE_SA_INIT was refused with ${notifyText(error)}`;

function retryWithCookie(core: Core, sa: IkeSa, attempt: Attempt, cookie: NotifyPayload): void {
  if (cookie.data.length < 1 || cookie.data.length > 64)
    return keepWaiting(core, sa, attempt, refusedWith(cookie));
  sendInit(core, sa, { ...attempt, cookie: cookie.data, round: attempt.round + 1 });
}

function retryWithGroup(core: Core, sa: IkeSa, attempt: Attempt, wanted: NotifyPayload): void {
  const group = wanted.data.length === 2 ? ((wanted.data[0] ?? 0) << 8) | (wanted.data[1] ?? 0) : 0;
  const manner = core.decide("INVALID_KE_PAYLOAD", "retry");
  const allowed = manner === "retry with any group" || groups(core.policy.ike).includes(group);
  const retries = manner !== "give up" && allowed && group !== attempt.group;
  const keyPair = retries ? freshKeyPair(core, group) : undefined;
  if (!keyPair) {
    return keepWaiting(core, sa, attempt, refusedWith(wanted));
  }
  sendInit(core, sa, { ...attempt, group, keyPair, round: attempt.round + 1 });
}

/** Sends the same request again after a while, so that a genuine answer still gets its chance. */
function keepWaiting(core: Core, sa: IkeSa, attempt: Attempt, failure: string): void {
  const giveUp = core.decide("unprotected error notify", "keep waiting") === "give up";
  if (giveUp || attempt.round >= MAX_ROUNDS) {
    core.closeIke(sa, failure);
    return attempt.done(failure);
  }
  core.after(core.policy.retransmitMs, () => {
    if (sa.state === "connecting" && !sa.pending)
      sendInit(core, sa, { ...attempt, round: attempt.round + 1 });
  });
}

function acceptInit(core: Core, sa: IkeSa, attempt: Attempt, response: IncomingMessage): string | undefined {
  const offered = payload(response.payloads, "SA");
  const ke = payload(response.payloads, "KE");
  const nonce = payload(response.payloads, "Nonce");
  if (!offered || !ke || !nonce) return "IKE_SA_INIT response lacks SA, KE or Nonce";
  const outside = !isChoiceOf(offered.proposals, core.policy.ike, 0);
  if (outside && core.decide("choice outside the offer", "refuse") === "refuse")
    return "chosen proposal was not offered";
  if (response.header.spiR.every((octet) => octet === 0)) return "the responder's SPI is zero";
  const refused = core.first((e) => e.refuses?.(core, sa, response));
  if (refused) return refused;
  const proposal = offered.proposals[0];
  const suite = proposal && ikeSuite(proposal);
  if (!proposal || !suite) return "chosen proposal cannot be used";
  if (ke.group !== attempt.group || suite.group !== attempt.group) return "KE payload of another group";
  const secret = attempt.keyPair.derive(ke.data);
  if (!(secret instanceof Uint8Array)) return `KE value refused: ${secret.reason}`;
  sa.proposal = proposal;
  sa.spiR = response.header.spiR;
  sa.Nr = nonce.data;
  sa.initResponse = response.octets;
  noteAnnounced(sa, response);
  float(core, sa, response);
  deriveIkeKeys(core, sa, suite, secret);
  return undefined;
}

function noteAnnounced(sa: IkeSa, message: IncomingMessage): void {
  for (const p of message.payloads)
    if (p.kind === "Notify" && p.notifyType >= 16384) sa.announced.add(p.notifyType);
  sa.peerHashes = announcedHashes(message.payloads);
}

/** Moves to port 4500 when a NAT is seen (section 2.23); a TCP connection stays where it is. */
function float(core: Core, sa: IkeSa, response: IncomingMessage): void {
  const { source, destination } = response.datagram;
  sa.nat = seenNat(core, response, sa.spiI, sa.spiR);
  const found = sa.nat !== undefined && (sa.nat.peer || sa.nat.us);
  if (
    !found ||
    sa.local.transport === "tcp" ||
    core.decide("NAT detected", "float to 4500") !== "float to 4500"
  )
    return;
  sa.local = { host: destination.host, port: core.options.natPort };
  sa.remote = { host: source.host, port: core.options.remoteNatPort };
}

function seenNat(core: Core, m: IncomingMessage, spiI: Uint8Array, spiR: Uint8Array): IkeSa["nat"] {
  const manner = core.decide("NAT detection", "compare");
  if (manner === "none") return undefined;
  if (manner === "always") return { peer: true, us: false };
  return detectNat(m.payloads, spiI, spiR, m.datagram.source, m.datagram.destination);
}

/** SKEYSEED and the seven keys (section 2.14). */
function deriveIkeKeys(
  core: Core,
  sa: IkeSa,
  suite: NonNullable<IkeSa["suite"]>,
  sharedSecret: Uint8Array,
): void {
  const inputs: IkeKeyInputs = {
    ...{ sa, sharedSecret, further: [], Ni: sa.Ni, Nr: sa.Nr, spiI: sa.spiI, spiR: sa.spiR },
  };
  for (const extension of core.options.extensions) extension.ikeKeys?.(inputs);
  const SKEYSEED = skeyseed(suite.prf, inputs.Ni, inputs.Nr, inputs.sharedSecret);
  installKeys(core, sa, suite, SKEYSEED, inputs);
}

/** Digest of a whole request, by which a half-open SA is found again (section 2.1). */
export const requestDigest = (octets: Uint8Array): string => hash("sha256", octets, "hex");

/** Answers a new IKE_SA_INIT request; returns the half-open SA, or undefined if there is none. */
export function onInitRequest(core: Core, request: IncomingMessage): IkeSa | undefined {
  const offered = payload(request.payloads, "SA");
  const ke = payload(request.payloads, "KE");
  const nonce = payload(request.payloads, "Nonce");
  if (!offered || !ke || !nonce) return void dropInit(core, request, "it lacks SA, KE or Nonce");
  if (!cookieAccepted(core, request, nonce.data)) return undefined;
  const error = core.first((e) => e.refusesInit?.(core, request));
  if (error) return void refuse(core, request, error);
  const counts = (offer: Proposal) =>
    core.options.extensions.every((e) => e.counts?.(core, offer, request.payloads) !== false);
  const proposal =
    choose(offered.proposals, core.policy.ike, 0, core.decide, ke.group, counts) ??
    takeFirst(core, offered.proposals);
  const suite = proposal && ikeSuite(proposal);
  if (!proposal || !suite) return void refuse(core, request, notify(NOTIFY.NO_PROPOSAL_CHOSEN));
  if (suite.group !== ke.group) return void wrongGroup(core, request, suite.group);
  return answerInit(core, request, { proposal, suite }, ke, nonce.data);
}

/** What a responder does that ought to refuse all offers. */
export const takeFirst = (core: Core, offers: Proposal[]): Proposal | undefined =>
  core.decide("no acceptable proposal", "NO_PROPOSAL_CHOSEN") === "take the first"
    ? firstOffer(offers)
    : undefined;

function dropInit(core: Core, request: IncomingMessage, reason: string): void {
  core.emit({ type: "dropped", datagram: request.datagram, reason: `IKE_SA_INIT request: ${reason}` });
}

function refuse(core: Core, request: IncomingMessage, error: NotifyPayload): void {
  core.emit({ type: "received", message: request, repeated: false });
  sendClearAnswer(core, request, [error]);
}

export const groupOctets = (group: number): Uint8Array => Uint8Array.of(group >> 8, group & 255);

function wrongGroup(core: Core, request: IncomingMessage, group: number): void {
  const manner = core.decide("key exchange group differs", "INVALID_KE_PAYLOAD");
  if (manner === "NO_PROPOSAL_CHOSEN") return refuse(core, request, notify(NOTIFY.NO_PROPOSAL_CHOSEN));
  refuse(core, request, notify(NOTIFY.INVALID_KE_PAYLOAD, groupOctets(group)));
}

/** RFC 6989 section 2.5: a bad value is dropped. That of a KEM gets an answer (draft-ietf-ipsecme-ikev2-mlkem section 2.2). */
function refuseValue(core: Core, request: IncomingMessage, group: number): void {
  if (isKem(core, group)) refuse(core, request, notify(NOTIFY.INVALID_SYNTAX));
  else dropInit(core, request, "the KE value is refused");
}

/** Hash over Ni, address and SPIi with a secret (section 2.6); nothing is stored. */
function cookieFor(core: Core, request: IncomingMessage, Ni: Uint8Array): Uint8Array {
  const { host } = request.datagram.source;
  const input = concat(Ni, new TextEncoder().encode(host), request.header.spiI);
  return hmac("sha256", core.cookieSecret, input);
}

function cookiesNeeded({ policy, halfOpen }: Core): boolean {
  if (policy.cookies === "under load") return halfOpen.waiting >= MANY_HALF_OPEN;
  return policy.cookies === "always";
}

function cookieAccepted(core: Core, request: IncomingMessage, Ni: Uint8Array): boolean {
  if (!cookiesNeeded(core)) return true;
  const right = cookieFor(core, request, Ni);
  const given = notifies(request.payloads, NOTIFY.COOKIE)[0];
  if (given && equal(given.data, right)) return true;
  const manner = given ? core.decide("wrong cookie", "challenge") : "challenge";
  if (manner === "accept") return true;
  refuse(
    core,
    request,
    notify(
      manner === "challenge" ? NOTIFY.COOKIE : NOTIFY.NO_PROPOSAL_CHOSEN,
      manner === "challenge" ? right : undefined,
    ),
  );
  return false;
}

function answerInit(
  core: Core,
  request: IncomingMessage,
  { proposal, suite }: { proposal: Proposal; suite: IkeSuite },
  ke: KePayload,
  Ni: Uint8Array,
): IkeSa | undefined {
  const keyPair = freshKeyPair(core, ke.group, ke.data);
  const secret = keyPair?.derive(ke.data);
  if (!keyPair || !(secret instanceof Uint8Array)) return void refuseValue(core, request, ke.group);
  const { source, destination } = request.datagram;
  const sa = new IkeSa("responder", request.header.spiI, destination, source);
  sa.spiR = core.freshSpi(8);
  sa.state = "half-open";
  sa.Ni = Ni;
  sa.Nr = core.random(core.policy.nonceLength);
  sa.proposal = proposal;
  sa.initRequest = request.octets;
  sa.nat = seenNat(core, request, sa.spiI, new Uint8Array(8));
  noteAnnounced(sa, request);
  core.add(sa);
  request.sa = sa;
  core.emit({ type: "received", message: request, repeated: false });
  sendResponse(core, sa, request, [
    saPayload([{ ...proposal, spi: EMPTY }]),
    kePayload(ke.group, keyPair.publicValue),
    noncePayload(sa.Nr),
    ...natNotifies(sa.spiI, sa.spiR, destination, source),
    ...responderAnnouncements(core, request.payloads),
  ]);
  deriveIkeKeys(core, sa, suite, secret);
  sa.expectedMessageId = 1;
  awaitAuth(core, sa);
  return sa;
}

/** Starts the time an initiator has for IKE_AUTH, anew with every repeat of its IKE_SA_INIT request and round of EAP. */
export function awaitAuth(core: Core, sa: IkeSa): void {
  sa.cancelHalfOpen?.();
  sa.cancelHalfOpen = core.after(core.policy.halfOpenMs, () => {
    core.closeIke(sa, `no further request: half-open SA ${hex(sa.spiR)} timed out`);
  });
}
