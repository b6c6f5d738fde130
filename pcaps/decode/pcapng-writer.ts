/** Writes pcapng: what classic pcap has no room for is several link types and a comment on each packet. */
import { concat } from "../../harness/wire/bytes.ts";

/** A packet to be written. */
export interface TwinPacket {
  kind: "packet";
  linkType: number;
  /** Milliseconds since 1970. */
  timeMs: number;
  data: Uint8Array;
  /** Octets it had on the wire. */
  originalLength: number;
  comment: string;
  /** `closed`: something in it could not be opened. */
  outcome: "decrypted" | "as it was" | "closed";
}

const [SECTION, INTERFACE, ENHANCED] = [0x0a0d0d0a, 1, 6];
const COMMENT = 1;
const MAX_OPTION = 0xffff;

/** Makes the blocks of one section, little endian, times in microseconds. */
export class PcapngWriter {
  /** Link type of each interface. */
  readonly #interfaces: number[] = [];

  /** The block that begins the file. */
  start(comment: string): Uint8Array {
    const version = [0x1a2b3c4d, 1, 0xffffffff, 0xffffffff];
    return block(SECTION, concat(words(...version), options(comment)));
  }

  /** The block of a packet; in front of it that of its interface, if it is the first with its link type. */
  packet({
    linkType,
    timeMs,
    data,
    originalLength,
    comment,
  }: Omit<TwinPacket, "kind" | "outcome">): Uint8Array {
    const known = this.#interfaces.indexOf(linkType);
    const index = known >= 0 ? known : this.#interfaces.push(linkType) - 1;
    const timeUs = Math.round(timeMs * 1000);
    const times = [Math.floor(timeUs / 2 ** 32), timeUs % 2 ** 32];
    const fields = words(index, ...times, data.length, originalLength);
    const body = concat(fields, padded(data), options(comment));
    return concat(known >= 0 ? new Uint8Array(0) : interfaceBlock(linkType), block(ENHANCED, body));
  }
}

/** No limit of packet lengths; without options, times are in microseconds. */
const interfaceBlock = (linkType: number): Uint8Array => block(INTERFACE, words(linkType, 0));

function block(type: number, body: Uint8Array): Uint8Array {
  const length = 12 + body.length;
  return concat(words(type, length), body, words(length));
}

function options(comment: string): Uint8Array {
  const text = new TextEncoder().encode(comment).subarray(0, MAX_OPTION);
  return concat(words(COMMENT | (text.length << 16)), padded(text), words(0));
}

function padded(octets: Uint8Array): Uint8Array {
  return concat(octets, new Uint8Array(-octets.length & 3));
}

function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, true);
  return new Uint8Array(view.buffer);
}
