/** The Configuration payload (RFC 7296 section 3.15). */
import { readU16, readU24, view, type Writer } from "./bytes.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import type { ConfigAttribute, CpPayload } from "./types.ts";

const ATTRIBUTE_HEADER = 4;

/** The body of a CP payload; undefined (with a finding) when it is too short or an attribute leads outside it. */
export function readCp(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): CpPayload | undefined {
  const { bytes } = context;
  if (end - start < 4) {
    note(context, start, "CP", `${end - start} octets, at least 4 are needed`);
    return undefined;
  }
  const payload: CpPayload = { kind: "CP", type, cfgType: bytes[start]!, attributes: [] };
  const reserved3 = readU24(bytes, start + 1);
  if (reserved3 !== 0) {
    payload.reserved3 = reserved3;
    noteReserved(context, start + 1, "CP > reserved", reserved3);
  }
  let at = start + 4;
  while (end - at >= ATTRIBUTE_HEADER) {
    const next = at + ATTRIBUTE_HEADER + readU16(bytes, at + 2);
    const name = `CP > attribute ${payload.attributes.length + 1}`;
    if (next > end) {
      const room = end - at - ATTRIBUTE_HEADER;
      note(context, at + 2, `${name} > length`, `${next - end + room} does not fit, ${room} octets are left`);
      return undefined;
    }
    payload.attributes.push(readAttribute(context, name, at, next));
    at = next;
  }
  if (at < end) {
    payload.trailing = view(bytes, at, end);
    note(context, at, "CP > trailing", `${end - at} octets that belong to no part`);
  }
  return payload;
}

function readAttribute(context: ReadContext, name: string, start: number, end: number): ConfigAttribute {
  const first = readU16(context.bytes, start);
  const attribute: ConfigAttribute = {
    type: first & 0x7fff,
    data: view(context.bytes, start + ATTRIBUTE_HEADER, end),
  };
  if (first & 0x8000) {
    attribute.reserved = 1;
    noteReserved(context, start, `${name} > reserved`, 1);
  }
  return attribute;
}

export function writeCp(out: Writer, payload: CpPayload): void {
  out.u8(payload.cfgType);
  out.u24(payload.reserved3 ?? 0);
  for (const attribute of payload.attributes) {
    out.u16((attribute.type & 0x7fff) | (attribute.reserved ? 0x8000 : 0));
    out.u16(attribute.length ?? attribute.data.length);
    out.put(attribute.data);
  }
  if (payload.trailing !== undefined) out.put(payload.trailing);
}
