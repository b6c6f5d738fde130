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
  /** The packet that completed the same message before. */
  completeIn?: number;
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
  /** The packets that completed messages. */
  readonly #complete: Lru<string, number>;
  /** What came of a message once more, fragment by fragment with nothing between them; and the packet of the last. */
  #again: { set: FragmentSet; packet: number | undefined } | undefined;
  #octets = 0;

  constructor(limits: Partial<FragmentLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#sets = new Lru(Number.POSITIVE_INFINITY);
    this.#complete = new Lru(this.#limits.sets);
  }

  /** Takes a fragment; what it completes, or pushes out, is given back. */
  collect(fragment: Fragment): Collected {
    const { fragmentNumber: number, totalFragments: total } = fragment.payload;
    if (number === 0 || number > total) return { given: [fragment.seen] };
    const key = keyOf(fragment.seen);
    const given: SeenIke[] = [];
    let set = this.#sets.get(key);
    // Section 2.6: a larger total begins anew, a smaller one is left aside.
    const isOneMore = set !== undefined && set === this.#again?.set && set.fragments.has(number);
    if (set && (total > set.total || isOneMore)) {
      given.push(...this.#drop(set));
      set = undefined;
    }
    set ??= this.#begin(key, total);
    if (total < set.total || set.fragments.has(number)) return { given: [...given, fragment.seen] };
    set.fragments.set(number, fragment);
    this.#sets.set(key, set);
    this.#count(set, fragment.plaintext.length);
    this.#look(set, fragment);
    if (set.fragments.size < total) return { given: [...given, ...this.#makeRoom(set)] };
    this.#remove(set);
    this.#complete.set(key, fragment.seen.packets.at(-1) ?? 0);
    return { whole: join(set), given };
  }

  /**
   * Repeated fragments of a message that was complete, once this packet is no further one of them: to wait for the rest
   * would show them out of their time.
   */
  late(packet: number): SeenIke[] {
    return this.#again && this.#again.packet !== packet ? this.#drop(this.#again.set) : [];
  }

  /** What never became complete. */
  end(): SeenIke[] {
    return [...this.#sets.values()].flatMap((set) => this.#drop(set));
  }

  #begin(key: string, total: number): FragmentSet {
    const completeIn = this.#complete.get(key);
    return { key, total, octets: 0, fragments: new Map(), ...(completeIn !== undefined && { completeIn }) };
  }

  /** One whose octets are new may be of another message: its set waits as any. */
  #look(set: FragmentSet, { seen }: Fragment): void {
    const isFirst = set.completeIn !== undefined && set.fragments.size === 1;
    if (seen.repeats !== undefined && (isFirst || this.#again?.set === set))
      this.#again = { set, packet: seen.packets.at(-1) };
    else if (this.#again?.set === set) this.#again = undefined;
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
    if (this.#again?.set === set) this.#again = undefined;
  }

  #drop(set: FragmentSet): SeenIke[] {
    this.#remove(set);
    const { completeIn, fragments } = set;
    return [...fragments.values()].map(({ seen }) =>
      completeIn === undefined ? seen : { ...seen, completeIn },
    );
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
