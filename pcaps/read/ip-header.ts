/** The headers of IP, as places in a packet: one object for all packets, so that reading a million allocates nothing. */
import { readU16, readU32 } from "../../harness/wire/bytes.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** What the length field of IPv6 can hold. */
const LONGEST = 0xffff;
const FRAGMENT = 44;
/** Headers of IPv6 that carry their own length: hop-by-hop, routing, destination, mobility, HIP, shim6. */
const EXTENSIONS: readonly number[] = [0, 43, 60, 135, 139, 140];
/** A packet has at most a handful; more are there to cost time. */
const MOST_EXTENSIONS = 32;

export class IpHeader {
  version: 4 | 6 = 4;
  /** Of the payload, behind the extension headers. */
  protocol = 0;
  addressSize: 4 | 16 = 4;
  sourceAt = 0;
  destinationAt = 0;
  /** The payload; the end is where the length says it is, or where the data end. */
  from = 0;
  end = 0;
  /** Octets of the payload that the data do not have. */
  missing = 0;
  /** For all but a piece of a datagram false. */
  fragment = false;
  /** Of a piece: its place in the payload in octets, and whether more follow. */
  pieceAt = 0;
  more = false;
  identification = 0;

  /** Reads what is at `at`; a text says why it is no IP packet. */
  read(data: Uint8Array, at: number): string | undefined {
    const version = (data[at] ?? 0) >>> 4;
    if (version === 4) return this.#readV4(data, at);
    if (version === 6) return this.#readV6(data, at);
    return at < data.length ? `IP version ${version}` : "no IP packet behind the link's header";
  }

  #readV4(data: Uint8Array, at: number): string | undefined {
    const header = (data[at]! & 0x0f) * 4;
    if (header < IPV4_HEADER) return `an IPv4 header of ${header} octets`;
    if (header > data.length - at) return `an IPv4 header of ${header} octets, ${data.length - at} are there`;
    const total = readU16(data, at + 2);
    if (total !== 0 && total < header) return `an IPv4 packet of ${total} octets with a header of ${header}`;
    this.version = 4;
    this.protocol = data[at + 9]!;
    this.addressSize = 4;
    this.sourceAt = at + 12;
    this.destinationAt = at + 16;
    const flags = readU16(data, at + 6);
    this.fragment = (flags & 0x3fff) !== 0;
    this.pieceAt = (flags & 0x1fff) * 8;
    this.more = (flags & 0x2000) !== 0;
    this.identification = readU16(data, at + 4);
    this.#limit(data, at + header, at + total, total > 0);
    return undefined;
  }

  #readV6(data: Uint8Array, at: number): string | undefined {
    if (data.length - at < IPV6_HEADER)
      return `an IPv6 header of ${IPV6_HEADER} octets, ${data.length - at} are there`;
    const length = readU16(data, at + 4);
    this.version = 6;
    this.protocol = data[at + 6]!;
    this.addressSize = 16;
    this.sourceAt = at + 8;
    this.destinationAt = at + 24;
    this.fragment = false;
    this.pieceAt = 0;
    this.more = false;
    const from = at + IPV6_HEADER;
    this.#limit(data, from, from + length, length > 0 || data.length - from <= LONGEST);
    return this.#skipExtensions(data);
  }

  /** Where a network card cuts packets up, they are seen before, and their length is not `known`: the field has 0. */
  #limit(data: Uint8Array, from: number, end: number, known: boolean): void {
    this.from = from;
    this.end = known ? Math.min(end, data.length) : data.length;
    this.missing = known ? Math.max(0, end - data.length) : 0;
  }

  #skipExtensions(data: Uint8Array): string | undefined {
    for (let count = 0; EXTENSIONS.includes(this.protocol) || this.protocol === FRAGMENT; count++) {
      if (count === MOST_EXTENSIONS) return `more than ${MOST_EXTENSIONS} IPv6 extension headers`;
      const at = this.from;
      const isFragment = this.protocol === FRAGMENT;
      const size = isFragment ? 8 : 8 * ((data[at + 1] ?? 0) + 1);
      if (this.end - at < size)
        return `an IPv6 extension header of ${size} octets, ${this.end - at} are there`;
      if (isFragment) this.#readFragment(data, at);
      this.protocol = data[at]!;
      this.from = at + size;
      // What follows in a later piece is no header.
      if (this.pieceAt > 0) return undefined;
    }
    return undefined;
  }

  #readFragment(data: Uint8Array, at: number): void {
    const field = readU16(data, at + 2);
    this.pieceAt = field & 0xfff8;
    this.more = (field & 1) !== 0;
    // One that is alone is no piece (RFC 6946).
    this.fragment = this.pieceAt > 0 || this.more;
    this.identification = readU32(data, at + 4);
  }
}
