/** Key encapsulation as a test sees it: where keys and ciphertexts travel, and what is made of them when they are spoilt. */
import type { PeerConfig, PeerRole } from "../../peers/contract.ts";
import { keMethod } from "../crypto/ke.ts";
import type { Ke, KeyPair } from "../crypto/types.ts";
import { errorNotify } from "../ike/payloads.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { keMethods as registry } from "../wire/registry/ke.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { KePayload } from "../wire/types.ts";
import { heard } from "./choices.ts";
import {
  expectAlive,
  expectServed,
  inMessage,
  listPayloads,
  mindNoAdditionalSas,
  peerDeletedIke,
  require,
} from "./expectations.ts";
import { authOnce, forget } from "./post-quantum.ts";
import { isResponse, messagesReceived } from "./raw.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import type { SeenMessage } from "./trace.ts";
import { Failure } from "./verdicts.ts";

/** Gives other key exchange data for those of a KE payload of ours; may change the payload as well. */
export type SpoilValue = (data: Uint8Array, ke: KePayload) => Uint8Array;

/** An exchange that carries the method of a test, and what the peer is told for that. */
export interface KemPlace {
  exchangeType: number;
  /** `method` is its keyword. */
  config(method: string): Partial<PeerConfig>;
}

/** Where a KEM can be: alone or behind X25519, for the IKE SA or for a Child SA. */
export const KEM_PLACES = {
  "ike-sa-init": {
    exchangeType: EXCHANGE.IKE_SA_INIT,
    config: (method) => ({ ikeProposals: [`aes256-sha256-${method}`] }),
  },
  "ike-intermediate": {
    exchangeType: EXCHANGE.IKE_INTERMEDIATE,
    config: (method) => ({ ikeProposals: [`aes256-sha256-x25519-ke1_${method}`] }),
  },
  "create-child-sa": {
    exchangeType: EXCHANGE.CREATE_CHILD_SA,
    config: (method) => ({ espProposals: [`aes256gcm16-${method}`, `aes128-sha512-${method}`] }),
  },
  "ike-followup-ke": {
    exchangeType: EXCHANGE.IKE_FOLLOWUP_KE,
    config: (method) => ({
      espProposals: [`aes256gcm16-x25519-ke1_${method}`, `aes128-sha512-x25519-ke1_${method}`],
    }),
  },
} as const satisfies Record<string, KemPlace>;

function entryOf(keyword: string) {
  const entry = registry.entries.find(({ short }) => short === keyword);
  if (!entry) throw new Error(`no key exchange method ${keyword}`);
  return entry;
}

/** The number that the peer uses for a method: its own where its definition names one. */
export function methodNumber(s: Script, keyword: string): number {
  const { name, value } = entryOf(keyword);
  return s.arena.config.codePoints?.[name] ?? value;
}

/** The code of a KEM by its keyword. Throws on one that does not exist. */
export function kemOf(keyword: string): Ke {
  const method = keMethod(entryOf(keyword).value);
  if (!method?.respond) throw new Error(`no KEM: ${keyword}`);
  return method;
}

/** Octets of the request's value and of the response's. */
export function kemLengths(keyword: string): { key: number; ciphertext: number } {
  const { publicLength, responseLength } = kemOf(keyword);
  return { key: publicLength, ciphertext: responseLength ?? 0 };
}

/** Changes our KE payloads of this method in requests, or with "response" in responses, until the returned function is called. */
function spoilKe(
  s: Script,
  keyword: string,
  spoil: SpoilValue,
  which: "request" | "response" = "request",
): () => void {
  const method = methodNumber(s, keyword);
  let over = false;
  s.extensions.push({
    name: "spoilt KE",
    outgoing: ({ payloads, isResponse }) => {
      if (over || isResponse !== (which === "response")) return;
      for (const p of payloads) if (p.kind === "KE" && p.group === method) p.data = spoil(p.data, p);
    },
  });
  return () => {
    over = true;
  };
}

const dataOf = (message: SeenMessage | undefined, method: number): Uint8Array[] =>
  (message?.payloads ?? []).flatMap((p) => (p.kind === "KE" && p.group === method ? [p.data] : []));

/** The data of this method's KE payloads in requests of one end, and in their responses. */
export function kemValues(
  s: Script,
  by: "us" | "peer",
  keyword: string,
): { keys: Uint8Array[]; ciphertexts: Uint8Array[] } {
  const method = methodNumber(s, keyword);
  const exchanges = s.trace.exchanges.filter((e) => e.by === by);
  return {
    keys: exchanges.flatMap(({ request }) => dataOf(request, method)),
    ciphertexts: exchanges.flatMap(({ response }) => dataOf(response, method)),
  };
}

/** Fails unless this method was used in an exchange of this type and had the number and the sizes of its document. */
export function expectSizes(s: Script, by: "us" | "peer", keyword: string, exchangeType: number): void {
  const method = methodNumber(s, keyword);
  const { key, ciphertext } = kemLengths(keyword);
  const found = s.trace
    .exchangesOf(exchangeType, by)
    .filter(({ request, response }) => dataOf(request, method).length + dataOf(response, method).length > 1)
    .map(({ request, response }) => [...dataOf(request, method), ...dataOf(response, method)]);
  const sizes = found.map((values) => values.map(({ length }) => length).join(" and "));
  const wanted = `${key} and ${ciphertext}`;
  const right = sizes.length > 0 && sizes.every((size) => size === wanted);
  require(right, `KE payloads of method ${method} with ${wanted} octets`, sizes.join(", ") || "none");
}

/** Fails if two of them are the same, or if there are fewer than two. */
export function expectDistinct(values: readonly Uint8Array[], what: string): void {
  require(values.length > 1, `at least two ${what}`, String(values.length));
  const different = new Set(values.map((value) => hex(value))).size;
  require(different === values.length, `${values.length} different ${what}`, `${different} of them`);
}

/** The peer rekeys its Child SA twice with this method: fails if its keys are the same; `what` they are called. */
export async function expectKeysOfItsOwn(
  s: Script,
  peer: PeerRole,
  keyword: string,
  what: string,
): Promise<void> {
  const session = await s.establish(peer);
  const first = await session.peerRekeysChild();
  await session.proveTraffic(first);
  await session.peerRekeysChild(first);
  expectDistinct(kemValues(s, "peer", keyword).keys, what);
}

/** Takes one key pair for all our requests of this method. */
export function reuseKey(s: Script, keyword: string): void {
  const wanted = kemOf(keyword).id;
  let kept: KeyPair | undefined;
  s.extensions.push({
    name: "one key pair",
    keyPair: (make, peerPublic, { id }) => {
      if (peerPublic || id !== wanted) return make();
      kept ??= make();
      return kept;
    },
  });
}

/** Has the method done once with us as initiator of the exchange, whatever comes of it. */
async function tryOnce(s: Script, peer: PeerRole, place: KemPlace): Promise<void> {
  const { exchangeType } = place;
  const first = exchangeType === EXCHANGE.IKE_SA_INIT || exchangeType === EXCHANGE.IKE_INTERMEDIATE;
  if (first) {
    s.decide("unprotected error notify", "give up");
    const { sa, failure } = await s.tryInit();
    if (!failure) await authOnce(s, sa);
    return forget(s, sa);
  }
  await (await s.establish(peer)).tryCreateChild();
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (response) mindNoAdditionalSas(response);
}

/**
 * Has the method done with a spoilt key in our request. The peer must not answer with a KE payload; with right ones it then
 * serves us. Gives the response, which is undefined where the peer keeps silent.
 */
export async function expectKeyRefused(
  s: Script,
  peer: PeerRole,
  place: KemPlace,
  keyword: string,
  spoil: SpoilValue,
): Promise<SeenMessage | undefined> {
  const undo = spoilKe(s, keyword, spoil);
  await tryOnce(s, peer, place);
  undo();
  const method = methodNumber(s, keyword);
  const spoilt = s.trace
    .exchangesOf(place.exchangeType, "us")
    .findLast(({ request }) => dataOf(request, method).length > 0);
  if (spoilt?.response) {
    const { response } = spoilt;
    const refused = errorNotify(response.payloads) && !response.payloads.some((p) => p.kind === "KE");
    require(refused === true, "an error notify, and no KE payload, in answer to this key", listPayloads(
      response,
    ), inMessage(response));
  }
  if (peer === "responder") await s.dial();
  else await expectServed(s);
  if (!spoilt) throw new Failure("a request with this method", "none");
  return spoilt.response;
}

/** Waits until we answered a request of the peer that had this method. */
async function answeredTo(
  s: Script,
  act: () => Promise<unknown>,
  { exchangeType }: KemPlace,
  keyword: string,
): Promise<void> {
  const method = methodNumber(s, keyword);
  const answered = () =>
    s.trace
      .exchangesOf(exchangeType, "peer")
      .some(({ request, response }) => response && dataOf(request, method).length > 0);
  await act();
  if (!(await s.until(answered))) throw new Failure("a request with this method", s.lastReason());
}

/** Requests of the peer that only come once it took a ciphertext: another round, or IKE_AUTH. Opened or not. */
const furtherSteps = (s: Script): number =>
  messagesReceived(s).filter(
    ({ header, ...message }) =>
      !isResponse({ header, ...message }) &&
      (header.exchangeType === EXCHANGE.IKE_AUTH ||
        (header.exchangeType === EXCHANGE.IKE_INTERMEDIATE && header.messageId > 1)),
  ).length;

/** Where a ciphertext is spoilt, of which method, and how. */
type Spoilt = [place: KemPlace, keyword: string, spoil: SpoilValue];

/** Has the peer initiate, and get a spoilt ciphertext; the returned function ends that. */
async function initiateWithSpoilt(s: Script, ...[place, keyword, spoil]: Spoilt): Promise<() => void> {
  const undo = spoilKe(s, keyword, spoil, "response");
  await answeredTo(s, () => s.arena.driver.initiate(), place, keyword);
  return undo;
}

/**
 * The peer initiates an IKE SA, and gets a spoilt ciphertext in IKE_SA_INIT or in its first IKE_INTERMEDIATE. It must go no
 * further; its next attempt, with right ones, succeeds.
 */
export async function expectNoFurther(s: Script, ...spoilt: Spoilt): Promise<void> {
  const undo = await initiateWithSpoilt(s, ...spoilt);
  await s.wait();
  const steps = furtherSteps(s);
  require(steps === 0, "no further exchange after this ciphertext", `${steps} requests`);
  undo();
  await expectServed(s);
}

/**
 * The same with a ciphertext that has its right length: the peer goes on under keys that we cannot know, and says nothing
 * of it.
 */
export async function expectUnseenMismatch(s: Script, ...spoilt: Spoilt): Promise<void> {
  const undo = await initiateWithSpoilt(s, ...spoilt);
  const goesOn = await s.until(() => heard(s, EXCHANGE.IKE_AUTH) > 0);
  require(goesOn, "IKE_AUTH after a ciphertext of the right length", s.lastReason());
  await s.wait();
  const opened = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").length;
  require(opened === 0, "IKE_AUTH under keys that are not ours", "one that opens");
  undo();
  await expectServed(s);
}

/** The peer rekeys an SA, and gets a spoilt ciphertext in CREATE_CHILD_SA or IKE_FOLLOWUP_KE. */
export async function rekeyWithSpoilt(
  { script }: Session,
  place: KemPlace,
  keyword: string,
  spoil: SpoilValue,
  what: "child" | "ike" = "child",
): Promise<void> {
  const { driver } = script.arena;
  spoilKe(script, keyword, spoil, "response");
  const act = () => (what === "child" ? driver.rekeyChild() : driver.rekeyIke());
  await answeredTo(script, act, place, keyword);
}

/** Fails unless the peer deletes the IKE SA. */
export async function expectIkeDeleted(s: Script, after: string): Promise<void> {
  const deleted = await s.untilAnswered(() => peerDeletedIke(s), s.arena.quiet);
  require(deleted, `a Delete of the IKE SA after ${after}`, s.lastReason());
}

/** SPIs of the Child SAs that the peer deleted, in hex. */
export const spisDeletedByPeer = (s: Script): string[] =>
  s.trace
    .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
    .flatMap(({ request }) => request.payloads)
    .flatMap((p) => (p.kind === "Delete" && p.protocolId === PROTOCOL.ESP ? p.spis : []))
    .map((spi) => hex(spi));

/**
 * The peer rekeys its Child SA alone with this method, and gets a ciphertext of the right length that is not its own. It
 * takes the new Child SA into use, under keys that we cannot know, and says nothing of it.
 */
export async function expectUnseenMismatchInChild(
  session: Session,
  keyword: string,
  spoil: SpoilValue,
): Promise<void> {
  const { script, child: old } = session;
  await rekeyWithSpoilt(session, KEM_PLACES["create-child-sa"], keyword, spoil);
  const replaced = () => spisDeletedByPeer(script).includes(hex(old.spiOut));
  require(await script.until(
    replaced,
  ), "the old Child SA deleted, as after any rekeying", script.lastReason());
  require(!(await session.ping({ tries: 1 })), "ESP under keys that are not ours", "a reply that opens");
  await expectAlive(session);
}

/**
 * The peer rekeys its Child SA, and gets a ciphertext that it must refuse. It deletes the new Child SA, which we have by then, or
 * the IKE SA.
 */
export async function expectNotTaken(
  session: Session,
  place: KemPlace,
  keyword: string,
  spoil: SpoilValue,
): Promise<void> {
  const { script, child: old } = session;
  await rekeyWithSpoilt(session, place, keyword, spoil);
  const fresh = () => script.trace.childSas().filter((child) => child.replaces === old);
  const deletedFresh = () => fresh().some(({ spiOut }) => spisDeletedByPeer(script).includes(hex(spiOut)));
  const gaveUp = await script.untilAnswered(
    () => peerDeletedIke(script) || deletedFresh(),
    script.arena.quiet,
  );
  require(gaveUp, "a Delete of the new Child SA, or of the IKE SA", script.lastReason());
}
