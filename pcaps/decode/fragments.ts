/** Puts together the fragments of messages that were seen (RFC 7383), in bounded memory whatever comes. */
import type { SeenIke } from "../../harness/lint/seen.ts";
import { concat, hex } from "../../harness/wire/bytes.ts";
import type { SkfPayload } from "../../harness/wire/types.ts";
import { Lru } from "../lru.ts";

/** A fragment that was opened. */
export interface Fragment {
  /** As it is shown when its message never becomes complete: with the opening `waiting`. */
  seen: SeenIke;
  payload: SkfPayload;
  plaintext: Uint8Array;
}

/** The fragments of one message. */
interface FragmentSet {
  key: string;
  total: number;
  octets: number;
  fragments: Map<number, Fragment>;
}

/** A message whose fragments all came. */
export interface Joined {
  first: Fragment;
  /** Of all fragments, in the order they came. */
  packets: number[];
  /** The packet that completed the first copy, when all fragments of this one are repeats. */
  repeats?: number;
  innerType: number;
  plaintext: Uint8Array;
  /** The fragments as they travelled, by number. */
  pieces: Uint8Array[];
}

export interface Collected {
  whole?: Joined;
  /** Fragments that no message waits for any more. */
  given: SeenIke[];
}

export interface FragmentLimits {
  /** Messages that wait at a time. */
  sets: number;
  /** Octets of inner payloads of one message, and of all that wait. */
  octetsOfMessage: number;
  octets: number;
}

const LIMITS: FragmentLimits = { sets: 512, octetsOfMessage: 1 << 20, octets: 8 << 20 };

export class Fragments {
  readonly #limits: FragmentLimits;
  readonly #sets: Lru<string, FragmentSet>;
  #octets = 0;

  constructor(limits: Partial<FragmentLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#sets = new Lru(Number.POSITIVE_INFINITY);
  }

  /** Takes a fragment; what it completes, or pushes out, is given back. */
  collect(fragment: Fragment): Collected {
    const { fragmentNumber: number, totalFragments: total } = fragment.payload;
    if (number === 0 || number > total) return { given: [fragment.seen] };
    const key = keyOf(fragment.seen);
    const given: SeenIke[] = [];
    let set = this.#sets.get(key);
    // Section 2.6: a larger total begins anew, a smaller one is left aside.
    if (set && total > set.total) {
      given.push(...this.#drop(set));
      set = undefined;
    }
    set ??= { key, total, octets: 0, fragments: new Map() };
    if (total < set.total || set.fragments.has(number)) return { given: [...given, fragment.seen] };
    set.fragments.set(number, fragment);
    this.#sets.set(key, set);
    this.#count(set, fragment.plaintext.length);
    if (set.fragments.size < total) return { given: [...given, ...this.#makeRoom(set)] };
    this.#remove(set);
    return { whole: join(set), given };
  }

  /** What never became complete. */
  end(): SeenIke[] {
    return [...this.#sets.values()].flatMap((set) => this.#drop(set));
  }

  #count(set: FragmentSet, octets: number): void {
    set.octets += octets;
    this.#octets += octets;
  }

  #makeRoom(set: FragmentSet): SeenIke[] {
    const { sets, octetsOfMessage, octets } = this.#limits;
    const given = set.octets > octetsOfMessage ? this.#drop(set) : [];
    while (this.#sets.size > sets || this.#octets > octets) {
      const oldest = this.#sets.shift();
      if (!oldest) break;
      given.push(...this.#drop(oldest));
    }
    return given;
  }

  #remove(set: FragmentSet): void {
    this.#sets.delete(set.key);
    this.#octets -= set.octets;
  }

  #drop(set: FragmentSet): SeenIke[] {
    this.#remove(set);
    return [...set.fragments.values()].map(({ seen }) => seen);
  }
}

/** Fragments belong together by SA, direction and message. */
const keyOf = ({ message: { header } }: SeenIke): string =>
  [hex(header.spiI), hex(header.spiR), header.messageId, header.exchangeType, header.flags].join();

function join({ fragments, total }: FragmentSet): Joined | undefined {
  const arrived = [...fragments.values()];
  const inOrder = Array.from({ length: total }, (_, at) => fragments.get(at + 1));
  const [first] = inOrder;
  if (!first) return undefined;
  const repeats = arrived.map(({ seen }) => seen.repeats);
  return {
    first,
    packets: arrived.flatMap(({ seen }) => seen.packets),
    ...(repeats.every((of) => of !== undefined) && { repeats: Math.max(...repeats) }),
    innerType: first.payload.innerType,
    plaintext: concat(...inOrder.flatMap((fragment) => fragment?.plaintext ?? [])),
    pieces: inOrder.flatMap((fragment) => fragment?.seen.octets ?? []),
  };
}
