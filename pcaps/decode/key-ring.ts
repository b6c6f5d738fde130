/** All keys at hand, found by the SPIs of what they open. */
import { hex } from "../../harness/wire/bytes.ts";
import { MOST_SETS } from "../key-files/types.ts";
import type { EspSaKeys, IkeSaKeys } from "../keys.ts";
import { type EspKeySet, espKeySet, type IkeKeySet, ikeKeySet, isUnusable } from "./transforms.ts";

/** Key sets of one SA that are kept: the first ones of a file that repeats itself without end. */
const MOST_OF_SA = 64;
const NOTHING: readonly never[] = [];

/** Holds keys of IKE and ESP SAs; a set that is there already is not added again. */
export class KeyRing {
  readonly #ike = new Map<string, IkeKeySet[]>();
  readonly #esp = new Map<number, EspKeySet[]>();
  readonly #known = new Set<string>();

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

  /** All sets, by SA. */
  *ikeSas(): Iterable<readonly IkeKeySet[]> {
    yield* this.#ike.values();
  }

  *espSas(): Iterable<readonly EspKeySet[]> {
    yield* this.#esp.values();
  }
}

const nameOf = (spiI: Uint8Array, spiR: Uint8Array): string => hex(spiI) + hex(spiR);
