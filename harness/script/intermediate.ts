/** IKE_INTERMEDIATE exchanges as a test of RFC 9242 sees and changes them. */
import type { PeerConfig, PeerRole } from "../../peers/contract.ts";
import { tsPayload } from "../ike/exchanges/child.ts";
import { noncePayload, saPayload } from "../ike/exchanges/ike-sa-init.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { errorNotify } from "../ike/payloads.ts";
import { openPayload } from "../ike/sk.ts";
import { concat, hex } from "../wire/bytes.ts";
import { decodeChain, decodeMessage, encodeChain, firstPayloadType, isFrameError } from "../wire/index.ts";
import { EXCHANGE, exchangeTypes } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";
import { expectServed, listPayloads, require } from "./expectations.ts";
import { ballast, type Cutter, fragmentNext } from "./fragments.ts";
import { takeBack } from "./legacy.ts";
import { needIntermediate } from "./post-quantum.ts";
import { ikeReceived, isResponse, messagesReceived } from "./raw.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** What such an exchange can be for: name and configuration. Some peers have only the one, some only the other. */
export const eachCarrier: readonly [string, Partial<PeerConfig>][] = [
  ["an-empty-exchange", { intermediate: true }],
  ["a-key-exchange", { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256"] }],
];

/** Who begins the exchanges where the peer has this role. */
export const beginner = (peer: PeerRole): Exchange["by"] => (peer === "responder" ? "us" : "peer");

/** Our own messages of an exchange that the initiator begins. */
export const ownIn = (peer: PeerRole): "request" | "response" =>
  peer === "responder" ? "request" : "response";

export const intermediates = (s: Script, peer: PeerRole): Exchange[] =>
  s.trace.exchangesOf(EXCHANGE.IKE_INTERMEDIATE, beginner(peer));

/** An established IKE SA with at least one such exchange before it; unsupported if the peer has none. */
export async function establishBehind(s: Script, peer: PeerRole): Promise<Session> {
  const session = needIntermediate(await s.establish(peer));
  if (intermediates(s, peer).length > 0) return session;
  throw new Unsupported("the peer announced IKE_INTERMEDIATE and began none");
}

/** The same, with traffic both ways: so AUTH was good at both ends. */
export async function proveBehind(s: Script, peer: PeerRole): Promise<Session> {
  const session = await establishBehind(s, peer);
  await session.proveTraffic();
  return session;
}

/** Changes our own IKE_INTERMEDIATE messages. */
export const changeOwn = (s: Script, peer: PeerRole, change: (message: OutgoingMessage) => void) =>
  s.change(EXCHANGE.IKE_INTERMEDIATE, change, ownIn(peer));

/** An IKE SA of ours whose IKE_INTERMEDIATE exchanges are over, and whose IKE_AUTH has not begun. */
export async function beforeIkeAuth(s: Script): Promise<Session> {
  const session = needIntermediate(await s.init());
  const { sa } = session;
  let held = false;
  const release = s.change(EXCHANGE.IKE_AUTH, (message) => {
    held = true;
    message.octets = () => [];
  });
  s.host.endpoint.auth(sa);
  s.host.settle();
  await s.until(() => held || sa.state === "closed");
  release();
  require(held, "responses to IKE_INTERMEDIATE that lead to IKE_AUTH", s.lastReason());
  takeBack(sa);
  return session;
}

/** IKE_AUTH on this IKE SA, which must bring both SAs and traffic. */
export async function expectAuth(session: Session): Promise<void> {
  const { failure, childFailure } = await session.script.tryAuth(session.sa);
  const reason = failure ?? childFailure;
  require(reason === undefined, "an IKE SA and a Child SA by IKE_AUTH", reason ?? "");
  await session.proveTraffic();
}

/** What {@link proveDespite} is told. */
interface Despite {
  /** An IKE SA of ours, with keys; not set where the peer is to initiate. */
  begun?: Session;
  check?: () => void;
  undo?: () => void;
}

/**
 * After a message that only the other end of the key exchange can have sent, and that the peer must not take: both SAs come
 * up all the same. A peer may also give the IKE SA up for it, without a word or by a Delete, if a fresh attempt is served;
 * an answer to IKE_AUTH that is no, or one that does not verify, says that it took it. `check` fails if anything else does;
 * `undo` has us not send it again.
 */
export async function proveDespite(
  s: Script,
  peer: PeerRole,
  { begun, check = () => {}, undo = () => {} }: Despite,
): Promise<void> {
  const since = s.trace.exchanges.length;
  const auth = () => s.trace.exchanges.slice(since).findLast((e) => e.exchangeType === EXCHANGE.IKE_AUTH);
  if (begun) s.host.endpoint.auth(begun.sa);
  else await s.arena.driver.initiate();
  s.host.settle();
  const refused = () => errorNotify(auth()?.response?.payloads ?? []) !== undefined;
  const over = () => s.trace.childSas().length > 0 || refused() || begun?.sa.state === "closed";
  await s.untilAnswered(over, s.arena.patience / 4);
  check();
  if (auth()?.response) return void (await firstSession(s).proveTraffic());
  if (!begun && intermediates(s, peer).length === 0)
    throw new Unsupported("the peer begins no IKE_INTERMEDIATE exchange");
  s.tolerate("it gives up the IKE SA for a message that it could have ignored");
  undo();
  if (begun) await (await s.dial()).proveTraffic();
  else await expectServed(s);
}

/**
 * Both SAs and traffic where the peer takes our IKE_INTERMEDIATE message. False if it does not take it: it neither answers nor
 * goes on.
 */
export async function proveIfTaken(s: Script, peer: PeerRole): Promise<boolean> {
  const session = peer === "responder" ? needIntermediate(await s.init()) : undefined;
  if (session) s.host.endpoint.auth(session.sa);
  else await s.arena.driver.initiate();
  s.host.settle();
  const auth = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, beginner(peer)).at(-1);
  const refused = () => session?.sa.state === "closed";
  const went = await s.untilAnswered(() => auth() !== undefined || refused(), s.arena.patience / 4);
  if (intermediates(s, peer).length === 0)
    throw new Unsupported("the peer begins no IKE_INTERMEDIATE exchange");
  if (!went || !auth()) return false;
  await s.until(() => s.trace.childSas().length > 0 || auth()?.response !== undefined);
  await firstSession(s).proveTraffic();
  return true;
}

/** Makes other content for the message that changes next, sealed as that is; it is there once that has been sent. */
export function twinOf(s: Script, exchangeType: number, payloads: Payload[]): () => Uint8Array {
  let twin: Uint8Array | undefined;
  s.extensions.unshift({
    name: "twin",
    split: ({ header }, _inner, seal) => {
      if (header.exchangeType === exchangeType)
        twin ??= seal(encodeChain(payloads), firstPayloadType(payloads));
      return undefined;
    },
  });
  return () => {
    if (twin) return twin;
    throw new Failure(`a message of ${exchangeTypes.nameOf(exchangeType)} to be sent`, "none");
  };
}

/** Exchange types and Message IDs of the peer's requests behind IKE_SA_INIT, each once, to the first that is not of this document. */
export function exchangeOrder(s: Script): string[] {
  const requests = messagesReceived(s).filter((m) => !isResponse(m) && m.header.messageId > 0);
  const end = requests.findIndex(({ header }) => header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE);
  const first = end < 0 ? requests : requests.slice(0, end + 1);
  return [
    ...new Set(first.map(({ header }) => `${exchangeTypes.nameOf(header.exchangeType)} ${header.messageId}`)),
  ];
}

/** Fails if a message of the peer in these exchanges does not end with SK or SKF, or has KE in clear. */
export function expectEncrypted(s: Script): void {
  for (const { header, payloads } of messagesReceived(s)) {
    if (header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) continue;
    const kinds = payloads.map(({ kind }) => kind);
    const [last, seen] = [kinds.at(-1), kinds.join(" ") || "nothing"];
    require(last === "SK" || last === "SKF", "SK or SKF at the end", seen);
    require(!kinds.includes("KE"), "no KE in clear", seen);
  }
}

/** What asks for a Child SA as our policy has it, in CREATE_CHILD_SA. */
export function firstOffer({ script }: Session): Payload[] {
  const { arena, policy } = script;
  const [proposal] = policy.esp;
  return [
    saPayload(proposal ? [{ ...proposal, spi: arena.random(4).fill(0xcb, 0, 1) }] : []),
    noncePayload(arena.random(32)),
    tsPayload(PAYLOAD.TSi, policy.localTs),
    tsPayload(PAYLOAD.TSr, policy.remoteTs),
  ];
}

/** The IKE SA of the first Child SA that came up. */
export function firstSession(s: Script): Session {
  const sa = s.trace.childSas()[0]?.ike;
  require(sa !== undefined, "both SAs", s.lastReason());
  return new Session(s, sa);
}

/** The peer's responses of this type since the mark, as octets in hex. */
export const responsesOf = (s: Script, exchangeType: number, since = 0): string[] =>
  ikeReceived(s, since).flatMap((octets) => {
    const message = decodeMessage(octets);
    const matches =
      !isFrameError(message) && isResponse(message) && message.header.exchangeType === exchangeType;
    return matches ? [hex(octets)] : [];
  });

/**
 * Fails if a request of this type and Message ID, which our endpoint knows nothing of, was answered without an error. A
 * fragment, or what does not open under this SA's keys, is taken for such an answer.
 */
export function expectNotServed(session: Session, exchangeType: number, messageId: number): void {
  const name = exchangeTypes.nameOf(exchangeType);
  for (const octets of ikeReceived(session.script)) {
    const message = decodeMessage(octets);
    if (isFrameError(message) || !isResponse(message)) continue;
    const { header } = message;
    if (header.exchangeType !== exchangeType || header.messageId !== messageId) continue;
    const payloads = inside(session, octets);
    const refused = payloads !== undefined && errorNotify(payloads) !== undefined;
    require(refused, `no answer to ${name}, or an error`, listPayloads({ payloads: payloads ?? [] }));
  }
}

/** The payloads of a message that came, in SK or in clear; undefined if they cannot be opened. */
function inside({ sa }: Session, octets: Uint8Array): Payload[] | undefined {
  const message = decodeMessage(octets);
  if (isFrameError(message)) return undefined;
  const last = message.payloads.at(-1);
  if (last?.kind !== "SK" && last?.kind !== "SKF") return message.payloads;
  if (last.kind !== "SK" || !sa.inbound) return undefined;
  const opened = openPayload(sa.inbound, octets, last);
  return "error" in opened ? undefined : decodeChain(opened.innerType, opened.plaintext).payloads;
}

/** Fills the message up so that a cipher of 16-octet blocks needs exactly so many octets of padding. */
export function fitPadding(message: OutgoingMessage, octets: number): void {
  const { length } = encodeChain([...message.payloads, ballast(0)]);
  const missing = (((15 - octets - length) % 16) + 16) % 16;
  message.payloads.push(ballast(missing));
}

/** The datagrams of our messages, and in front of each what `before` makes. */
export function precede(message: OutgoingMessage, before: (datagram: Uint8Array) => Uint8Array): void {
  message.octets = (datagram) => [before(datagram), datagram];
}

/** Turns a bit of the IV of a message without payloads in clear: a cipher in CBC mode gets another first octet out of it. */
export const withOtherIv = (datagram: Uint8Array): Uint8Array =>
  concat(datagram.subarray(0, 32), Uint8Array.of((datagram[32] ?? 0) ^ 1), datagram.subarray(33));

/** Our own IKE_INTERMEDIATE message goes out as the datagrams that `arrange` gives, if the peer announced fragmentation. */
export function fragmentOwn(s: Script, peer: PeerRole, arrange: (cut: Cutter) => Uint8Array[]): void {
  fragmentNext(s, EXCHANGE.IKE_INTERMEDIATE, arrange, ownIn(peer), ({ sa }) =>
    Boolean(sa?.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED)),
  );
}
