/** Reassembly of GSA_REKEY messages in fragments: RFC 9838 section 2.4.1.2, RFC 7383 section 2.6. */
import type { Message, SkfPayload } from "../wire/types.ts";

/** A Rekey SA is one-way: nobody can be asked to begin again, and whoever has its keys can begin any number of sets. */
const MOST_SETS = 4;
const MOST_FRAGMENTS = 255;
const MOST_OCTETS = 65_000;

interface FragmentSet {
  total: number;
  octets: number;
  chunks: Map<number, Uint8Array>;
  /** The datagram of fragment 1, whose header the signature covers. */
  first?: { octets: Uint8Array; innerType: number };
}

export interface Reassembled {
  plaintext: Uint8Array;
  innerType: number;
  /** The datagram of fragment 1. */
  first: Uint8Array;
}

/** The fragments of a Rekey SA that have come so far: of a few messages at a time, the oldest gives way. */
export class RekeyFragments {
  readonly #sets = new Map<number, FragmentSet>();
  /** False for a member that lies: then the sets that came first stay. */
  readonly #dropsOldest: boolean;

  constructor(dropsOldest = true) {
    this.#dropsOldest = dropsOldest;
  }

  /** Octets that are kept. */
  get size(): number {
    return [...this.#sets.values()].reduce((sum, set) => sum + set.octets, 0);
  }

  /** Why this fragment is not looked at; undefined if it is. Asked before it is decrypted. */
  misfit(message: Message, { fragmentNumber, totalFragments, innerType }: SkfPayload): string | undefined {
    const name = `fragment ${fragmentNumber} of ${totalFragments}`;
    if (fragmentNumber === 0 || fragmentNumber > totalFragments) return `there is no ${name}`;
    if (totalFragments > MOST_FRAGMENTS) return `${name}, and more than ${MOST_FRAGMENTS} are not collected`;
    if (fragmentNumber > 1 && innerType !== 0) return `${name} has what belongs to fragment 1`;
    const set = this.#sets.get(message.header.messageId);
    if (set && totalFragments < set.total) return `${name}, of which there are ${set.total}`;
    return set?.total === totalFragments && set.chunks.has(fragmentNumber) ? `${name} was there` : undefined;
  }

  /** Takes an authentic fragment; gives the whole once it is there. */
  add(
    message: Message,
    payload: SkfPayload,
    octets: Uint8Array,
    chunk: Uint8Array,
  ): Reassembled | "wait" | "too long" {
    const { messageId } = message.header;
    const set = this.#setOf(messageId, payload.totalFragments);
    // A copy: a view would keep the whole datagram, and the sender of it may use its buffer again.
    set.chunks.set(payload.fragmentNumber, Uint8Array.from(chunk));
    set.octets += chunk.length;
    if (payload.fragmentNumber === 1)
      set.first = { octets: Uint8Array.from(octets), innerType: payload.innerType };
    if (set.octets > MOST_OCTETS) {
      this.#sets.delete(messageId);
      return "too long";
    }
    if (set.chunks.size < set.total || !set.first) return "wait";
    this.#sets.delete(messageId);
    return { plaintext: joined(set), innerType: set.first.innerType, first: set.first.octets };
  }

  /** RFC 7383 section 2.6: a set with more fragments takes the place of one with fewer. */
  #setOf(messageId: number, total: number): FragmentSet {
    const known = this.#sets.get(messageId);
    if (known?.total === total) return known;
    const set: FragmentSet = { total, octets: 0, chunks: new Map() };
    this.#sets.delete(messageId);
    this.#sets.set(messageId, set);
    const victims = this.#dropsOldest ? [...this.#sets.keys()] : [messageId];
    for (const victim of victims) if (this.#sets.size > MOST_SETS) this.#sets.delete(victim);
    return set;
  }
}

function joined({ chunks, total, octets }: FragmentSet): Uint8Array {
  const out = new Uint8Array(octets);
  let at = 0;
  for (let number = 1; number <= total; number++) {
    const chunk = chunks.get(number);
    if (chunk) out.set(chunk, at);
    at += chunk?.length ?? 0;
  }
  return out;
}
