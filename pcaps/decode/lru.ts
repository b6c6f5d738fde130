/** A map of so many entries: a new one pushes out the one that was not used for longest. */
export class Lru<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** Gives what had to go for it. */
  set(key: K, value: V): V | undefined {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return this.#entries.size > this.#most ? this.shift() : undefined;
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  /** Takes out the entry that was not used for longest. */
  shift(): V | undefined {
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key);
      return value;
    }
    return undefined;
  }

  values(): Iterable<V> {
    return this.#entries.values();
  }
}
