/** Messages past our endpoint's own rules: octets as they came, and octets as a test wants them sent. */
import { pskAuthValue } from "../ike/auth/octets.ts";
import type { IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { payload } from "../ike/payloads.ts";
import { sealMessage } from "../ike/sk.ts";
import type { Datagram } from "../link/types.ts";
import { hex } from "../wire/bytes.ts";
import { decodeMessage, encodeChain, encodeMessage, firstPayloadType, isFrameError } from "../wire/index.ts";
import { EXCHANGE, exchangeTypes } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { FLAG, type Header, type Message, type Payload, type RawPayload } from "../wire/types.ts";
import { demultiplex } from "../wire/udp.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import type { SeenMessage, TraceEntry } from "./trace.ts";
import { Failure } from "./verdicts.ts";

/** A payload type of the private range that no document and no daemon uses. */
export const UNKNOWN_PAYLOAD = 200;

export const unknownPayload = (critical = false): RawPayload => ({
  kind: "raw",
  type: UNKNOWN_PAYLOAD,
  ...(critical && { critical }),
  data: new TextEncoder().encode("unknown to all"),
});

/** The IKE octets of a datagram to us, without non-ESP marker. */
function ikeIn(s: Script, { protocol, destination, data }: Datagram): Uint8Array[] {
  if (protocol === "esp") return [];
  if (protocol === "udp" && destination.port !== s.arena.natPort) return [data];
  const part = demultiplex(data);
  return part.kind === "ike" ? [part.data] : [];
}

/** IKE octets, without non-ESP marker, of the datagrams that came since the mark. */
export const ikeReceived = (s: Script, since = 0): Uint8Array[] =>
  s.received(since).flatMap((datagram) => ikeIn(s, datagram));

/** The same, decoded as far as that goes without keys. */
export function messagesReceived(s: Script, since = 0): Message[] {
  return ikeReceived(s, since).flatMap((octets) => {
    const message = decodeMessage(octets);
    return isFrameError(message) ? [] : [message];
  });
}

export const isResponse = (message: { header: Header }): boolean =>
  (message.header.flags & FLAG.response) !== 0;

/** What any peer may send by itself. */
const isOwnRequest = (message: Message): boolean =>
  !isResponse(message) && (isProtected(message) || message.header.exchangeType === EXCHANGE.IKE_SA_INIT);

const exchangeOf = ({ exchangeType, messageId, spiI }: Header): string =>
  `${exchangeTypes.nameOf(exchangeType)} ${messageId} of SPIi ${hex(spiI)}`;

/** Something that came. */
export interface Answer {
  text: string;
  entry: TraceEntry;
  /** Not set for what is no IKE message. */
  message?: Message;
}

/**
 * What came since the mark and answers something. Not among it are the peer's own requests, traffic that
 * opens, keepalives, and one response for each copy that our endpoint sent of a request: a slow peer answers the
 * copies after we have gone on.
 */
export function answersSince(s: Script, since: number): Answer[] {
  const counts = new Map<string, number>();
  const count = (key: string): number => {
    const now = (counts.get(key) ?? 0) + 1;
    counts.set(key, now);
    return now;
  };
  const answers = (entry: TraceEntry): Answer[] => {
    const { event } = entry;
    if (event.type === "sent" && !event.message.isResponse) count(exchangeOf(event.message.header));
    if (event.type === "esp-received" && !event.result.ok) return [{ text: "ESP that does not open", entry }];
    if (event.type !== "datagram-received" || event.datagram.protocol === "esp") return [];
    const [octets] = ikeIn(s, event.datagram);
    if (!octets) return [];
    const message = decodeMessage(octets);
    if (isFrameError(message)) return [{ text: `${octets.length} octets that are no IKE`, entry }];
    if (isOwnRequest(message)) return [];
    const exchange = exchangeOf(message.header);
    const copies = counts.get(exchange) ?? 0;
    const explained = isResponse(message) && count(`answer ${fragmentOf(message)} to ${exchange}`) <= copies;
    return explained ? [] : [{ text: exchange, message, entry }];
  };
  return s.trace.entries.map(answers).slice(since).flat();
}

interface Wanted {
  exchangeType: number;
  payloads: Payload[];
  /** Not set: the Message ID our next request has. */
  messageId?: number;
  /** Set to send a response. */
  response?: boolean;
  version?: number;
}

/** The header of a message of ours. */
export function headerOf(session: Session, wanted: Wanted): Header {
  const { sa } = session;
  const { exchangeType, messageId = sa.nextMessageId, version = 0x20 } = wanted;
  const flags = (sa.role === "initiator" ? FLAG.initiator : 0) | (wanted.response ? FLAG.response : 0);
  return { spiI: sa.spiI, spiR: sa.spiR, version, exchangeType, flags, messageId };
}

/** A message under this SA's keys that our endpoint does not know of: it neither counts nor repeats it. */
export function sealed(session: Session, wanted: Wanted): Uint8Array {
  const { outbound } = session.sa;
  if (!outbound) throw new Failure("an IKE SA with keys", "none");
  const { payloads } = wanted;
  const header = headerOf(session, wanted);
  const inner = encodeChain(payloads);
  return sealMessage(outbound, session.script.arena.random, header, [], inner, firstPayloadType(payloads));
}

/** The same in clear, as somebody without keys can forge it. */
export const forged = (session: Session, wanted: Wanted): Uint8Array =>
  encodeMessage({ header: headerOf(session, wanted), payloads: wanted.payloads });

/** Sends octets the way this IKE SA's messages go. */
export function sendUnder(session: Session, ...datagrams: Uint8Array[]): void {
  const { local, remote } = session.sa;
  for (const octets of datagrams) session.script.sendOctets(octets, local, remote);
}

/** Loses what matches on its way to our endpoint, until the returned function is called. */
export function lose(s: Script, matches: (message: IncomingMessage) => boolean): () => void {
  let losing = true;
  s.extensions.push({
    name: "lose",
    incoming: (message) => (losing && matches(message) ? "drop" : undefined),
  });
  return () => {
    losing = false;
  };
}

/** Fragment number of a message, 0 if it is whole: repeats of a message have the same. */
export const fragmentOf = (message: Message): number => {
  const last = message.payloads.at(-1);
  return last?.kind === "SKF" ? last.fragmentNumber : 0;
};

/** The peer's requests of this type, in order; a repeat that we answered anew, having kept nothing, counts once. */
export const distinctRequests = (s: Script, exchangeType: number): SeenMessage[] => {
  const requests = s.trace.exchangesOf(exchangeType, "peer").map((e) => e.request);
  const octets = requests.map(({ datagrams }) => hex(datagrams[0] ?? new Uint8Array()));
  return requests.filter((_, i) => octets.indexOf(octets[i] ?? "") === i);
};

export const isProtected = (message: Message): boolean => {
  const last = message.payloads.at(-1);
  return last?.type === PAYLOAD.SK || last?.type === PAYLOAD.SKF;
};

/** All bits of the flags octet but I and R: reserved ones, and V, which has no meaning either. */
const IDLE_FLAGS = 0xff & ~(FLAG.initiator | FLAG.response);

/** Sets every reserved bit and field of a message before it is sealed; AUTH covers those of the identity. */
export function setReserved(message: OutgoingMessage, psk: Uint8Array): void {
  message.header.flags |= IDLE_FLAGS;
  for (const p of message.payloads) {
    p.reserved = 0x7f;
    if (p.kind === "KE") p.reserved2 = 0xffff;
    if (p.kind === "ID" || p.kind === "AUTH" || p.kind === "TS") p.reserved3 = 0xff_ffff;
    if (p.kind !== "SA") continue;
    p.proposals = p.proposals.map((proposal) => ({
      ...proposal,
      reserved: 0xff,
      transforms: proposal.transforms.map((t) => ({ ...t, reserved1: 0xff, reserved2: 0xff })),
    }));
  }
  const { sa } = message;
  const id = payload(message.payloads, "ID", sa?.role === "initiator" ? PAYLOAD.IDi : PAYLOAD.IDr);
  const auth = payload(message.payloads, "AUTH");
  if (sa && id && auth) auth.data = pskAuthValue(sa, psk, sa.role, id);
}
