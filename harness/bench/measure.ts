/** Measuring rates that can be compared: candidates take turns, and the median of the turns counts. */

/** One figure of a benchmark. */
export interface BenchRow {
  what: string;
  value: number;
  /** Of `value`, as in `messages/s`. */
  unit: string;
  /** What it is held against, measured in the same run. */
  reference?: { what: string; value: number };
  /** `value` as a part of the reference. */
  share?: number;
  /** The share that is aimed at; not set where none is. */
  aim?: number;
}

export interface BenchResult {
  name: string;
  rows: BenchRow[];
}

const ROUNDS = 15;
/** Milliseconds between two looks at the clock. */
const LEAST_MS = 1;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

function rate(operation: () => void, milliseconds: number): number {
  let count = 0;
  let batch = 1;
  const start = performance.now();
  let elapsed = 0;
  do {
    const before = elapsed;
    for (let i = 0; i < batch; i++) operation();
    count += batch;
    elapsed = performance.now() - start;
    if (elapsed - before < LEAST_MS) batch *= 2;
  } while (elapsed < milliseconds);
  return (count * 1000) / elapsed;
}

/**
 * Operations per second of each candidate. They take turns of equal length within `seconds`, so that a machine that is
 * busy with something else disturbs none more than the others.
 */
export function rates<K extends string>(
  candidates: Record<K, () => void>,
  seconds: number,
): Record<K, number> {
  const names = Object.keys(candidates) as K[];
  const turns = new Map<K, number[]>(names.map((name) => [name, []]));
  const slice = (seconds * 1000) / (ROUNDS + 1) / names.length;
  for (const name of names) rate(candidates[name], slice);
  for (let round = 0; round < ROUNDS; round++)
    for (const name of names) turns.get(name)?.push(rate(candidates[name], slice));
  const result = {} as Record<K, number>;
  for (const name of names) result[name] = median(turns.get(name) ?? []);
  return result;
}

/** A row with its share. */
export function compared(
  what: string,
  value: number,
  unit: string,
  reference?: { what: string; value: number },
  aim?: number,
): BenchRow {
  if (!reference || reference.value <= 0) return { what, value, unit };
  return {
    what,
    value,
    unit,
    reference,
    share: value / reference.value,
    ...(aim === undefined ? {} : { aim }),
  };
}
