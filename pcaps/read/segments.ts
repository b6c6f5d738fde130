/** TCP: segments, and one direction of a connection in the order of its octets. */
import { readU32, view } from "../../harness/wire/bytes.ts";
import type { Datagram } from "../types.ts";

const TCP_HEADER = 20;
export const [SYN, RST, ACK] = [0x02, 0x04, 0x10];

/** An end of a connection. */
export type End = Datagram["source"];

/** A segment, with the packet it came in. */
export interface Segment {
  packet: number;
  offset: number;
  timeMs: number;
  source: End;
  destination: End;
  sequence: number;
  acknowledgment: number;
  flags: number;
  /** A view. */
  data: Uint8Array;
}

/** Reads the octets from `from` to `end`; a text says why they are no segment. */
export function readSegment(
  bytes: Uint8Array,
  from: number,
  end: number,
): Pick<Segment, "sequence" | "acknowledgment" | "flags" | "data"> | string {
  const size = end - from;
  if (size < TCP_HEADER) return `a TCP header, of which ${size} octets are there`;
  const header = (bytes[from + 12]! >>> 4) * 4;
  if (header < TCP_HEADER || header > size) return `a TCP header of ${header} octets in ${size}`;
  return {
    sequence: readU32(bytes, from + 4),
    acknowledgment: readU32(bytes, from + 8),
    flags: bytes[from + 13]!,
    data: view(bytes, from + header, end),
  };
}

/** Octets, and segments, that wait for what is missing before them. */
const MOST_WAITING_OCTETS = 1 << 18;
const MOST_WAITING = 256;

interface Waiting {
  sequence: number;
  data: Uint8Array;
}

export class Segments {
  /** Sequence number of the octet that comes next; undefined until something tells it. */
  next: number | undefined;
  /** Octets that wait. */
  octets = 0;
  /** In order; they may overlap. */
  #waiting: Waiting[] = [];

  /** Takes a segment. What was there before is left out, and what came first counts. */
  add(sequence: number, data: Uint8Array): void {
    this.next ??= sequence;
    const ahead = this.#ahead(sequence);
    if (data.length === 0 || ahead + data.length <= 0) return;
    let place = this.#waiting.length;
    while (place > 0 && this.#ahead(this.#waiting[place - 1]!.sequence) > ahead) place--;
    const same = this.#waiting[place - 1];
    if (same?.sequence === sequence && same.data.length >= data.length) return;
    this.#waiting.splice(place, 0, { sequence, data: data.slice() });
    this.octets += data.length;
  }

  /** The next octets, if they are there. */
  take(): Uint8Array | undefined {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const ahead = this.#ahead(first.sequence);
      if (ahead > 0) return undefined;
      this.#waiting.shift();
      this.octets -= first.data.length;
      if (ahead + first.data.length <= 0) continue;
      const data = first.data.subarray(-ahead);
      this.next = ((this.next ?? 0) + data.length) >>> 0;
      return data;
    }
    return undefined;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** More waits than what is missing can still be expected to come. */
  get isFull(): boolean {
    return this.#waiting.length > MOST_WAITING || this.octets > MOST_WAITING_OCTETS;
  }

  /** Goes on behind what is missing, and says how many octets that are. */
  skip(): number {
    const first = this.#waiting[0];
    const missing = first ? Math.max(0, this.#ahead(first.sequence)) : 0;
    this.next = ((this.next ?? 0) + missing) >>> 0;
    return missing;
  }

  clear(): void {
    this.#waiting = [];
    this.octets = 0;
  }

  /** Octets from the next one to that sequence number; negative when it was before. */
  #ahead(sequence: number): number {
    return (sequence - (this.next ?? sequence)) | 0;
  }
}
