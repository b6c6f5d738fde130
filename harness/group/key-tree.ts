/**
 * A logical key hierarchy (RFC 9838 section 3.2, appendix A): members are leaves, each knows the keys from its leaf up
 * to the top. The root is no key of the tree but the Rekey SA's KEYMAT, which is wrapped with each of the top keys.
 */

export interface TreeKey {
  /** 1 to 2^32 - 1. */
  id: number;
  key: Uint8Array;
}

/** `key`, to be wrapped with `by`. */
export interface Wrap {
  key: TreeKey;
  by: TreeKey;
}

interface Node extends TreeKey {
  /** Members below. */
  members: number;
  /** True while members below do not know its key: it was put in above them when the tree grew. */
  unknown: boolean;
}

export interface KeyTreeOptions {
  /** Children of a node. */
  degree: number;
  /** A fresh key of the size that the key wrap algorithm wants. */
  makeKey(): Uint8Array;
  /** Members for which there is room without growing; not set: one for each child of the root. */
  capacity?: number;
}

export class KeyTree {
  readonly #degree: number;
  readonly #makeKey: () => Uint8Array;
  /** Nodes by their place, for each level; leaves are level 0, the children of the root the last one. */
  readonly #levels: Map<number, Node>[] = [new Map()];
  readonly #places = new Map<string, number>();
  readonly #free: number[] = [];
  /** Places from here on were never taken. */
  #untouched = 0;
  #nextId = 1;

  constructor({ degree, makeKey, capacity = 1 }: KeyTreeOptions) {
    this.#degree = degree;
    this.#makeKey = makeKey;
    while (this.#capacity < capacity) this.#levels.push(new Map());
  }

  /** Members. */
  get size(): number {
    return this.#places.size;
  }

  get #capacity(): number {
    return this.#degree ** this.#levels.length;
  }

  /** Lets a member in. Its keys from the top to its leaf; the same ones if it is in already. */
  join(member: string): TreeKey[] {
    const known = this.path(member);
    if (known) return known;
    const place = this.#free.pop() ?? this.#untouched++;
    if (place >= this.#capacity) this.#grow();
    this.#places.set(member, place);
    for (const [level, nodes] of this.#levels.entries()) {
      const index = this.#indexAt(place, level);
      const node = nodes.get(index) ?? this.#node();
      node.members++;
      nodes.set(index, node);
    }
    return this.#pathOf(place);
  }

  /** The keys of a member from the top to its leaf. */
  path(member: string): TreeKey[] | undefined {
    const place = this.#places.get(member);
    return place === undefined ? undefined : this.#pathOf(place);
  }

  /**
   * Puts a member out and renews every key it knew. What others need to know the new ones, in the order in which
   * their users find them: from the top down. Together with {@link tops} that reaches all who stay, and not it.
   */
  leave(member: string): Wrap[] {
    const place = this.#places.get(member);
    if (place === undefined) return [];
    this.#places.delete(member);
    this.#free.push(place);
    for (const [level, nodes] of [...this.#levels.entries()].reverse())
      this.#renew(nodes, this.#indexAt(place, level));
    const renewed = this.#topDown((level) => [this.#indexAt(place, level)]);
    return [...this.#deliverUnknown(), ...renewed];
  }

  /** The keys with which the KEYMAT of the Rekey SA reaches everybody. */
  tops(): TreeKey[] {
    return this.#children(this.#levels.length, 0);
  }

  #grow(): void {
    const node = this.#node();
    node.members = this.size;
    node.unknown = true;
    this.#levels.push(new Map([[0, node]]));
  }

  #node(): Node {
    return { id: this.#nextId++, key: this.#makeKey(), members: 0, unknown: false };
  }

  #indexAt(place: number, level: number): number {
    return Math.floor(place / this.#degree ** level);
  }

  #pathOf(place: number): TreeKey[] {
    return this.#levels.flatMap((nodes, level) => nodes.get(this.#indexAt(place, level)) ?? []).reverse();
  }

  /** A node under which somebody stays gets another key, once its leaf is gone. */
  #renew(nodes: Map<number, Node>, index: number): void {
    const node = nodes.get(index);
    if (!node) return;
    if (node.members === 1) nodes.delete(index);
    else nodes.set(index, { ...this.#node(), members: node.members - 1 });
  }

  #children(level: number, index: number): Node[] {
    const below = this.#levels[level - 1];
    const places = Array.from({ length: this.#degree }, (_, child) => index * this.#degree + child);
    return places.flatMap((place) => below?.get(place) ?? []);
  }

  /** Wraps the keys of these nodes with those of their children. */
  #topDown(indexes: (level: number) => number[]): Wrap[] {
    const wraps: Wrap[] = [];
    for (let level = this.#levels.length - 1; level > 0; level--) {
      for (const index of indexes(level)) {
        const key = this.#levels[level]?.get(index);
        if (key) wraps.push(...this.#children(level, index).map((by) => ({ key, by })));
      }
    }
    return wraps;
  }

  /** Growth puts nodes in at place 0 of a level only. */
  #deliverUnknown(): Wrap[] {
    const wraps = this.#topDown((level) => (this.#levels[level]?.get(0)?.unknown ? [0] : []));
    for (const nodes of this.#levels) {
      const first = nodes.get(0);
      if (first) first.unknown = false;
    }
    return wraps;
  }
}
