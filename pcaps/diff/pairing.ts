/** Finds in two rows what belongs together. The pairs of (b, a) are those of (a, b) the other way round. */

/** Cells of a table of costs; longer rows are paired piece by piece. */
const MOST_CELLS = 62_500;

/** What it costs to leave one out. */
const GAP = 1;

/**
 * Pairs items of two rows in their order, at the least cost. `cost` is symmetric: 0 for equals, below 2 for what rather
 * belongs together than apart, infinite for what never does. `key` is equal for equals.
 */
export function pairInOrder<T>(
  a: readonly T[],
  b: readonly T[],
  key: (item: T) => string,
  cost: (a: T, b: T) => number,
): [number, number][] {
  const pairs: [number, number][] = [];
  let [fromA, fromB] = [0, 0];
  const sameAt = (i: number, j: number): boolean => key(a[i]!) === key(b[j]!);
  while (fromA < a.length && fromB < b.length && sameAt(fromA, fromB)) pairs.push([fromA++, fromB++]);
  let [endA, endB] = [a.length, b.length];
  while (endA > fromA && endB > fromB && sameAt(endA - 1, endB - 1)) pairs.push([--endA, --endB]);
  const most = Math.floor(Math.sqrt(MOST_CELLS));
  while (fromA < endA && fromB < endB) {
    const pieceA = a.slice(fromA, Math.min(endA, fromA + most));
    const pieceB = b.slice(fromB, Math.min(endB, fromB + most));
    for (const [i, j] of pairPiece(pieceA, pieceB, key, cost)) pairs.push([fromA + i, fromB + j]);
    fromA += pieceA.length;
    fromB += pieceB.length;
  }
  return pairs.sort(([x], [y]) => x - y);
}

/** Of several best ways one is taken by the content of the rows, not by which of them is `a`. */
function pairPiece<T>(
  a: readonly T[],
  b: readonly T[],
  key: (item: T) => string,
  cost: (a: T, b: T) => number,
): [number, number][] {
  const [kindsA, kindsB] = [kindsOf(a, key), kindsOf(b, key)];
  const isTurned = kindsA.row.join() > kindsB.row.join();
  if (!isTurned) return cheapest(a.length, b.length, costTable(kindsA, kindsB, cost));
  const turned = cheapest(b.length, a.length, costTable(kindsB, kindsA, cost));
  return turned.map(([i, j]): [number, number] => [j, i]);
}

/** The items of a row by their keys, of which there are few: costs are taken between those. */
interface Kinds<T> {
  row: string[];
  places: number[];
  samples: T[];
}

function kindsOf<T>(items: readonly T[], key: (item: T) => string): Kinds<T> {
  const row = items.map(key);
  const numbers = new Map<string, number>();
  const samples: T[] = [];
  const places = row.map((one, at) => {
    const known = numbers.get(one);
    if (known !== undefined) return known;
    numbers.set(one, samples.length);
    return samples.push(items[at]!) - 1;
  });
  return { row, places, samples };
}

function costTable<T>(
  a: Kinds<T>,
  b: Kinds<T>,
  cost: (a: T, b: T) => number,
): (i: number, j: number) => number {
  const width = b.samples.length;
  const table = new Float64Array(a.samples.length * width);
  for (const [i, one] of a.samples.entries())
    for (const [j, other] of b.samples.entries()) table[i * width + j] = cost(one, other);
  return (i, j) => table[a.places[i]! * width + b.places[j]!]!;
}

function cheapest(
  lengthA: number,
  lengthB: number,
  cost: (i: number, j: number) => number,
): [number, number][] {
  const width = lengthB + 1;
  const rest = new Float64Array((lengthA + 1) * width);
  const at = (i: number, j: number): number => rest[i * width + j]!;
  const paired = (i: number, j: number): number => cost(i, j) + at(i + 1, j + 1);
  for (let i = lengthA; i >= 0; i--) {
    for (let j = lengthB; j >= 0; j--) {
      if (i === lengthA || j === lengthB) rest[i * width + j] = (lengthA - i + lengthB - j) * GAP;
      else rest[i * width + j] = Math.min(paired(i, j), GAP + at(i + 1, j), GAP + at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  let [i, j] = [0, 0];
  while (i < lengthA && j < lengthB) {
    if (paired(i, j) === at(i, j)) pairs.push([i++, j++]);
    else if (GAP + at(i + 1, j) === at(i, j)) i++;
    else j++;
  }
  return pairs;
}

/** 0 when all is in common, 1 when nothing is. */
export function unlikeness(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>();
  for (const name of a) left.set(name, (left.get(name) ?? 0) + 1);
  let common = 0;
  for (const name of b) {
    const count = left.get(name) ?? 0;
    if (count > 0) common += 1;
    left.set(name, count - 1);
  }
  const most = Math.max(a.length, b.length);
  return most === 0 ? 0 : 1 - common / most;
}
