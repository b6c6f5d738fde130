/** The way out: hooks, sealing, the window, retransmission (RFC 7296 sections 2.1, 2.3). */
import type { Address } from "../link/types.ts";
import { encodeChain, encodeMessage, firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG, type Header, type Payload } from "../wire/types.ts";
import type { Core } from "./core.ts";
import type { IncomingMessage, OutgoingMessage, Sealer } from "./hooks.ts";
import type { Answered, IkeSa, PendingRequest } from "./sa.ts";
import { sealMessage } from "./sk.ts";

export const VERSION = 0x20;

function header(sa: IkeSa, exchangeType: number, messageId: number, isResponse: boolean): Header {
  const flags = (sa.role === "initiator" ? FLAG.initiator : 0) | (isResponse ? FLAG.response : 0);
  return { spiI: sa.spiI, spiR: sa.spiR, version: VERSION, exchangeType, flags, messageId };
}

/** Runs the hooks and seals; returns the IKE octets of each datagram. */
function seal(core: Core, message: OutgoingMessage): Uint8Array[] {
  for (const extension of core.options.extensions) extension.outgoing?.(message, core);
  const datagrams = sealed(core, message);
  return message.octets ? datagrams.flatMap(message.octets) : datagrams;
}

function sealed(core: Core, message: OutgoingMessage): Uint8Array[] {
  const outbound = message.sa?.outbound;
  if (!message.protected || !outbound) {
    return [encodeMessage({ header: message.header, payloads: [...message.clear, ...message.payloads] })];
  }
  const inner = encodeChain(message.payloads);
  for (const extension of core.options.extensions) extension.beforeSeal?.(message, inner);
  const sealer: Sealer = (plaintext, innerType, fragment) =>
    sealMessage(
      outbound,
      core.random,
      message.header,
      fragment && fragment.number > 1 ? [] : message.clear,
      plaintext,
      innerType,
      message.seal,
      fragment,
    );
  for (const extension of core.options.extensions) {
    const datagrams = extension.split?.(message, inner, sealer);
    if (datagrams) return datagrams;
  }
  return [sealer(inner, firstPayloadType(message.payloads))];
}

function transmitAll(
  core: Core,
  message: OutgoingMessage,
  datagrams: Uint8Array[],
  copy: number,
  to: Route,
): void {
  core.emit({ type: "sent", message, datagrams, copy });
  const source = message.source ?? to.source;
  const destination = message.destination ?? to.destination;
  for (const octets of datagrams) core.transmit(octets, source, destination);
}

interface Route {
  source: Address;
  destination: Address;
}

/** What is special about a request; see {@link PendingRequest}. */
type RequestTraits = Pick<PendingRequest, "useful" | "doing">;

/** Sends a request now or as soon as the window of one allows. */
export function sendRequest(
  core: Core,
  sa: IkeSa,
  exchangeType: number,
  payloads: Payload[],
  answered: Answered,
  traits: RequestTraits = {},
): void {
  const start = (on: IkeSa) => transmitRequest(core, on, exchangeType, payloads, answered, traits);
  if (sa.pending && core.decide("window", "one") === "one") sa.queue.push({ start, answered });
  else start(sa);
}

/** Lets the next request of the queue go, if nothing is outstanding. */
export function startQueued(sa: IkeSa): void {
  if (!sa.pending) sa.queue.shift()?.start(sa);
}

function transmitRequest(
  core: Core,
  sa: IkeSa,
  exchangeType: number,
  payloads: Payload[],
  answered: Answered,
  traits: RequestTraits,
): void {
  const messageId = exchangeType === EXCHANGE.IKE_SA_INIT ? 0 : sa.nextMessageId;
  sa.nextMessageId = messageId + 1;
  const make = (): OutgoingMessage => ({
    sa,
    header: header(sa, exchangeType, messageId, false),
    isResponse: false,
    payloads: [...payloads],
    clear: [],
    seal: {},
    protected: sa.keys !== undefined && exchangeType !== EXCHANGE.IKE_SA_INIT,
  });
  const message = make();
  const datagrams = seal(core, message);
  if (exchangeType === EXCHANGE.IKE_SA_INIT) sa.initRequest = datagrams[0] ?? sa.initRequest;
  sa.pending = {
    exchangeType,
    messageId: message.header.messageId,
    datagrams,
    again: () => seal(core, make()),
    transmissions: 1,
    useful: traits.useful,
    doing: traits.doing,
    answered,
  };
  transmitAll(core, message, datagrams, 0, { source: sa.local, destination: sa.remote });
  scheduleRetransmission(core, sa, message, core.policy.retransmitMs);
}

function scheduleRetransmission(core: Core, sa: IkeSa, message: OutgoingMessage, wait: number): void {
  const pending = sa.pending;
  if (!pending) return;
  pending.cancelTimer = core.after(wait, () => {
    if (pending.transmissions >= core.policy.retransmitTries) return giveUp(core, sa);
    const manner = core.decide("retransmission", "same octets");
    const datagrams = manner === "same octets" ? pending.datagrams : pending.again();
    const route = { source: sa.local, destination: sa.remote };
    // TCP brings it by itself (RFC 9329 section 6.2).
    if (manner !== "never" && sa.local.transport !== "tcp")
      transmitAll(core, message, datagrams, pending.transmissions, route);
    pending.transmissions++;
    const doubles = core.decide("retransmission interval", "doubles") === "doubles";
    scheduleRetransmission(core, sa, message, doubles ? wait * 2 : wait);
  });
}

function giveUp(core: Core, sa: IkeSa): void {
  const pending = sa.pending;
  sa.pending = undefined;
  pending?.answered(undefined, sa);
  core.closeIke(sa, "no answer");
}

/** Ends the outstanding request and lets the next one go. */
export function requestAnswered(sa: IkeSa, response: IncomingMessage): void {
  const pending = sa.pending;
  if (!pending) return;
  pending.cancelTimer?.();
  sa.pending = undefined;
  pending.answered(response, sa);
  startQueued(sa);
}

/** Answers a request and keeps the octets for its retransmissions. */
export function sendResponse(core: Core, sa: IkeSa, request: IncomingMessage, payloads: Payload[]): void {
  const { exchangeType, messageId } = request.header;
  const message: OutgoingMessage = {
    sa,
    header: header(sa, exchangeType, messageId, true),
    isResponse: true,
    request,
    payloads: [...payloads],
    clear: [],
    seal: {},
    protected: sa.keys !== undefined && exchangeType !== EXCHANGE.IKE_SA_INIT,
  };
  const datagrams = seal(core, message);
  if (exchangeType === EXCHANGE.IKE_SA_INIT) sa.initResponse = datagrams[0] ?? sa.initResponse;
  // Without the request, which can be as long as a datagram and decoded many times that.
  const { inbound } = sa;
  sa.lastResponse = { message: { ...message, request: undefined }, datagrams, copies: 0, inbound };
  transmitAll(core, message, datagrams, 0, answerRoute(request));
}

/** To where the request came from, from where it came to (section 2.11). */
const answerRoute = ({ datagram }: IncomingMessage): Route => ({
  source: datagram.destination,
  destination: datagram.source,
});

/** The stored response again, octet by octet. */
export function resendResponse(core: Core, sa: IkeSa, request: IncomingMessage): void {
  const last = sa.lastResponse;
  if (!last) return;
  last.copies++;
  transmitAll(core, last.message, last.datagrams, last.copies, answerRoute(request));
}

/** An answer in clear outside of any IKE SA (section 1.5): same SPIs, exchange type and Message ID. */
export function sendClearAnswer(core: Core, request: IncomingMessage, payloads: Payload[]): void {
  const { spiI, spiR, exchangeType, messageId, flags } = request.header;
  const answerFlags = FLAG.response | (flags & FLAG.initiator ? 0 : FLAG.initiator);
  const message: OutgoingMessage = {
    header: { spiI, spiR, version: VERSION, exchangeType, flags: answerFlags, messageId },
    isResponse: true,
    request,
    payloads,
    clear: [],
    seal: {},
    protected: false,
  };
  transmitAll(core, message, seal(core, message), 0, answerRoute(request));
}
