/** The way in: demultiplexing, SPI lookup, opening, Message IDs (RFC 7296 sections 2.1-2.6, 3.1). */
import type { Datagram } from "../link/types.ts";
import { EMPTY, equal, hex } from "../wire/bytes.ts";
import { decodeChain, decodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { FLAG, type Message } from "../wire/types.ts";
import { demultiplex } from "../wire/udp.ts";
import type { Core } from "./core.ts";
import type { IncomingMessage, Opener } from "./hooks.ts";
import { excess } from "./limits.ts";
import { hasNotify, notify } from "./payloads.ts";
import type { IkeSa } from "./sa.ts";
import { requestAnswered, resendResponse, sendClearAnswer, sendRequest } from "./send.ts";
import { openPayload, type Protection } from "./sk.ts";
import { malformed, unknownCritical } from "./syntax.ts";

/** Acts on requests that are new and whole; given by the endpoint. */
export interface Dispatch {
  initRequest(message: IncomingMessage): void;
  request(sa: IkeSa, message: IncomingMessage, fault: string | undefined): void;
}

/** Takes one datagram, or frame of a TCP connection. Never throws. ESP and keepalives are left to the owner: false. */
export function receive(core: Core, datagram: Datagram, dispatch: Dispatch): boolean {
  const octets = ikeOctets(core, datagram);
  if (!octets) return false;
  const decoded = decodeMessage(octets);
  if (isFrameError(decoded)) return drop(core, datagram, decoded.error);
  const message: IncomingMessage = {
    header: decoded.header,
    isResponse: (decoded.header.flags & FLAG.response) !== 0,
    payloads: decoded.payloads,
    clear: [],
    protected: false,
    octets,
    datagram,
    findings: decoded.findings ?? [],
  };
  if (decoded.header.length !== undefined)
    return drop(core, datagram, "the Length field differs from the datagram");
  const tooMuch = excess(decoded.payloads);
  if (tooMuch) return drop(core, datagram, tooMuch);
  if (
    decoded.header.version >> 4 > 2 &&
    core.decide("higher major version", "INVALID_MAJOR_VERSION") !== "process"
  )
    return higherVersion(core, message);
  if (decoded.header.version >> 4 < 2) return drop(core, datagram, "major version below 2");
  const { exchangeType, spiR } = decoded.header;
  if (exchangeType === EXCHANGE.IKE_SA_INIT && !message.isResponse && spiR.every((b) => b === 0)) {
    return initRequest(core, message, decoded, dispatch);
  }
  const sa = lookUp(core, message);
  if (!sa) return withoutIkeSa(core, decoded, message);
  message.sa = sa;
  receiveForSa(core, sa, decoded, message, dispatch);
  return true;
}

function ikeOctets(core: Core, datagram: Datagram): Uint8Array | undefined {
  const { protocol, destination } = datagram;
  if (protocol === "esp") return undefined;
  if (protocol === "udp" && destination.port !== core.options.natPort) return datagram.data;
  const part = demultiplex(datagram.data);
  return part.kind === "ike" ? part.data : undefined;
}

function drop(core: Core, datagram: Datagram, reason: string): true {
  core.emit({ type: "dropped", datagram, reason });
  return true;
}

function higherVersion(core: Core, message: IncomingMessage): true {
  const manner = core.decide("higher major version", "INVALID_MAJOR_VERSION");
  if (manner === "INVALID_MAJOR_VERSION" && !message.isResponse) {
    sendClearAnswer(core, message, [notify(NOTIFY.INVALID_MAJOR_VERSION)]);
  }
  return drop(core, message.datagram, "major version above 2");
}

function initRequest(core: Core, message: IncomingMessage, decoded: Message, dispatch: Dispatch): true {
  const { flags, spiI, messageId } = message.header;
  const fault = malformed(decoded.payloads, decoded.trailing ?? EMPTY);
  if (!(flags & FLAG.initiator) || spiI.every((b) => b === 0))
    return drop(core, message.datagram, "flags or SPIi");
  if (messageId !== 0) return drop(core, message.datagram, "an IKE_SA_INIT request other than number 0");
  if (fault && core.decide("malformed message", "INVALID_SYNTAX") !== "accept") {
    return drop(core, message.datagram, `malformed: ${fault}`);
  }
  if (incoming(core, message) === "drop") return drop(core, message.datagram, "an extension dropped it");
  dispatch.initRequest(message);
  return true;
}

function incoming(core: Core, message: IncomingMessage): "drop" | undefined {
  for (const extension of core.options.extensions) {
    if (extension.incoming?.(message, core) === "drop") return "drop";
  }
  return undefined;
}

/** The sender's I flag tells whose SPI is whose. */
function lookUp(core: Core, message: IncomingMessage): IkeSa | undefined {
  const { flags, spiI, spiR, exchangeType } = message.header;
  const fromInitiator = (flags & FLAG.initiator) !== 0;
  const sa = core.sas.get(hex(fromInitiator ? spiR : spiI));
  if (!sa || fromInitiator !== (sa.role === "responder")) return undefined;
  // Nothing protects IKE_SA_INIT: once there are keys, it can only harm.
  if (exchangeType === EXCHANGE.IKE_SA_INIT) return message.isResponse && !sa.keys ? sa : undefined;
  return equal(sa.spiI, spiI) && equal(sa.spiR, spiR) ? sa : undefined;
}

function withoutIkeSa(core: Core, decoded: Message, message: IncomingMessage): true {
  const { octets, datagram } = message;
  if (repeatedToClosed(core, decoded, message)) return true;
  const taken = core.options.extensions.some((e) => e.foreign?.(core, decoded, octets, datagram));
  return taken || unknownSpi(core, message);
}

/** True if this was the request that closed its SA, once more. */
function repeatedToClosed(core: Core, decoded: Message, message: IncomingMessage): boolean {
  const { spiI, spiR, flags, messageId } = message.header;
  if (message.isResponse) return false;
  const sa = core.closedSa((flags & FLAG.initiator) !== 0 ? spiR : spiI);
  if (!sa || !equal(sa.spiI, spiI) || !equal(sa.spiR, spiR)) return false;
  if (messageId !== sa.lastResponse?.message.header.messageId) return false;
  message.sa = sa;
  return repeated(core, sa, decoded, message);
}

function unknownSpi(core: Core, message: IncomingMessage): true {
  const isInit = message.header.exchangeType === EXCHANGE.IKE_SA_INIT;
  // Section 1.5: an answer to this message could be the beginning of a loop.
  const isOneWay = hasNotify(message.payloads, NOTIFY.INVALID_SPI);
  if (isOneWay && core.decide("one-way INVALID_SPI", "ignore") === "ignore")
    return drop(core, message.datagram, "a one-way INVALID_SPI");
  const strayAnswer = message.isResponse && core.decide("unexpected response", "ignore") === "ignore";
  if (!strayAnswer && !isInit) sendClearAnswer(core, message, [notify(NOTIFY.INVALID_IKE_SPI)]);
  return drop(core, message.datagram, "no IKE SA has this SPI");
}

function receiveForSa(
  core: Core,
  sa: IkeSa,
  decoded: Message,
  message: IncomingMessage,
  dispatch: Dispatch,
): void {
  if (message.isResponse && !isAwaited(core, sa, message)) {
    if (core.decide("unexpected response", "ignore") === "answer") {
      sendClearAnswer(core, message, [notify(NOTIFY.INVALID_SYNTAX)]);
    }
    return void drop(core, message.datagram, "a response nobody waits for");
  }
  if (!message.isResponse && repeated(core, sa, decoded, message)) return;
  const opened = open(core, sa, decoded, message);
  if (opened === "wait") return;
  if ("error" in opened) return notOpened(core, sa, message, opened.error);
  // One in clear must not do harm, as a better one may come (section 2.21.1). One under our keys leaves its request
  // unanswered, which ends the SA, as nothing may be said about a response (section 2.21.3).
  const badResponse = message.isResponse ? opened.fault : undefined;
  if (badResponse && core.decide("malformed message", "INVALID_SYNTAX") !== "accept")
    return void drop(core, message.datagram, `malformed: ${badResponse}`);
  if (incoming(core, message) === "drop") return void drop(core, message.datagram, "an extension dropped it");
  if (message.isResponse && sa.pending?.useful?.(message) === false)
    return void drop(core, message.datagram, "an answer that helps no further");
  // Section 2.5: the whole message is rejected. A response is not answered, so its request stays unanswered.
  const critical = message.isResponse ? unknownCritical(message.payloads) : undefined;
  if (critical && core.decide("unknown critical payload", "refuse") !== "skip")
    return void drop(core, message.datagram, `an unknown critical payload ${critical.type} in a response`);
  core.emit({ type: "received", message, repeated: false });
  if (message.protected) followAddress(sa, message.datagram);
  if (!message.isResponse) return dispatch.request(sa, message, opened.fault);
  requestAnswered(sa, message);
  if (message.protected && sa.established && hasNotify(message.payloads, NOTIFY.INVALID_SYNTAX))
    refusedAsMalformed(core, sa);
}

function notOpened(core: Core, sa: IkeSa, message: IncomingMessage, error: string): void {
  const manner = core.decide("wrong ICV", "drop");
  if (manner === "close the IKE SA") core.closeIke(sa, error);
  if (manner === "answer in clear" && !message.isResponse)
    sendClearAnswer(core, message, [notify(NOTIFY.INVALID_SYNTAX)]);
  drop(core, message.datagram, error);
}

/**
 * A peer behind a NAT gets another address when the NAT forgets it; only the side in front may follow (section 2.23).
 * Over TCP, what comes last tells on which connection the peer listens (RFC 9329 section 6.1).
 */
function followAddress(sa: IkeSa, { protocol, source, destination }: Datagram): void {
  const reconnected = protocol === "tcp" && sa.local.transport === "tcp";
  if (!sa.established || (!reconnected && (!sa.nat?.peer || sa.nat.us))) return;
  sa.local = destination;
  sa.remote = source;
}

/** Section 2.21.3: both ends delete the IKE SA, without a Delete. */
function refusedAsMalformed(core: Core, sa: IkeSa): void {
  const keeps = core.decide("INVALID_SYNTAX in a response", "close the IKE SA") === "keep the IKE SA";
  if (!keeps) core.closeIke(sa, "the peer refused a request with INVALID_SYNTAX");
}

function isAwaited(core: Core, { pending }: IkeSa, message: IncomingMessage): boolean {
  const { exchangeType, messageId } = message.header;
  if (pending?.exchangeType !== exchangeType) return false;
  return pending.messageId === messageId || core.decide("Message ID of a response", "check") === "any";
}

/** True if the request is not new: answered again if it is the last one, else ignored. */
function repeated(core: Core, sa: IkeSa, decoded: Message, message: IncomingMessage): boolean {
  const { messageId } = message.header;
  if (messageId === sa.expectedMessageId) return false;
  if (messageId > sa.expectedMessageId) {
    const manner = core.decide("message id out of window", "ignore");
    if (manner === "process") return false;
    if (manner === "complain each time") complain(core, sa, messageId);
    return drop(core, message.datagram, "the Message ID is above the window");
  }
  const isLast = messageId === sa.lastResponse?.message.header.messageId;
  if (!isLast) {
    if (core.decide("forgotten request", "ignore") === "answer anew") return false;
    return drop(core, message.datagram, "a request answered long ago");
  }
  const manner = core.decide("retransmitted request", "resend");
  if (manner === "answer anew") return false;
  if (manner === "ignore") return true;
  const { inbound } = sa.lastResponse ?? {};
  if ("error" in openLast(core, inbound, decoded, message.octets))
    return drop(core, message.datagram, "a repeat with a wrong ICV");
  if (core.options.extensions.some((e) => e.repeats?.(core, decoded) === false)) return true;
  core.emit({ type: "received", message, repeated: true });
  resendResponse(core, sa, message);
  return true;
}

/** Section 2.3 allows it at a bounded rate; this has none. */
function complain(core: Core, sa: IkeSa, messageId: number): void {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, messageId);
  sendRequest(core, sa, EXCHANGE.INFORMATIONAL, [notify(NOTIFY.INVALID_MESSAGE_ID, data)], () => {});
}

function openLast(
  core: Core,
  inbound: Protection | undefined,
  decoded: Message,
  octets: Uint8Array,
): ReturnType<Opener> {
  const last = decoded.payloads.at(-1);
  if (!inbound || (last?.kind !== "SK" && last?.kind !== "SKF")) return { error: "not protected" };
  const accept = core.decide("wrong ICV", "drop") === "accept";
  const opened = openPayload(inbound, octets, last, accept);
  const manner = core.decide("SK padding", "any");
  if ("error" in opened) {
    const overlooked = opened.error === "padding" && manner === "overlook a bad Pad Length";
    return overlooked ? { innerType: 0, plaintext: EMPTY } : { error: `cannot open: ${opened.error}` };
  }
  const { encr, integ } = inbound;
  const icvLength = encr.aead ? encr.icvLength : (integ?.icvLength ?? 0);
  const padding = last.data.length - encr.ivLength - icvLength - opened.plaintext.length - 1;
  const tooLong = padding >= Math.max(encr.blockSize, 4);
  return tooLong && manner === "minimal only" ? { error: "long padding" } : opened;
}

/** Fills in the inner payloads; `fault` says why they are malformed. */
function open(
  core: Core,
  sa: IkeSa,
  decoded: Message,
  message: IncomingMessage,
): "wait" | { error: string } | { fault: string | undefined } {
  if (message.header.exchangeType === EXCHANGE.IKE_SA_INIT) {
    return { fault: malformed(decoded.payloads, decoded.trailing ?? EMPTY) };
  }
  const last = decoded.payloads.at(-1);
  const opened =
    last?.kind === "SK"
      ? openLast(core, sa.inbound, decoded, message.octets)
      : collect(core, sa, decoded, message);
  if (opened === "wait") return "wait";
  if (opened === undefined) return unprotected(core, sa);
  if ("error" in opened) return opened;
  const chain = decodeChain(opened.innerType, opened.plaintext);
  const tooMuch = excess(chain.payloads);
  if (tooMuch) return { error: tooMuch };
  message.clear = decoded.payloads.slice(0, -1);
  message.payloads = chain.payloads;
  message.inner = opened.plaintext;
  message.protected = true;
  message.findings = [...message.findings, ...chain.findings];
  const nested = chain.payloads.some((p) => p.kind === "SK" || p.kind === "SKF");
  return { fault: nested ? "SK inside SK" : malformed(chain.payloads, chain.trailing) };
}

function collect(
  core: Core,
  sa: IkeSa,
  decoded: Message,
  message: IncomingMessage,
): ReturnType<Opener> | "wait" | undefined {
  const opener: Opener = () => openLast(core, sa.inbound, decoded, message.octets);
  for (const extension of core.options.extensions) {
    const collected = extension.collect?.(core, sa, decoded, message.octets, opener);
    if (collected === "wait") return "wait";
    if (collected === "drop") return { error: "an extension dropped it" };
    if (!collected) continue;
    if ("error" in collected) return collected;
    message.octets = collected.first;
    return collected;
  }
  return undefined;
}

function unprotected(core: Core, sa: IkeSa): { error: string } | { fault: undefined } {
  const manner = core.decide("unprotected message", "ignore");
  if (manner === "check liveness each time" && sa.established)
    sendRequest(core, sa, EXCHANGE.INFORMATIONAL, [], () => {});
  return manner === "process" && sa.keys ? { fault: undefined } : { error: "not protected" };
}
