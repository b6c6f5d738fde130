/** The little of DER (X.690) that is needed below the level of whole certificates. */
import { concat } from "../wire/bytes.ts";

/** An element with its tag and length. */
export interface Element {
  tag: number;
  /** The whole of it. */
  der: Uint8Array;
  content: Uint8Array;
}

/**
 * The elements that follow each other in `octets`; undefined unless they fill it. Reads what DER allows and a
 * certificate uses: tags of one octet, definite lengths.
 */
export function elements(octets: Uint8Array): Element[] | undefined {
  const found: Element[] = [];
  for (let at = 0; at < octets.length; ) {
    const element = elementAt(octets, at);
    if (!element) return undefined;
    found.push(element);
    at += element.der.length;
  }
  return found;
}

/** The content of the constructed element that `octets` are; undefined if they are none, or more than one. */
export function inside(octets: Uint8Array): Element[] | undefined {
  const [outer, ...more] = elements(octets) ?? [];
  return outer && more.length === 0 && (outer.tag & 0x20) !== 0 ? elements(outer.content) : undefined;
}

/** The element that begins at `at`; undefined if there is none that fits. */
export function elementAt(octets: Uint8Array, at: number): Element | undefined {
  const [tag = 0x1f, first = 0x80] = octets.subarray(at, at + 2);
  if ((tag & 0x1f) === 0x1f || first === 0x80 || first > 0x84) return undefined;
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthOctets;
  let length = lengthOctets === 0 ? first : 0;
  for (const octet of octets.subarray(at + 2, start)) length = length * 256 + octet;
  if (start + length > octets.length) return undefined;
  return { tag, der: octets.subarray(at, start + length), content: octets.subarray(start, start + length) };
}

export function encode(tag: number, ...content: Uint8Array[]): Uint8Array {
  const value = concat(...content);
  return concat(Uint8Array.of(tag, ...lengthOf(value.length)), value);
}

/** The shortest length octets. */
export function lengthOf(octets: number): number[] {
  if (octets < 0x80) return [octets];
  const bytes: number[] = [];
  for (let rest = octets; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}
