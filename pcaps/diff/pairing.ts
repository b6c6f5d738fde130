/** Finds in two rows what belongs together. The pairs of (b, a) are those of (a, b) the other way round. */

/** Cells of a table of costs; longer rows are paired piece by piece. */
const MOST_CELLS = 250_000;

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
  const isTurned = a.map(key).join() > b.map(key).join();
  if (!isTurned) return cheapest(a, b, cost);
  return cheapest(b, a, cost).map(([i, j]): [number, number] => [j, i]);
}

function cheapest<T>(a: readonly T[], b: readonly T[], cost: (a: T, b: T) => number): [number, number][] {
  const width = b.length + 1;
  const rest = new Float64Array((a.length + 1) * width);
  const at = (i: number, j: number): number => rest[i * width + j]!;
  const paired = (i: number, j: number): number => cost(a[i]!, b[j]!) + at(i + 1, j + 1);
  for (let i = a.length; i >= 0; i--) {
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length || j === b.length) rest[i * width + j] = (a.length - i + b.length - j) * GAP;
      else rest[i * width + j] = Math.min(paired(i, j), GAP + at(i + 1, j), GAP + at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
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
