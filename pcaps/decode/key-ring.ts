/** All keys at hand, found by the SPIs of what they open. */
import { EMPTY, hex } from "../../harness/wire/bytes.ts";
import { MOST_SETS, type UnboundKeys } from "../key-files/types.ts";
import type { EspSaKeys, IkeSaKeys } from "../keys.ts";
import { Lru } from "../lru.ts";
import { type EspKeySet, espKeySet, type IkeKeySet, ikeKeySet, isUnusable } from "./transforms.ts";

/** Key sets of one SA that are kept: the first ones of a file that repeats itself without end. */
const MOST_OF_SA = 64;
/** Messages of an SA without keys that are tried with unbound keys, SAs that this is counted for, and trials in all. */
const MOST_TRIED = 4;
const MOST_STRANGERS = 16_384;
const MOST_TRIALS = 500_000;
const NOTHING: readonly never[] = [];

/** Holds keys of IKE and ESP SAs; a set that is there already is not added again. */
export class KeyRing {
  readonly #ike = new Map<string, IkeKeySet[]>();
  readonly #esp = new Map<number, EspKeySet[]>();
  readonly #known = new Set<string>();
  /** Keys without SPIs, each with the transforms they may belong to; bound ones are taken out. */
  readonly #unbound: (readonly IkeKeySet[])[] = [];
  /** Where the next search begins: SAs come in the order of their keys. */
  #next = 0;
  #trials = 0;
  readonly #strangers = new Lru<string, number>(MOST_STRANGERS);

  /** How many sets there are: generations of IKE SAs, and ESP SAs. */
  size = 0;

  /** Adds a generation of an IKE SA, newer than those before. Gives why it cannot be used, if so. */
  addIke(keys: IkeSaKeys): string | undefined {
    const set = ikeKeySet(keys);
    if (isUnusable(set)) return set.reason;
    const octets = [keys.SK_ei, keys.SK_er, keys.SK_ai, keys.SK_ar].map(hex);
    const name = nameOf(keys.spiI, keys.spiR);
    return this.#add(this.#ike, name, set, ["ike", name, keys.encrId, keys.integId, ...octets].join());
  }

  /** Adds an ESP SA. Gives why it cannot be used, if so. */
  addEsp(keys: EspSaKeys): string | undefined {
    const set = espKeySet(keys);
    if (isUnusable(set)) return set.reason;
    const octets = [keys.encrKey, keys.integKey].map(hex);
    return this.#add(
      this.#esp,
      keys.spi,
      set,
      ["esp", keys.spi, keys.encrId, keys.integId, ...octets].join(),
    );
  }

  /** Adds keys of an unknown IKE SA, with all transforms they may belong to. Gives why they cannot be used, if so. */
  addUnbound(candidates: readonly UnboundKeys[]): string | undefined {
    const sets = candidates
      .map((keys) => ikeKeySet({ spiI: EMPTY, spiR: EMPTY, ...keys }))
      .flatMap((set) => (isUnusable(set) ? [] : [set]));
    const [first] = sets;
    if (!first) return "the keys fit no transforms that are known here";
    const { SK_ei, SK_er, SK_ai, SK_ar } = first.keys;
    const identity = ["unbound", ...[SK_ei, SK_er, SK_ai, SK_ar].map(hex)].join();
    if (this.#known.has(identity)) return undefined;
    if (this.size >= MOST_SETS) return `more than ${MOST_SETS} sets of keys are not kept`;
    this.#known.add(identity);
    this.size++;
    this.#unbound.push(sets);
    return undefined;
  }

  /**
   * Finds the unbound keys that open a message of this SA, and binds them to it: they become its newest generation.
   * The work for SAs that have none is bounded, for each and in all.
   */
  bind(spiI: Uint8Array, spiR: Uint8Array, opens: (keys: IkeKeySet) => boolean): IkeKeySet | undefined {
    const count = this.#unbound.length;
    if (count === 0 || this.#trials > MOST_TRIALS) return undefined;
    const name = nameOf(spiI, spiR);
    const tried = this.#strangers.get(name) ?? 0;
    if (tried >= MOST_TRIED) return undefined;
    for (let step = 0; step < count; step++) {
      const at = (this.#next + step) % count;
      const found = this.#unbound[at]?.find((set) => ++this.#trials && opens(set));
      if (found) return this.#bound(at, { ...found, keys: { ...found.keys, spiI, spiR } });
    }
    this.#strangers.set(name, tried + 1);
    return undefined;
  }

  #bound(at: number, set: IkeKeySet): IkeKeySet {
    const { spiI, spiR } = set.keys;
    const name = nameOf(spiI, spiR);
    this.#unbound.splice(at, 1);
    this.#next = at;
    this.#strangers.delete(name);
    this.#ike.set(name, [...(this.#ike.get(name) ?? []), set]);
    return set;
  }

  #add<K, S>(sets: Map<K, S[]>, of: K, set: S, identity: string): string | undefined {
    if (this.#known.has(identity)) return undefined;
    const found = sets.get(of) ?? [];
    if (this.size >= MOST_SETS) return `more than ${MOST_SETS} sets of keys are not kept`;
    if (found.length >= MOST_OF_SA) return `more than ${MOST_OF_SA} sets of keys for one SA are not kept`;
    this.#known.add(identity);
    this.size++;
    sets.set(of, [...found, set]);
    return undefined;
  }

  /** The generations of an IKE SA, the oldest first. */
  ikeOf(spiI: Uint8Array, spiR: Uint8Array): readonly IkeKeySet[] {
    return this.#ike.size === 0 ? NOTHING : (this.#ike.get(nameOf(spiI, spiR)) ?? NOTHING);
  }

  /** The ESP SAs with this SPI: several ends of a network may have chosen the same. */
  espOf(spi: number): readonly EspKeySet[] {
    return this.#esp.get(spi) ?? NOTHING;
  }
}

const nameOf = (spiI: Uint8Array, spiR: Uint8Array): string => hex(spiI) + hex(spiR);
