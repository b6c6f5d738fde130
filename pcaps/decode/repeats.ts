/** Remembers what was seen lately, to tell that the same octets went the same way before. */
import { hash } from "node:crypto";
import type { End } from "../../harness/lint/seen.ts";

/** Datagrams that are remembered at most, and at least half as many. */
const MOST = 16_384;

/** Two tables that take turns: when one is full, the older one is forgotten and begins anew. */
export class Repeats {
  #young: Fingerprints;
  #old: Fingerprints;

  constructor(most = MOST) {
    this.#young = new Fingerprints(most / 2);
    this.#old = new Fingerprints(most / 2);
  }

  /** The number of the packet that first brought these octets this way; undefined if this one is the first. */
  before(octets: Uint8Array, source: End, destination: End, packet: number): number | undefined {
    const digest = hash("sha1", octets, "binary");
    const high = word(digest, 0) ^ mixed(source) ^ Math.imul(mixed(destination), 31);
    const low = word(digest, 4);
    const known = this.#young.find(high, low) ?? this.#old.find(high, low);
    // What repeats itself is not forgotten.
    if (known !== undefined && this.#young.find(high, low) !== undefined) return known;
    if (this.#young.isFull) {
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.clear();
    }
    this.#young.add(high, low, known ?? packet);
    return known;
  }
}

/**
 * Fingerprints of 64 bits with the number of a packet each. Numbers in a row, and no objects: a capture has millions of
 * packets, and what is made and dropped for each of them fills the memory.
 */
class Fingerprints {
  readonly #mask: number;
  readonly #most: number;
  readonly #high: Int32Array;
  readonly #low: Int32Array;
  /** 0 where a place is free: packets count from 1. */
  readonly #packets: Float64Array;
  #size = 0;

  constructor(most: number) {
    // Half of the places stay free, so that a search is short.
    const places = 2 ** Math.ceil(Math.log2(2 * Math.max(1, most)));
    this.#most = most;
    this.#mask = places - 1;
    this.#high = new Int32Array(places);
    this.#low = new Int32Array(places);
    this.#packets = new Float64Array(places);
  }

  get isFull(): boolean {
    return this.#size >= this.#most;
  }

  find(high: number, low: number): number | undefined {
    return this.#packets[this.#placeOf(high, low)] || undefined;
  }

  add(high: number, low: number, packet: number): void {
    const place = this.#placeOf(high, low);
    this.#high[place] = high;
    this.#low[place] = low;
    this.#packets[place] = packet;
    this.#size++;
  }

  clear(): void {
    this.#packets.fill(0);
    this.#size = 0;
  }

  /** Where it is, or the free place where it would be. */
  #placeOf(high: number, low: number): number {
    let place = low & this.#mask;
    while (this.#packets[place] !== 0 && (this.#high[place] !== high || this.#low[place] !== low))
      place = (place + 1) & this.#mask;
    return place;
  }
}

/** Four octets of a binary string. */
const word = (text: string, at: number): number =>
  (text.charCodeAt(at) << 24) |
  (text.charCodeAt(at + 1) << 16) |
  (text.charCodeAt(at + 2) << 8) |
  text.charCodeAt(at + 3);

/** A number for an end, by the hash of Fowler, Noll and Vo. */
function mixed({ host, port }: End): number {
  let sum = 0x811c9dc5 ^ port;
  for (let i = 0; i < host.length; i++) sum = Math.imul(sum ^ host.charCodeAt(i), 0x01000193);
  return sum;
}
