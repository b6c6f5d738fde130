/** A whole IKE message (RFC 7296 section 3.1). */
import { plain, readU32, view, Writer } from "./bytes.ts";
import { firstPayloadType, readChain, writeChain } from "./chain.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import { type Finding, FLAG, type Header, type Message } from "./types.ts";

/** Octets of the IKE header. */
export const IKE_HEADER = 28;

const KNOWN_FLAGS = FLAG.initiator | FLAG.version | FLAG.response;

/** Octets that hold no readable frame: fewer than an IKE header. */
export interface FrameError {
  error: string;
  offset: number;
  findings: Finding[];
}

export function isFrameError(result: Message | FrameError): result is FrameError {
  return "error" in result;
}

/**
 * Reads a datagram (without the non-ESP marker). Total and lossless: from 28 octets on it gives a message, and
 * encoding that gives the same octets. The values are views of `bytes`.
 */
export function decodeMessage(bytes: Uint8Array): Message | FrameError {
  const size = bytes.length;
  const context: ReadContext = { bytes: plain(bytes), base: 0, findings: [] };
  if (size < IKE_HEADER) {
    const error = `${size} octets are no IKE message, its header alone has ${IKE_HEADER}`;
    note(context, size, "header", error);
    return { error, offset: size, findings: context.findings };
  }
  const header = readHeader(context);
  const nextPayload = context.bytes[16]!;
  const message: Message = { header, payloads: [] };
  const rest = readChain(context, nextPayload, message.payloads, IKE_HEADER, chainEnd(context, header));
  if (nextPayload !== firstPayloadType(message.payloads)) header.nextPayload = nextPayload;
  if (rest < size) message.trailing = view(context.bytes, rest, size);
  if (context.findings.length > 0) message.findings = context.findings;
  return message;
}

function readHeader(context: ReadContext): Header {
  const { bytes } = context;
  const header: Header = {
    spiI: bytes.subarray(0, 8),
    spiR: bytes.subarray(8, 16),
    version: bytes[17]!,
    exchangeType: bytes[18]!,
    flags: bytes[19]!,
    messageId: readU32(bytes, 20),
  };
  if (header.version >>> 4 !== 2)
    note(context, 17, "header > version", `major version ${header.version >>> 4}`);
  const reserved = header.flags & ~KNOWN_FLAGS;
  if (reserved !== 0) noteReserved(context, 19, "header > flags", reserved);
  const length = readU32(bytes, 24);
  if (length !== bytes.length) {
    header.length = length;
    note(context, 24, "header > length", `${length}, but the datagram has ${bytes.length} octets`);
  }
  return header;
}

/** Payloads are looked for up to the Length of the header, as far as that makes sense. */
function chainEnd(context: ReadContext, header: Header): number {
  const size = context.bytes.length;
  const length = header.length ?? size;
  return length >= IKE_HEADER && length < size ? length : size;
}

/** The octets of a message. Never throws: numbers are cut to their field, SPIs cut or filled to 8 octets. */
export function encodeMessage(message: Message): Uint8Array {
  const { header, payloads } = message;
  const out = new Writer();
  out.putFixed(header.spiI, 8);
  out.putFixed(header.spiR, 8);
  out.u8(header.nextPayload ?? firstPayloadType(payloads));
  out.u8(header.version);
  out.u8(header.exchangeType);
  out.u8(header.flags);
  out.u32(header.messageId);
  out.u32(0);
  writeChain(out, payloads, message.trailing);
  out.patchU32(24, header.length ?? out.length);
  return out.finish();
}
