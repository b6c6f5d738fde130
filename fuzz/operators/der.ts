/** A small walker over DER that is content with anything, and ways to break what it finds. */
import { elementAt, encode, lengthOf } from "../../harness/pki/der.ts";
import { concat, EMPTY, readU16 } from "../../harness/wire/bytes.ts";
import { clamp, repeat } from "./build.ts";

/** Where a value with its tag and length stands. */
interface Tlv {
  at: number;
  /** Octets of tag and length. */
  header: number;
  length: number;
  /** Index of the one it is in; -1 for none. */
  parent: number;
}

const CONSTRUCTED = 0x20;
const MOST_VALUES = 2_000;

/** All values, outer ones before inner ones; none for octets that are no DER. */
export function walk(octets: Uint8Array): Tlv[] {
  const found: Tlv[] = [];
  const read = (start: number, end: number, parent: number): void => {
    for (let at = start; at < end && found.length < MOST_VALUES; ) {
      const element = elementAt(octets.subarray(0, end), at);
      if (!element) return;
      const { der, content } = element;
      found.push({ at, header: der.length - content.length, length: content.length, parent });
      at += der.length;
    }
  };
  read(0, octets.length, -1);
  for (let i = 0; i < found.length; i++) {
    const { at, header, length } = found[i] ?? { at: 0, header: 0, length: 0 };
    if ((octets[at] ?? 0) & CONSTRUCTED) read(at + header, at + header + length, i);
  }
  return found;
}

/** Tag and shortest length. */
const headerOf = (tag: number, length: number): Uint8Array => Uint8Array.of(tag, ...lengthOf(length));

/** Other octets in the place of a value; the lengths of all around it are right again. */
function replaced(octets: Uint8Array, all: readonly Tlv[], tlv: Tlv, others: Uint8Array): Uint8Array {
  const end = tlv.at + tlv.header + tlv.length;
  const around = all[tlv.parent];
  if (!around) return concat(octets.subarray(0, tlv.at), others, octets.subarray(end));
  const start = around.at + around.header;
  const content = concat(octets.subarray(start, tlv.at), others, octets.subarray(end, start + around.length));
  return replaced(octets, all, around, encode(octets[around.at] ?? 0, content));
}

/** One way to break a value. */
interface Break {
  verb: string;
  effect: string;
  /** What comes in its place; `size` is a number of octets or levels that a change gives. */
  make(value: { tag: number; content: Uint8Array; whole: Uint8Array }, size: number): Uint8Array;
}

/** Levels of a type in itself, without ends where `closed` is false. */
function nested(tag: number, levels: number, closed: boolean): Uint8Array {
  if (!closed) return repeat(Uint8Array.of(tag, 0x80), 2 * levels);
  let inner: Uint8Array = EMPTY;
  const headers: Uint8Array[] = [];
  for (let i = 0, length = 0; i < levels; i++) {
    inner = headerOf(tag, length);
    length += inner.length;
    headers.push(inner);
  }
  return concat(...headers.reverse());
}

const TAGS = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1e, 0x1f, 0x30, 0x31, 0x3f,
  0x80, 0xa0, 0xbf, 0xff,
];

export const BREAKS: readonly Break[] = [
  {
    verb: "length-more",
    effect: "Announces more octets than a DER value has.",
    make: ({ tag, content }, size) => concat(headerOf(tag, content.length + 1 + size), content),
  },
  {
    verb: "length-less",
    effect: "Announces fewer octets than a DER value has.",
    make: ({ tag, content }, size) =>
      concat(headerOf(tag, content.length - 1 - (size % Math.max(1, content.length))), content),
  },
  {
    verb: "length-huge",
    effect: "Announces up to 2^64 octets for a DER value.",
    make({ tag, content }, size) {
      const octets = 1 + (size % 8);
      return concat(Uint8Array.of(tag, 0x80 + octets), new Uint8Array(octets).fill(0xff), content);
    },
  },
  {
    verb: "length-long-form",
    effect: "Writes the length of a DER value with leading zeros.",
    make({ tag, content }, size) {
      const zeros = new Uint8Array(1 + (size % 120));
      const { length } = content;
      const header = Uint8Array.of(tag, 0x80 + zeros.length + 2);
      return concat(header, zeros, Uint8Array.of(length >>> 8, length), content);
    },
  },
  {
    verb: "indefinite",
    effect: "Gives a DER value the indefinite length, with or without its end.",
    make: ({ tag, content }, size) =>
      concat(Uint8Array.of(tag, 0x80), content, size % 2 === 0 ? new Uint8Array(2) : EMPTY),
  },
  {
    verb: "empty",
    effect: "Empties a DER value.",
    make: ({ tag }) => Uint8Array.of(tag, 0),
  },
  {
    verb: "omit",
    effect: "Leaves a DER value out.",
    make: () => EMPTY,
  },
  {
    verb: "repeat",
    effect: "Repeats a DER value, up to hundreds of times.",
    make: ({ whole }, size) =>
      repeat(whole, whole.length * clamp(size, 2, Math.floor(40_000 / Math.max(1, whole.length)) + 2)),
  },
  {
    verb: "tag",
    effect: "Gives a DER value another tag.",
    make({ tag, content }, size) {
      const other = TAGS[size % TAGS.length] ?? 0;
      return encode(other === tag ? other ^ 0x40 : other, content);
    },
  },
  {
    verb: "long",
    effect: "Fills a DER value with thousands of octets, as an endless OID or INTEGER.",
    make: ({ tag }, size) => encode(tag, repeat(Uint8Array.of(0xff), clamp(size, 1, 40_000))),
  },
  {
    verb: "zeros",
    effect: "Fills a DER value with zeros.",
    make: ({ tag, content }, size) => encode(tag, new Uint8Array(content.length + (size % 3))),
  },
  {
    verb: "nested",
    effect: "Puts thousands of levels of SEQUENCE in the place of a DER value.",
    make: (_, size) => nested(0x30, clamp(size, 1, 10_000), true),
  },
  {
    verb: "nested-open",
    effect: "Puts thousands of levels without end in the place of a DER value.",
    make: (_, size) => nested(size % 2 === 0 ? 0x30 : 0x24, clamp(size, 1, 20_000), false),
  },
  {
    verb: "trailing",
    effect: "Adds octets behind a DER value.",
    make: ({ whole }, size) => concat(whole, new Uint8Array(clamp(size, 1, 2_000))),
  },
  {
    verb: "cut",
    effect: "Cuts a DER value short, but not the length that it announces.",
    make: ({ whole }, size) => whole.subarray(0, whole.length - 1 - (size % Math.max(1, whole.length))),
  },
];

/** Breaks the value of this number, counted round and round. Undefined for octets that are no DER. */
export function broken(
  octets: Uint8Array,
  { make }: Break,
  value: number,
  size: number,
): Uint8Array | undefined {
  const all = walk(octets);
  const tlv = all[((value % all.length) + all.length) % all.length];
  if (!tlv) return undefined;
  const whole = octets.subarray(tlv.at, tlv.at + tlv.header + tlv.length);
  const part = { tag: whole[0] ?? 0, content: whole.subarray(tlv.header), whole };
  return replaced(octets, all, tlv, make(part, size));
}

/** The size in the octets of a change. */
export const sizeIn = (octets: Uint8Array): number => readU16(octets, 0);
