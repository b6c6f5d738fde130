/** The payloads with a flat body (RFC 7296 sections 3.4-3.11, 3.14 and 3.16, RFC 7383 section 2.5). */
import { readU16, readU24, view, type Writer } from "./bytes.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import type {
  AuthPayload,
  CertPayload,
  DeletePayload,
  EapPayload,
  IdPayload,
  KePayload,
  NotifyPayload,
  SkfPayload,
} from "./types.ts";

/** True (with a finding) when a body is shorter than its fixed part. */
function tooShort(context: ReadContext, name: string, start: number, end: number, needed: number): boolean {
  if (end - start >= needed) return false;
  note(context, start, name, `${end - start} octets, at least ${needed} are needed`);
  return true;
}

export function readKe(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): KePayload | undefined {
  if (tooShort(context, "KE", start, end, 4)) return undefined;
  const { bytes } = context;
  const data = view(bytes, start + 4, end);
  const payload: KePayload = { kind: "KE", type, group: readU16(bytes, start), data };
  const reserved2 = readU16(bytes, start + 2);
  if (reserved2 !== 0) {
    payload.reserved2 = reserved2;
    noteReserved(context, start + 2, "KE > reserved", reserved2);
  }
  return payload;
}

export function writeKe(out: Writer, payload: KePayload): void {
  out.u16(payload.group);
  out.u16(payload.reserved2 ?? 0);
  out.put(payload.data);
}

export function readId(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): IdPayload | undefined {
  if (tooShort(context, "ID", start, end, 4)) return undefined;
  const data = view(context.bytes, start + 4, end);
  const payload: IdPayload = { kind: "ID", type, idType: context.bytes[start]!, data };
  keepReserved3(context, payload, "ID", start + 1);
  return payload;
}

export function writeId(out: Writer, payload: IdPayload): void {
  out.u8(payload.idType);
  out.u24(payload.reserved3 ?? 0);
  out.put(payload.data);
}

export function readAuth(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): AuthPayload | undefined {
  if (tooShort(context, "AUTH", start, end, 4)) return undefined;
  const data = view(context.bytes, start + 4, end);
  const payload: AuthPayload = { kind: "AUTH", type, method: context.bytes[start]!, data };
  keepReserved3(context, payload, "AUTH", start + 1);
  return payload;
}

export function writeAuth(out: Writer, payload: AuthPayload): void {
  out.u8(payload.method);
  out.u24(payload.reserved3 ?? 0);
  out.put(payload.data);
}

function keepReserved3(
  context: ReadContext,
  payload: { reserved3?: number },
  name: string,
  at: number,
): void {
  const reserved3 = readU24(context.bytes, at);
  if (reserved3 === 0) return;
  payload.reserved3 = reserved3;
  noteReserved(context, at, `${name} > reserved`, reserved3);
}

export function readCert(
  context: ReadContext,
  kind: "CERT" | "CERTREQ",
  type: number,
  start: number,
  end: number,
): CertPayload | undefined {
  if (tooShort(context, kind, start, end, 1)) return undefined;
  return { kind, type, encoding: context.bytes[start]!, data: view(context.bytes, start + 1, end) };
}

export function writeCert(out: Writer, payload: CertPayload): void {
  out.u8(payload.encoding);
  out.put(payload.data);
}

export function readNotify(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): NotifyPayload | undefined {
  if (tooShort(context, "Notify", start, end, 4)) return undefined;
  const { bytes } = context;
  const dataAt = start + 4 + bytes[start + 1]!;
  if (dataAt > end) {
    note(context, start + 1, "Notify > SPI size", `an SPI of ${bytes[start + 1]} octets does not fit`);
    return undefined;
  }
  return {
    kind: "Notify",
    type,
    protocolId: bytes[start]!,
    spi: view(bytes, start + 4, dataAt),
    notifyType: readU16(bytes, start + 2),
    data: view(bytes, dataAt, end),
  };
}

export function writeNotify(out: Writer, payload: NotifyPayload): void {
  out.u8(payload.protocolId);
  out.u8(payload.spiSize ?? payload.spi.length);
  out.u16(payload.notifyType);
  out.put(payload.spi);
  out.put(payload.data);
}

export function readDelete(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): DeletePayload | undefined {
  if (tooShort(context, "Delete", start, end, 4)) return undefined;
  const { bytes } = context;
  const spiSize = bytes[start + 1]!;
  const count = readU16(bytes, start + 2);
  const payload: DeletePayload = { kind: "Delete", type, protocolId: bytes[start]!, spiSize, spis: [] };
  let at = start + 4;
  // SPIs of no octets cannot be counted, so none are made up for them.
  while (spiSize > 0 && payload.spis.length < count && at + spiSize <= end) {
    payload.spis.push(view(bytes, at, at + spiSize));
    at += spiSize;
  }
  if (payload.spis.length !== count) {
    payload.spiCount = count;
    note(context, start + 2, "Delete > SPI count", `${count} announced, ${payload.spis.length} found`);
  }
  if (at < end) {
    payload.trailing = view(bytes, at, end);
    note(context, at, "Delete > trailing", `${end - at} octets that belong to no part`);
  }
  return payload;
}

export function writeDelete(out: Writer, payload: DeletePayload): void {
  out.u8(payload.protocolId);
  out.u8(payload.spiSize);
  out.u16(payload.spiCount ?? payload.spis.length);
  for (const spi of payload.spis) out.put(spi);
  if (payload.trailing !== undefined) out.put(payload.trailing);
}

/** The 8-octet SKF header; `innerType` is the Next Payload field. */
export function readSkf(
  context: ReadContext,
  type: number,
  innerType: number,
  start: number,
  end: number,
): SkfPayload | undefined {
  if (tooShort(context, "SKF", start, end, 4)) return undefined;
  const { bytes } = context;
  const fragmentNumber = readU16(bytes, start);
  const totalFragments = readU16(bytes, start + 2);
  const data = view(bytes, start + 4, end);
  return { kind: "SKF", type, innerType, fragmentNumber, totalFragments, data };
}

export function writeSkf(out: Writer, payload: SkfPayload): void {
  out.u16(payload.fragmentNumber);
  out.u16(payload.totalFragments);
  out.put(payload.data);
}

export function readEap(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): EapPayload | undefined {
  if (tooShort(context, "EAP", start, end, 4)) return undefined;
  const { bytes } = context;
  const length = readU16(bytes, start + 2);
  const data = view(bytes, start + 4, end);
  const payload: EapPayload = { kind: "EAP", type, code: bytes[start]!, identifier: bytes[start + 1]!, data };
  if (length !== end - start) {
    payload.eapLength = length;
    note(context, start + 2, "EAP > length", `${length}, but ${end - start} octets are there`);
  }
  return payload;
}

export function writeEap(out: Writer, payload: EapPayload): void {
  out.u8(payload.code);
  out.u8(payload.identifier);
  out.u16(payload.eapLength ?? payload.data.length + 4);
  out.put(payload.data);
}
