/** Compares two lists of parts: payloads of two messages, transforms of two proposals, fields of two selectors. */
import { PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import { pairInOrder, unlikeness } from "./pairing.ts";
import type { Part } from "./part.ts";
import type { Found } from "./types.ts";

/** The differences between two lists; `above` is the path they stand at. */
export function compareParts(a: readonly Part[], b: readonly Part[], above: string): Found[] {
  const groups = groupsOf({ a, b });
  const byPlace = groups.flatMap((group) => group.pairs).sort((x, y) => x.a - y.a);
  return [
    ...byPlace
      .filter((pair) => a[pair.a]!.key !== b[pair.b]!.key)
      .flatMap((pair) => comparePair(a[pair.a]!, b[pair.b]!, within(above, pair.group.labelOf(pair)))),
    ...groups.flatMap((group) => group.lone("a").map((one) => loneFinding(one, above, "missing"))),
    ...groups.flatMap((group) => group.lone("b").map((one) => loneFinding(one, above, "added"))),
    ...orderFindings(a, b, byPlace, above),
  ];
}

const within = (above: string, label: string): string => `${above}${PATH_SEPARATOR}${label}`;

function comparePair(a: Part, b: Part, path: string): Found[] {
  if (a.closed !== b.closed)
    return [{ kind: "changed", path, a: a.closed ? "closed" : "opened", b: b.closed ? "closed" : "opened" }];
  const below = compareParts(a.children, b.children, path);
  return a.compared === b.compared
    ? below
    : [{ kind: "changed", path, ...sides(a.value, b.value) }, ...below];
}

const sides = (a: string | undefined, b: string | undefined): Pick<Found, "a" | "b"> => ({
  ...(a !== undefined && { a }),
  ...(b !== undefined && { b }),
});

/** A field that is there only when it is odd is ordinary on the other side. */
function loneFinding({ part, label }: Lone, above: string, kind: "missing" | "added"): Found {
  const summary = part.value ?? part.detail;
  const { ordinary } = part;
  const texts = kind === "missing" ? sides(summary, ordinary) : sides(ordinary, summary);
  return { kind: ordinary === undefined ? kind : "changed", path: within(above, label), ...texts };
}

/** Places in the two lists. */
interface Pair {
  a: number;
  b: number;
  group: Group;
}

interface Lone {
  part: Part;
  label: string;
}

type Lists = Readonly<Record<"a" | "b", readonly Part[]>>;
type Places = Record<"a" | "b", number[]>;

function groupsOf(lists: Lists): Group[] {
  const places = new Map<string, Places>();
  for (const side of ["a", "b"] as const) {
    for (const [place, { name }] of lists[side].entries()) {
      const known = places.get(name) ?? { a: [], b: [] };
      known[side].push(place);
      places.set(name, known);
    }
  }
  return [...places].map(([name, all]) => new Group(name, lists, all));
}

/** The parts of one name in both lists, and which of them belong together. */
class Group {
  readonly pairs: Pair[] = [];
  readonly #name: string;
  readonly #lists: Lists;
  /** Places of all parts of this name, and of those without a partner. */
  readonly #all: Places;
  #left: Places;
  readonly #numbers = new Map<string, Map<number, number>>();

  constructor(name: string, lists: Lists, all: Places) {
    this.#name = name;
    this.#lists = lists;
    this.#all = all;
    this.#left = this.#all;
    this.#pair((part) => part.key);
    this.#pair((part) => part.variant);
    if (this.#isSingle || this.#isWithoutVariants) this.#pairByLikeness();
  }

  get #isWithoutVariants(): boolean {
    return (["a", "b"] as const).every((side) =>
      this.#all[side].every((place) => this.#lists[side][place]!.variant === undefined),
    );
  }

  /** Proposals and selectors that changed belong to those that are most like them. */
  #pairByLikeness(): void {
    const parts = (side: "a" | "b"): Part[] => this.#left[side].map((place) => this.#lists[side][place]!);
    const { a, b } = this.#left;
    const found = pairInOrder(parts("a"), parts("b"), (part) => part.key, likenessCost);
    for (const [i, j] of found) this.pairs.push({ a: a[i]!, b: b[j]!, group: this });
    const taken = { a: new Set(found.map(([i]) => i)), b: new Set(found.map(([, j]) => j)) };
    this.#left = { a: a.filter((_, i) => !taken.a.has(i)), b: b.filter((_, j) => !taken.b.has(j)) };
  }

  get #isSingle(): boolean {
    return this.#all.a.length <= 1 && this.#all.b.length <= 1;
  }

  /** Pairs the first with the first of those that have the same in common, the second with the second. */
  #pair(common: (part: Part) => string | undefined): void {
    const { a, b } = this.#left;
    const waiting = new Map<string, number[]>();
    for (const place of [...b].reverse()) {
      const same = common(this.#lists.b[place]!);
      const places = same === undefined ? undefined : waiting.get(same);
      if (places) places.push(place);
      else if (same !== undefined) waiting.set(same, [place]);
    }
    const taken = { a: new Set<number>(), b: new Set<number>() };
    for (const place of a) {
      const partner = waiting.get(common(this.#lists.a[place]!) ?? NOTHING)?.pop();
      if (partner === undefined) continue;
      this.pairs.push({ a: place, b: partner, group: this });
      taken.a.add(place);
      taken.b.add(partner);
    }
    this.#left = { a: a.filter((one) => !taken.a.has(one)), b: b.filter((one) => !taken.b.has(one)) };
  }

  /** With the variant where there are several, and with the lower of its two numbers. */
  labelOf({ a, b }: Pair): string {
    const [left, right] = [this.#lists.a[a]!, this.#lists.b[b]!];
    const isOneOfMany = !this.#isSingle && left.variant !== undefined && left.variant === right.variant;
    const among = isOneOfMany ? "variant" : "all";
    const number = Math.min(this.#numberOf("a", a, among), this.#numberOf("b", b, among));
    const label = isOneOfMany ? `${this.#name} ${left.variant}` : this.#name;
    return numberedLabel(label, number, left.numbered);
  }

  /** Those of a side that have no partner. */
  lone(side: "a" | "b"): Lone[] {
    return this.#left[side].map((place) => {
      const part = this.#lists[side][place]!;
      const isOneOfMany = !this.#isSingle && part.variant !== undefined;
      const number = this.#numberOf(side, place, isOneOfMany ? "detail" : "all");
      const label = isOneOfMany ? `${this.#name} ${part.detail ?? part.variant}` : this.#name;
      return { part, label: numberedLabel(label, number, part.numbered) };
    });
  }

  /** Counted from 1, among all of this name or those that have something in common; once for all, for they can be many. */
  #numberOf(side: "a" | "b", place: number, among: "all" | "variant" | "detail"): number {
    const known = this.#numbers.get(`${side} ${among}`);
    if (known) return known.get(place) ?? 0;
    const counts = new Map<string | undefined, number>();
    const numbers = new Map<number, number>();
    for (const one of this.#all[side]) {
      const common = among === "all" ? undefined : this.#lists[side][one]![among];
      const number = (counts.get(common) ?? 0) + 1;
      counts.set(common, number);
      numbers.set(one, number);
    }
    this.#numbers.set(`${side} ${among}`, numbers);
    return numbers.get(place) ?? 0;
  }
}

const likenessCost = (a: Part, b: Part): number =>
  0.5 +
  unlikeness(
    a.children.map((child) => child.key),
    b.children.map((child) => child.key),
  );

/** No part has this in common with another. */
const NOTHING = "\0";

const numberedLabel = (label: string, number: number, numbered: true | undefined): string =>
  number === 1 && !numbered ? label : `${label} ${number}`;

/** One finding for a list whose common parts stand in another order. */
function orderFindings(
  a: readonly Part[],
  b: readonly Part[],
  byPlace: readonly Pair[],
  above: string,
): Found[] {
  const after = [...byPlace].sort((x, y) => x.b - y.b);
  const first = byPlace.findIndex((pair, at) => pair !== after[at]);
  if (first === -1) return [];
  const last = byPlace.findLastIndex((pair, at) => pair !== after[at]);
  const text = (parts: readonly Part[], places: number[]): string =>
    places.map((place) => titleOf(parts[place]!)).join(", ");
  return [
    {
      ...{ kind: "reordered", path: above },
      a: text(
        a,
        byPlace.slice(first, last + 1).map((pair) => pair.a),
      ),
      b: text(
        b,
        after.slice(first, last + 1).map((pair) => pair.b),
      ),
    },
  ];
}

const titleOf = ({ name, detail }: Part): string => (detail === undefined ? name : `${name} ${detail}`);
