/** The Traffic Selector payloads (RFC 7296 section 3.13; other selector types RFC 4595, RFC 9478). */
import { EMPTY, readU16, readU24, view, type Writer } from "./bytes.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import type { TrafficSelector, TsPayload } from "./types.ts";

const IPV4_RANGE = 7;
const IPV6_RANGE = 8;
/** Type, protocol, length: what every selector has. */
export const SELECTOR_HEADER = 4;

/** The body of TSi or TSr; undefined (with a finding) when it is too short or a selector leads outside it. */
export function readTs(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): TsPayload | undefined {
  const { bytes } = context;
  if (end - start < 4) {
    note(context, start, "TS", `${end - start} octets, at least 4 are needed`);
    return undefined;
  }
  const payload: TsPayload = { kind: "TS", type, selectors: [] };
  const reserved3 = readU24(bytes, start + 1);
  if (reserved3 !== 0) {
    payload.reserved3 = reserved3;
    noteReserved(context, start + 1, "TS > reserved", reserved3);
  }
  let at = start + 4;
  while (end - at >= SELECTOR_HEADER) {
    const next = at + readU16(bytes, at + 2);
    if (next < at + SELECTOR_HEADER || next > end) {
      const path = `TS > selector ${payload.selectors.length + 1} > length`;
      note(context, at + 2, path, `${next - at} does not fit, ${end - at} octets are left`);
      return undefined;
    }
    payload.selectors.push(readSelector(context, `TS > selector ${payload.selectors.length + 1}`, at, next));
    at = next;
  }
  if (at < end) {
    payload.trailing = view(bytes, at, end);
    note(context, at, "TS > trailing", `${end - at} octets that belong to no part`);
  }
  const count = bytes[start]!;
  if (count !== payload.selectors.length) {
    payload.count = count;
    note(context, start, "TS > count", `${count} announced, ${payload.selectors.length} found`);
  }
  return payload;
}

/** Octets of one address of a range; 0 for a type that is no address range. */
function addressSize(tsType: number): number {
  if (tsType === IPV4_RANGE) return 4;
  return tsType === IPV6_RANGE ? 16 : 0;
}

/** One selector that fills `start` to `end`, at least 4 octets. */
export function readSelector(
  context: ReadContext,
  name: string,
  start: number,
  end: number,
): TrafficSelector {
  const { bytes } = context;
  const tsType = bytes[start]!;
  const ipProtocol = bytes[start + 1]!;
  const size = addressSize(tsType);
  if (size === 0 || end - start !== 8 + 2 * size) {
    if (size !== 0) {
      note(context, start + 2, `${name} > length`, `${end - start}, not ${8 + 2 * size}`);
    }
    const body = view(bytes, start + SELECTOR_HEADER, end);
    return { tsType, ipProtocol, startPort: 0, endPort: 0, startAddress: EMPTY, endAddress: EMPTY, body };
  }
  return {
    tsType,
    ipProtocol,
    startPort: readU16(bytes, start + 4),
    endPort: readU16(bytes, start + 6),
    startAddress: view(bytes, start + 8, start + 8 + size),
    endAddress: view(bytes, start + 8 + size, end),
  };
}

export function writeTs(out: Writer, payload: TsPayload): void {
  out.u8(payload.count ?? payload.selectors.length);
  out.u24(payload.reserved3 ?? 0);
  for (const selector of payload.selectors) writeSelector(out, selector);
  if (payload.trailing !== undefined) out.put(payload.trailing);
}

export function writeSelector(out: Writer, selector: TrafficSelector): void {
  const start = out.length;
  out.u8(selector.tsType);
  out.u8(selector.ipProtocol);
  out.u16(0);
  if (selector.body !== undefined) {
    out.put(selector.body);
  } else {
    out.u16(selector.startPort);
    out.u16(selector.endPort);
    out.put(selector.startAddress);
    out.put(selector.endAddress);
  }
  out.patchU16(start + 2, selector.length ?? out.length - start);
}
