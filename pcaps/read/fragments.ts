/** Puts IP datagrams together again (RFC 791, RFC 8200 section 4.5). What is kept is bounded, whatever a capture has. */
import { equal } from "../../harness/wire/bytes.ts";

/** Datagrams under way at the same time; the one that waited longest goes first. */
const MOST_DATAGRAMS = 1024;
/** Octets of all of them, what it takes to keep a piece included. */
const MOST_OCTETS = 8 << 20;
const COST_OF_PIECE = 200;
const LONGEST_DATAGRAM = 65_535;
/** By the clock of the capture (RFC 8200 section 4.5). */
const TIMEOUT_MS = 60_000;

/** A fragment, as its headers tell. */
export interface Piece {
  /** Source, destination, protocol and identification: equal for the pieces of a datagram. */
  name: string;
  /** What is in the datagram. */
  protocol: number;
  /** In octets from the start of the payload. */
  at: number;
  more: boolean;
  /** May be a view: what is kept is copied. */
  data: Uint8Array;
  timeMs: number;
}

interface Held {
  protocol: number;
  /** By their place, which is all different. */
  pieces: { at: number; data: Uint8Array }[];
  octets: number;
  /** Of the payload, once the last piece came. */
  length: number | undefined;
  cost: number;
  lastMs: number;
  /** Where its last piece was seen. */
  seen: Seen;
  /** It is damaged, and what else comes of it is dropped (RFC 5722). */
  broken: boolean;
}

interface Seen {
  packet: number;
  offset: number;
}

/** A datagram that will not become whole any more. */
export interface Incomplete extends Seen {
  protocol: number;
  /** The octets from its start that are there; empty where the first piece is not. */
  head: Uint8Array;
  reason: string;
}

/** `whole`: the payload; `fault`: the datagram is dropped. Not set: more is to come. */
export type Joined = { whole: Uint8Array } | { fault: string } | undefined;

export class Fragments {
  /** In the order in which their last pieces came. */
  readonly #held = new Map<string, Held>();
  readonly #givenUp: (incomplete: Incomplete) => void;
  #cost = 0;

  /** `givenUp` is told of every datagram that is dropped for want of its pieces. */
  constructor(givenUp: (incomplete: Incomplete) => void) {
    this.#givenUp = givenUp;
  }

  add(piece: Piece, seen: Seen): Joined {
    this.#expire(piece.timeMs);
    const held = this.#held.get(piece.name) ?? newHeld(piece.protocol, seen);
    // What is broken grows old, however much of it comes: its identification may be used again.
    if (held.broken) return undefined;
    this.#held.delete(piece.name);
    this.#held.set(piece.name, held);
    held.lastMs = piece.timeMs;
    held.seen = seen;
    const fault = insert(held, piece);
    if (fault !== undefined) this.#break(held);
    this.#account(held);
    if (fault !== undefined) return { fault };
    if (held.octets === held.length) return { whole: this.#finish(piece.name, held) };
    return undefined;
  }

  /** No more pieces come. */
  end(): void {
    for (const [name, held] of this.#held) this.#drop(name, held, "when the capture ends");
  }

  #expire(nowMs: number): void {
    for (const [name, held] of this.#held) {
      if (nowMs - held.lastMs <= TIMEOUT_MS) return;
      this.#drop(name, held, `after ${TIMEOUT_MS / 1000} seconds`);
    }
  }

  /** Sees to it that the bounds are kept. */
  #account(held: Held): void {
    const cost = COST_OF_PIECE * (1 + held.pieces.length) + held.octets;
    this.#cost += cost - held.cost;
    held.cost = cost;
    const isWithin = () => this.#held.size <= MOST_DATAGRAMS && this.#cost <= MOST_OCTETS;
    if (isWithin()) return;
    for (const [name, oldest] of this.#held) {
      if (isWithin()) return;
      this.#drop(name, oldest, "when too many others are under way");
    }
  }

  #break(held: Held): void {
    held.broken = true;
    held.pieces = [];
    held.octets = 0;
  }

  #finish(name: string, held: Held): Uint8Array {
    this.#forget(name, held);
    const whole = new Uint8Array(held.octets);
    for (const { at, data } of held.pieces) whole.set(data, at);
    return whole;
  }

  #drop(name: string, held: Held, when: string): void {
    this.#forget(name, held);
    if (held.broken) return;
    const first = held.pieces[0];
    const head = first?.at === 0 ? first.data : new Uint8Array(0);
    const of = held.length === undefined ? "" : ` of ${held.length}`;
    const reason = `an IP datagram in fragments is not complete ${when}: ${held.octets}${of} octets are there`;
    this.#givenUp({ ...held.seen, protocol: held.protocol, head, reason });
  }

  #forget(name: string, held: Held): void {
    this.#held.delete(name);
    this.#cost -= held.cost;
  }
}

const newHeld = (protocol: number, seen: Seen): Held => ({
  protocol,
  pieces: [],
  octets: 0,
  length: undefined,
  cost: 0,
  lastMs: 0,
  seen,
  broken: false,
});

/** Why the datagram cannot be put together, if so. An exact repetition is left out. */
function insert(held: Held, { at, more, data }: Piece): string | undefined {
  const end = at + data.length;
  if (data.length === 0) return "an IP fragment without content";
  if (end > LONGEST_DATAGRAM) return `an IP fragment that ends at ${end}, behind ${LONGEST_DATAGRAM} octets`;
  if (more && data.length % 8 !== 0) return `an IP fragment of ${data.length} octets before the last one`;
  const place = placeOf(held.pieces, at);
  const there = held.pieces[place];
  const isEnd = (length: number) => (more ? end < length : end === length);
  if (held.length !== undefined && !isEnd(held.length))
    return `an IP fragment that ends at ${end}${more ? " with more behind it" : ""}, of a datagram of ${held.length} octets`;
  if (there?.at === at && equal(there.data, data)) return undefined;
  const before = held.pieces[place - 1];
  if ((before && before.at + before.data.length > at) || (there && there.at < end))
    return `IP fragments overlap at octet ${at}`;
  if (!more && place < held.pieces.length) return `an IP fragment behind the last one, which ends at ${end}`;
  if (!more) held.length = end;
  held.pieces.splice(place, 0, { at, data: data.slice() });
  held.octets += data.length;
  return undefined;
}

/** Index of the first piece that is not before `at`. */
function placeOf(pieces: Held["pieces"], at: number): number {
  let [low, high] = [0, pieces.length];
  // They mostly come in order.
  if (high > 0 && pieces[high - 1]!.at < at) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pieces[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
