/** What the substructures of GSA and KD have in common (RFC 9838 sections 4.4 and 4.5). */
import { readU16, type Writer } from "./bytes.ts";
import { note, noteReserved, type ReadContext } from "./context.ts";
import { keepTrailing, readAttributes, writeAttribute } from "./sa.ts";
import type { TransformAttribute } from "./types.ts";

/** Two octets of the kind's own, then Length. */
export const SUBSTRUCTURE_HEADER = 4;

/** What follows the fixed part of a substructure. */
interface Tail {
  attributes: TransformAttribute[];
  length?: number;
  trailing?: Uint8Array;
}

/**
 * Walks substructures by their lengths. `rest` is where the octets begin that belong to none. Undefined (with a
 * finding) when one leads outside, or when `readOne` cannot read it.
 */
export function readSubstructures<T>(
  context: ReadContext,
  label: string,
  start: number,
  end: number,
  readOne: (context: ReadContext, name: string, start: number, end: number) => T | undefined,
): { items: T[]; rest: number } | undefined {
  const items: T[] = [];
  let at = start;
  while (end - at >= SUBSTRUCTURE_HEADER) {
    const name = `${label} ${items.length + 1}`;
    const next = at + readU16(context.bytes, at + 2);
    if (next < at + SUBSTRUCTURE_HEADER || next > end) {
      note(context, at + 2, `${name} > length`, `${next - at} does not fit, ${end - at} octets are left`);
      return undefined;
    }
    const item = readOne(context, name, at, next);
    if (item === undefined) return undefined;
    items.push(item);
    at = next;
  }
  return { items, rest: at };
}

/** Where the SPI ends; undefined (with a finding) when SPI Size, the second octet, leads outside. */
export function spiEnd(context: ReadContext, name: string, start: number, end: number): number | undefined {
  const size = context.bytes[start + 1]!;
  const behind = start + SUBSTRUCTURE_HEADER + size;
  if (behind <= end) return behind;
  note(context, start + 1, `${name} > SPI size`, `an SPI of ${size} octets does not fit`);
  return undefined;
}

/** Fills in the attributes up to `end`; false (with a finding) when one does not fit. */
export function readTail(
  context: ReadContext,
  name: string,
  into: Tail,
  start: number,
  end: number,
): boolean {
  const rest = readAttributes(context, name, into.attributes, start, end);
  if (rest === undefined) return false;
  if (rest < end) into.trailing = keepTrailing(context, name, rest, end);
  return true;
}

/** A substructure of protocol 0: RESERVED in the place of SPI Size, then attributes. */
export function readReservedOne<T extends Tail & { reserved?: number }>(
  context: ReadContext,
  name: string,
  item: T,
  start: number,
  end: number,
): T | undefined {
  const reserved = context.bytes[start + 1]!;
  if (reserved !== 0) {
    item.reserved = reserved;
    noteReserved(context, start + 1, `${name} > reserved`, reserved);
  }
  return readTail(context, name, item, start + SUBSTRUCTURE_HEADER, end) ? item : undefined;
}

/** Header, what `body` writes, attributes and what trails them. */
export function writeSubstructure(
  out: Writer,
  first: number,
  second: number,
  item: Tail,
  body: () => void,
): void {
  const start = out.length;
  out.u8(first);
  out.u8(second);
  out.u16(0);
  body();
  for (const attribute of item.attributes) writeAttribute(out, attribute);
  if (item.trailing !== undefined) out.put(item.trailing);
  out.patchU16(start + 2, item.length ?? out.length - start);
}
