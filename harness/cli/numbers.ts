import type { Shard } from "../run/plan.ts";
import { UsageError } from "../run/usage-error.ts";

/** Longest that a timer can be, with room for a unit of a minute. */
const LARGEST = 20_000;

/** The milliseconds of an option in seconds, fractions allowed. @throws UsageError naming it */
export function seconds(option: string, given: string): number {
  const value = Number(given);
  if (/^\d+(\.\d+)?$/.test(given) && value > 0 && value <= LARGEST) return value * 1_000;
  throw new UsageError(`${option} ${given}: must be a number of seconds, more than 0 and up to ${LARGEST}`);
}

/** The number of an option. @throws UsageError naming it */
export function wholeNumber(option: string, given: string, largest = LARGEST): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value > 0 && value <= largest) return value;
  throw new UsageError(`${option} ${given}: must be a whole number from 1 to ${largest}`);
}

/** The part of a plan that `--shard` names. @throws UsageError */
export function shardOf(given: string): Shard {
  const [, index, of] = /^([1-9]\d{0,4})\/([1-9]\d{0,4})$/.exec(given)?.map(Number) ?? [];
  if (index !== undefined && of !== undefined && index <= of) return { index, of };
  throw new UsageError(`--shard ${given}: must be I/N, as in 2/4: part I of N`);
}
