/** What travels in a TCP connection: the stream of RFC 9329, in both directions. */
import { concat, EMPTY, readU16, u16 } from "./bytes.ts";
import { type Demultiplexed, demultiplex } from "./udp.ts";

/** Begins the stream of the TCP originator, once for each connection (section 4): `IKETCP`. */
export const STREAM_PREFIX: Uint8Array = Uint8Array.of(0x49, 0x4b, 0x45, 0x54, 0x43, 0x50);

/** Octets of the Length field, which it counts itself. */
const LENGTH = 2;
/** Octets of content that a frame can hold. */
export const MOST_CONTENT = 0xffff - LENGTH;

/** More octets than 16 bits of length have room for. */
export interface TooLong {
  error: "length";
  reason: string;
}

export const isTooLong = (result: Uint8Array | TooLong): result is TooLong => !(result instanceof Uint8Array);

/** A frame: Length, then the content, which is IKE behind the non-ESP marker, ESP, or a keepalive. */
export function encodeFrame(content: Uint8Array): Uint8Array | TooLong {
  if (content.length > MOST_CONTENT)
    return { error: "length", reason: `${content.length} octets; a frame holds at most ${MOST_CONTENT}` };
  return concat(u16(content.length + LENGTH), content);
}

/** A frame as it was read. */
export interface StreamFrame {
  /** Of its Length field, in octets from the start of the stream. */
  offset: number;
  /** `empty`: Length 2, to be ignored (section 3); the others as on UDP port 4500. */
  kind: Demultiplexed["kind"] | "empty";
  /** Behind Length: IKE with the non-ESP marker, ESP from its SPI. */
  content: Uint8Array;
}

/** Why a stream cannot be read any further: its connection must be closed (section 3.1). */
export interface StreamFault {
  offset: number;
  field: "prefix" | "length";
  reason: string;
}

type Part = "prefix" | "length" | "content";

/** The first room for a frame's content: what is announced is only believed as it comes. */
const FIRST_ROOM = 2048;

/**
 * Reads a stream as it comes, in pieces of any size. Never throws, and holds no more than one frame beyond the
 * piece it is given.
 */
export class StreamReader {
  #part: Part;
  #wanted: number;
  #room: Uint8Array = EMPTY;
  #have = 0;
  /** Octets of the stream that were taken. */
  #at = 0;
  #fault: StreamFault | undefined;

  /** `prefix`: whether this is the originator's stream, which begins with {@link STREAM_PREFIX}. */
  constructor(options: { prefix: boolean }) {
    this.#part = options.prefix ? "prefix" : "length";
    this.#wanted = options.prefix ? STREAM_PREFIX.length : LENGTH;
  }

  /** Set for good once the stream went wrong. */
  get fault(): StreamFault | undefined {
    return this.#fault;
  }

  /** Octets of a prefix or frame that is not complete yet. */
  get unfinished(): number {
    return this.#have + (this.#part === "content" ? LENGTH : 0);
  }

  /** Takes the next piece and gives the frames that it completes. Behind a fault nothing is read. */
  push(piece: Uint8Array): StreamFrame[] {
    const frames: StreamFrame[] = [];
    for (let from = 0; from < piece.length && !this.#fault; ) {
      const taken = Math.min(this.#wanted - this.#have, piece.length - from);
      this.#keep(piece.subarray(from, from + taken));
      from += taken;
      if (this.#have === this.#wanted) frames.push(...this.#complete());
    }
    return frames;
  }

  #keep(octets: Uint8Array): void {
    const size = this.#have + octets.length;
    if (this.#room.length < size) {
      const room = new Uint8Array(Math.min(this.#wanted, Math.max(size, 2 * this.#room.length, FIRST_ROOM)));
      room.set(this.#room.subarray(0, this.#have));
      this.#room = room;
    }
    this.#room.set(octets, this.#have);
    this.#have = size;
    this.#at += octets.length;
  }

  #complete(): StreamFrame[] {
    const octets = this.#room.subarray(0, this.#have);
    if (this.#part === "prefix") this.#onPrefix(octets);
    else if (this.#part === "length") return this.#onLength(readU16(octets, 0));
    else return this.#onContent(octets);
    return [];
  }

  #next(part: Part, wanted: number): void {
    this.#part = part;
    this.#wanted = wanted;
    this.#room = EMPTY;
    this.#have = 0;
  }

  #onPrefix(octets: Uint8Array): void {
    const right = octets.every((octet, i) => octet === STREAM_PREFIX[i]);
    if (!right) this.#fault = { offset: 0, field: "prefix", reason: "the stream does not begin with IKETCP" };
    this.#next("length", LENGTH);
  }

  #onLength(length: number): StreamFrame[] {
    const offset = this.#at - LENGTH;
    this.#next("length", LENGTH);
    if (length < LENGTH) {
      this.#fault = {
        offset,
        field: "length",
        reason: `a Length of ${length}, which counts its own 2 octets`,
      };
      return [];
    }
    if (length === LENGTH) return [{ offset, kind: "empty", content: EMPTY }];
    this.#next("content", length - LENGTH);
    return [];
  }

  #onContent(content: Uint8Array): StreamFrame[] {
    const offset = this.#at - content.length - LENGTH;
    this.#next("length", LENGTH);
    return [{ offset, kind: demultiplex(content).kind, content }];
  }
}
