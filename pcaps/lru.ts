interface Entry<K, V> {
  key: K;
  value: V;
  before: Entry<K, V> | undefined;
  after: Entry<K, V> | undefined;
}

/**
 * A map of so many entries: a new one pushes out the one that was not used for longest. The order is a list of its own,
 * since a Map that is emptied at its front searches longer and longer for its first entry.
 */
export class Lru<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  readonly #most: number;
  #first: Entry<K, V> | undefined;
  #last: Entry<K, V> | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry !== this.#last) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.value;
  }

  /** Gives what had to go for it. */
  set(key: K, value: V): V | undefined {
    this.delete(key);
    const entry: Entry<K, V> = { key, value, before: undefined, after: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    return this.#entries.size > this.#most ? this.shift() : undefined;
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  /** Takes out the entry that was not used for longest. */
  shift(): V | undefined {
    const entry = this.#first;
    if (entry) this.delete(entry.key);
    return entry?.value;
  }

  /** Those that were not used for longest come first; an entry may be taken out while it is looked at. */
  *values(): Generator<V, void, undefined> {
    for (let entry = this.#first; entry; ) {
      const { after } = entry;
      yield entry.value;
      entry = after;
    }
  }

  #append(entry: Entry<K, V>): void {
    entry.before = this.#last;
    entry.after = undefined;
    if (this.#last) this.#last.after = entry;
    else this.#first = entry;
    this.#last = entry;
  }

  #unlink({ before, after }: Entry<K, V>): void {
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
  }
}
