/** The SA payload: proposals, transforms, attributes (RFC 7296 section 3.3). */
import { readU16, view, type Writer } from "./bytes.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import type { Proposal, SaPayload, Transform, TransformAttribute } from "./types.ts";

/** Proposals and transforms both begin with 8 octets: last, reserved, length, and 4 of their own. */
const HEADER = 8;
const MORE_PROPOSALS = 2;
/** Last Substruc of a transform that another follows. */
export const MORE_TRANSFORMS = 3;
const ATTRIBUTE_FORMAT = 0x8000;

interface List<T> {
  items: T[];
  /** Where the octets begin that belong to no item. */
  rest: number;
}

/**
 * Walks substructures by their lengths, not by Last Substruc, so that a wrong mark hides nothing. Undefined (with
 * a finding) when a length leads outside the container, unless the item before was marked last: then the rest is
 * left over.
 */
function readList<T extends { last?: number }>(
  context: ReadContext,
  label: string,
  start: number,
  end: number,
  more: number,
  readOne: (context: ReadContext, name: string, start: number, end: number) => T | undefined,
): List<T> | undefined {
  const items: T[] = [];
  let at = start;
  let previous = start;
  while (end - at >= HEADER) {
    const name = label + (items.length + 1);
    const next = at + readU16(context.bytes, at + 2);
    if (next < at + HEADER || next > end) {
      note(context, at + 2, `${name} > length`, `${next - at} does not fit, ${end - at} octets are left`);
      if (items.length > 0 && context.bytes[previous] === 0) break;
      return undefined;
    }
    if (items.length > 0) checkLast(context, label, items, previous, more);
    const item = readOne(context, name, at, next);
    if (item === undefined) return undefined;
    items.push(item);
    previous = at;
    at = next;
  }
  if (items.length > 0) checkLast(context, label, items, previous, 0);
  return { items, rest: at };
}

/** Keeps the Last Substruc field (at `at`) of the newest item where it is not the ordinary one. */
function checkLast(
  context: ReadContext,
  label: string,
  items: { last?: number }[],
  at: number,
  expected: number,
): void {
  const last = context.bytes[at]!;
  if (last === expected) return;
  items[items.length - 1]!.last = last;
  note(context, at, `${label}${items.length} > last`, `Last Substruc is ${last}, expected ${expected}`);
}

/** The body of an SA payload; undefined (with a finding) when a length in it leads outside its container. */
export function readSa(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): SaPayload | undefined {
  const list = readList(context, "SA > proposal ", start, end, MORE_PROPOSALS, readProposal);
  if (list === undefined) return undefined;
  const payload: SaPayload = { kind: "SA", type, proposals: list.items };
  if (list.rest < end) payload.trailing = keepTrailing(context, "SA", list.rest, end);
  if (list.items.length === 0) note(context, start, "SA", "no proposal");
  return payload;
}

/** A view of octets that belong to nothing, with a finding. */
export function keepTrailing(context: ReadContext, name: string, start: number, end: number): Uint8Array {
  note(context, start, `${name} > trailing`, `${end - start} octets that belong to no part`);
  return view(context.bytes, start, end);
}

function readProposal(context: ReadContext, name: string, start: number, end: number): Proposal | undefined {
  const { bytes } = context;
  const transformsAt = start + HEADER + bytes[start + 6]!;
  if (transformsAt > end) {
    note(context, start + 6, `${name} > SPI size`, `an SPI of ${bytes[start + 6]} octets does not fit`);
    return undefined;
  }
  const list = readList(context, `${name} > transform `, transformsAt, end, MORE_TRANSFORMS, readTransform);
  if (list === undefined) return undefined;
  const proposal: Proposal = {
    number: bytes[start + 4]!,
    protocolId: bytes[start + 5]!,
    spi: view(bytes, start + HEADER, transformsAt),
    transforms: list.items,
  };
  const reserved = bytes[start + 1]!;
  if (reserved !== 0) {
    proposal.reserved = reserved;
    noteReserved(context, start + 1, `${name} > reserved`, reserved);
  }
  const count = bytes[start + 7]!;
  if (count !== list.items.length) {
    proposal.transformCount = count;
    note(context, start + 7, `${name} > transform count`, `${count} announced, ${list.items.length} found`);
  }
  if (list.rest < end) proposal.trailing = keepTrailing(context, name, list.rest, end);
  return proposal;
}

/** One transform that fills `start` to `end`, without its Last Substruc; undefined (with a finding) when an attribute does not fit. */
export function readTransform(
  context: ReadContext,
  name: string,
  start: number,
  end: number,
): Transform | undefined {
  const { bytes } = context;
  const transform: Transform = { type: bytes[start + 4]!, id: readU16(bytes, start + 6), attributes: [] };
  const reserved1 = bytes[start + 1]!;
  if (reserved1 !== 0) {
    transform.reserved1 = reserved1;
    noteReserved(context, start + 1, `${name} > reserved1`, reserved1);
  }
  const reserved2 = bytes[start + 5]!;
  if (reserved2 !== 0) {
    transform.reserved2 = reserved2;
    noteReserved(context, start + 5, `${name} > reserved2`, reserved2);
  }
  const rest = readAttributes(context, name, transform.attributes, start + HEADER, end);
  if (rest === undefined) return undefined;
  if (rest < end) transform.trailing = keepTrailing(context, name, rest, end);
  return transform;
}

/** Fills `into`; gives the offset behind the last attribute, undefined (with a finding) when one does not fit. */
export function readAttributes(
  context: ReadContext,
  name: string,
  into: TransformAttribute[],
  start: number,
  end: number,
): number | undefined {
  let at = start;
  while (end - at >= 4) {
    const first = readU16(context.bytes, at);
    const second = readU16(context.bytes, at + 2);
    const type = first & 0x7fff;
    at += 4;
    if (first & ATTRIBUTE_FORMAT) {
      into.push({ type, value: second });
      continue;
    }
    if (second > end - at) {
      const path = `${name} > attribute ${into.length + 1} > length`;
      note(context, at - 2, path, `${second} does not fit, ${end - at} octets are left`);
      return undefined;
    }
    into.push({ type, value: view(context.bytes, at, at + second) });
    at += second;
  }
  return at;
}

export function writeSa(out: Writer, payload: SaPayload): void {
  const { proposals } = payload;
  for (let i = 0; i < proposals.length; i++) {
    writeProposal(out, proposals[i]!, i + 1 < proposals.length ? MORE_PROPOSALS : 0);
  }
  if (payload.trailing !== undefined) out.put(payload.trailing);
}

function writeProposal(out: Writer, proposal: Proposal, last: number): void {
  const start = out.length;
  const { transforms } = proposal;
  out.u8(proposal.last ?? last);
  out.u8(proposal.reserved ?? 0);
  out.u16(0);
  out.u8(proposal.number);
  out.u8(proposal.protocolId);
  out.u8(proposal.spiSize ?? proposal.spi.length);
  out.u8(proposal.transformCount ?? transforms.length);
  out.put(proposal.spi);
  for (let i = 0; i < transforms.length; i++) {
    writeTransform(out, transforms[i]!, i + 1 < transforms.length ? MORE_TRANSFORMS : 0);
  }
  if (proposal.trailing !== undefined) out.put(proposal.trailing);
  out.patchU16(start + 2, proposal.length ?? out.length - start);
}

/** `last` is the ordinary Last Substruc. */
export function writeTransform(out: Writer, transform: Transform, last: number): void {
  const start = out.length;
  out.u8(transform.last ?? last);
  out.u8(transform.reserved1 ?? 0);
  out.u16(0);
  out.u8(transform.type);
  out.u8(transform.reserved2 ?? 0);
  out.u16(transform.id);
  for (const attribute of transform.attributes) writeAttribute(out, attribute);
  if (transform.trailing !== undefined) out.put(transform.trailing);
  out.patchU16(start + 2, transform.length ?? out.length - start);
}

export function writeAttribute(out: Writer, attribute: TransformAttribute): void {
  const { value } = attribute;
  if (typeof value === "number") {
    out.u16(attribute.type | ATTRIBUTE_FORMAT);
    out.u16(value);
    return;
  }
  out.u16(attribute.type & 0x7fff);
  out.u16(attribute.length ?? value.length);
  out.put(value);
}
