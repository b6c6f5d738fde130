/** A logarithmic axis of delays. */

export interface Axis {
  /** Labelled values, within what the axis covers. */
  ticks: number[];
  /** 0 at the smallest value of the axis, 1 at the largest. */
  place(value: number): number;
}

const STEPS = [1, 2, 5];

/** Values of the form 1, 2 or 5 times a power of ten around these. */
function roundValues(least: number, most: number): number[] {
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(most));
  const all = Array.from({ length: last - first + 1 }, (_, i) =>
    STEPS.map((s) => s * 10 ** (first + i)),
  ).flat();
  const from = all.findLastIndex((value) => value <= least);
  const to = all.findIndex((value) => value >= most);
  return all.slice(from, Math.max(to, from + 1) + 1);
}

/** Covers all of these values, which are more than 0, from one round value to another. */
export function axisOf(values: readonly number[]): Axis {
  const ticks = roundValues(Math.min(...values), Math.max(...values));
  const [least = 1, most = 10] = [ticks[0], ticks.at(-1)];
  const place = (value: number) => Math.log(value / least) / Math.log(most / least);
  return { ticks, place };
}

export const delayLabel = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);
