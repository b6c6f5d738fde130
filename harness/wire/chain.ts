/** The chain of payloads behind an IKE header or inside an Encrypted payload (RFC 7296 section 3.2). */
import { plain, readU16, view, Writer } from "./bytes.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import { readCp, writeCp } from "./cp.ts";
import { readGsa, writeGsa } from "./gsa.ts";
import { readKd, writeKd } from "./kd.ts";
import {
  readAuth,
  readCert,
  readDelete,
  readEap,
  readId,
  readKe,
  readNotify,
  readSkf,
  writeAuth,
  writeCert,
  writeDelete,
  writeEap,
  writeId,
  writeKe,
  writeNotify,
  writeSkf,
} from "./payloads.ts";
import { PAYLOAD, payloadTypes } from "./registry/payload-types.ts";
import { readSa, writeSa } from "./sa.ts";
import { readTs, writeTs } from "./ts.ts";
import type { Chain, Payload, RawPayload } from "./types.ts";

/** The generic payload header. */
const HEADER = 4;

/** Type of the first payload, 0 for an empty chain: what Next Payload in front of the chain says. */
export function firstPayloadType(payloads: readonly Payload[]): number {
  return payloads[0]?.type ?? 0;
}

/**
 * Reads a chain that fills `bytes`, such as the plaintext of an SK payload. Total: odd octets end up in overrides,
 * raw payloads, `trailing` and findings. The values are views of `bytes`. `baseOffset` is added to the offset of
 * every finding.
 */
export function decodeChain(firstType: number, bytes: Uint8Array, baseOffset = 0): Chain {
  const context: ReadContext = { bytes: plain(bytes), base: baseOffset, findings: [] };
  const payloads: Payload[] = [];
  const rest = readChain(context, firstType, payloads, 0, bytes.length);
  return { payloads, trailing: view(context.bytes, rest, bytes.length), findings: context.findings };
}

/** Fills `into` with the payloads between `start` and `end`; gives the offset behind the last of them. */
export function readChain(
  context: ReadContext,
  firstType: number,
  into: Payload[],
  start: number,
  end: number,
): number {
  const { bytes } = context;
  let type = firstType;
  let at = start;
  while (type !== 0) {
    const room = end - at;
    if (room < HEADER) {
      note(context, at, "next payload", `type ${type} announced, but only ${room} octets are left`);
      break;
    }
    const next = bytes[at]!;
    const length = readU16(bytes, at + 2);
    const fits = length >= HEADER && length <= room;
    const payload = fits
      ? readPayload(context, type, next, at, at + length)
      : readMisfit(context, type, length, at, end);
    const flags = bytes[at + 1]!;
    if (flags !== 0) keepFlags(context, payload, flags, at);
    into.push(payload);
    at = fits ? at + length : end;
    const link = fits ? linkOf(type, next) : 0;
    // An Encrypted payload ends the chain; elsewhere the field is kept if nothing more can follow it.
    if (payload.kind !== "SK" && payload.kind !== "SKF" && next !== 0 && (link === 0 || end - at < HEADER)) {
      payload.next = next;
    }
    type = link;
  }
  if (at < end && type === 0) note(context, at, "trailing", `${end - at} octets behind the last payload`);
  return at;
}

/** Type of the payload that follows: none behind an Encrypted payload. */
function linkOf(type: number, next: number): number {
  return type === PAYLOAD.SK || type === PAYLOAD.SKF ? 0 : next;
}

/** A payload whose length cannot be right takes all octets that are left. */
function readMisfit(
  context: ReadContext,
  type: number,
  length: number,
  start: number,
  end: number,
): RawPayload {
  const reason =
    length < HEADER ? "is less than its header" : `leads past the end, ${end - start} octets are left`;
  note(context, start + 2, `${payloadTypes.nameOf(type)} > length`, `${length} ${reason}`);
  const payload: RawPayload = { kind: "raw", type, data: view(context.bytes, start + HEADER, end) };
  if (length !== end - start) payload.length = length;
  return payload;
}

function keepFlags(context: ReadContext, payload: Payload, flags: number, at: number): void {
  if (flags & 0x80) payload.critical = true;
  if ((flags & 0x7f) === 0) return;
  payload.reserved = flags & 0x7f;
  noteReserved(context, at + 1, `${payloadTypes.nameOf(payload.type)} > reserved`, flags & 0x7f);
}

function readPayload(context: ReadContext, type: number, next: number, at: number, end: number): Payload {
  const start = at + HEADER;
  const payload = readBody(context, type, next, start, end);
  if (payload !== undefined) return payload;
  return { kind: "raw", type, data: view(context.bytes, start, end) };
}

/** Undefined for a type that has no grammar here, or (with a finding) a body that does not fit its grammar. */
function readBody(
  context: ReadContext,
  type: number,
  next: number,
  start: number,
  end: number,
): Payload | undefined {
  switch (type) {
    case PAYLOAD.SA:
      return readSa(context, type, start, end);
    case PAYLOAD.KE:
      return readKe(context, type, start, end);
    case PAYLOAD.IDi:
    case PAYLOAD.IDr:
    case PAYLOAD.IDg:
      return readId(context, type, start, end);
    case PAYLOAD.CERT:
      return readCert(context, "CERT", type, start, end);
    case PAYLOAD.CERTREQ:
      return readCert(context, "CERTREQ", type, start, end);
    case PAYLOAD.AUTH:
      return readAuth(context, type, start, end);
    case PAYLOAD.NONCE:
      return { kind: "Nonce", type, data: view(context.bytes, start, end) };
    case PAYLOAD.NOTIFY:
      return readNotify(context, type, start, end);
    case PAYLOAD.DELETE:
      return readDelete(context, type, start, end);
    case PAYLOAD.VENDOR_ID:
      return { kind: "VendorID", type, data: view(context.bytes, start, end) };
    case PAYLOAD.TSi:
    case PAYLOAD.TSr:
      return readTs(context, type, start, end);
    case PAYLOAD.SK:
      return { kind: "SK", type, innerType: next, data: view(context.bytes, start, end) };
    case PAYLOAD.SKF:
      return readSkf(context, type, next, start, end);
    case PAYLOAD.CP:
      return readCp(context, type, start, end);
    case PAYLOAD.EAP:
      return readEap(context, type, start, end);
    case PAYLOAD.GSA:
      return readGsa(context, type, start, end);
    case PAYLOAD.KD:
      return readKd(context, type, start, end);
    default:
      if (payloadTypes.get(type) === undefined) {
        note(context, start - HEADER, "payload type", `${type} is unknown`);
      }
      return undefined;
  }
}

/** The octets of a chain. Next Payload and Payload Length are computed where no override is set. */
export function encodeChain(payloads: readonly Payload[], trailing?: Uint8Array): Uint8Array {
  const out = new Writer();
  writeChain(out, payloads, trailing);
  return out.finish();
}

export function writeChain(out: Writer, payloads: readonly Payload[], trailing?: Uint8Array): void {
  for (let i = 0; i < payloads.length; i++) {
    writePayload(out, payloads[i]!, payloads[i + 1]?.type ?? 0);
  }
  if (trailing !== undefined) out.put(trailing);
}

function writePayload(out: Writer, payload: Payload, following: number): void {
  const start = out.length;
  const ownNext = payload.kind === "SK" || payload.kind === "SKF" ? payload.innerType : following;
  out.u8(payload.next ?? ownNext);
  out.u8((payload.critical ? 0x80 : 0) | ((payload.reserved ?? 0) & 0x7f));
  out.u16(0);
  writeBody(out, payload);
  out.patchU16(start + 2, payload.length ?? out.length - start);
}

function writeBody(out: Writer, payload: Payload): void {
  switch (payload.kind) {
    case "SA":
      writeSa(out, payload);
      break;
    case "KE":
      writeKe(out, payload);
      break;
    case "ID":
      writeId(out, payload);
      break;
    case "CERT":
    case "CERTREQ":
      writeCert(out, payload);
      break;
    case "AUTH":
      writeAuth(out, payload);
      break;
    case "Notify":
      writeNotify(out, payload);
      break;
    case "Delete":
      writeDelete(out, payload);
      break;
    case "TS":
      writeTs(out, payload);
      break;
    case "SKF":
      writeSkf(out, payload);
      break;
    case "CP":
      writeCp(out, payload);
      break;
    case "EAP":
      writeEap(out, payload);
      break;
    case "GSA":
      writeGsa(out, payload);
      break;
    case "KD":
      writeKd(out, payload);
      break;
    case "Nonce":
    case "VendorID":
    case "SK":
    case "raw":
      out.put(payload.data);
  }
}
