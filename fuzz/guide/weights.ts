/** Which of several things pay: those that brought something new lately are drawn more often. */
import { z } from "zod";
import type { Dice } from "../dice.ts";

export const weightsSchema = z
  .array(z.tuple([z.string().max(64), z.number().min(0), z.number().min(0)]))
  .max(10_000)
  .describe("Name, how often it was tried and how often it brought something new, both decaying.");
export type WeightsState = z.infer<typeof weightsSchema>;

/** After so many trials what was counts half. */
const HALF_LIFE = 2_000;
/** What one that was never tried is taken for. */
const PRIOR = { tried: 8, gained: 1 };
/** The least share of an even one that is left to each. */
const FLOOR = 0.2;
const FINE = 1_000_000;

interface Record {
  tried: number;
  gained: number;
}

export class Weights {
  readonly #records: Map<string, Record>;
  #trials = 0;

  constructor(state: WeightsState = []) {
    this.#records = new Map(state.map(([name, tried, gained]) => [name, { tried, gained }]));
  }

  learn(names: Iterable<string>, gained: boolean): void {
    for (const name of new Set(names)) {
      const record = this.#records.get(name) ?? { tried: 0, gained: 0 };
      this.#records.set(name, record);
      record.tried++;
      if (gained) record.gained++;
      if (++this.#trials % HALF_LIFE === 0) this.#decay();
    }
  }

  #decay(): void {
    for (const record of this.#records.values()) {
      record.tried /= 2;
      record.gained /= 2;
    }
  }

  #rate(name: string): number {
    const { tried, gained } = this.#records.get(name) ?? { tried: 0, gained: 0 };
    return (gained + PRIOR.gained) / (tried + PRIOR.tried);
  }

  /** One of these, more likely the more it brought. */
  pick<T>(all: readonly T[], nameOf: (item: T) => string, dice: Dice): T {
    const rates = all.map((item) => this.#rate(nameOf(item)));
    const sum = rates.reduce((total, rate) => total + rate, 0);
    const floor = (FLOOR * sum) / Math.max(1, all.length);
    let left = (dice.number(FINE) / FINE) * (sum + floor * all.length);
    for (const [i, item] of all.entries()) {
      left -= rates[i]! + floor;
      if (left < 0) return item;
    }
    return dice.pick(all);
  }

  state(): WeightsState {
    return [...this.#records].map(([name, { tried, gained }]) => [name, tried, gained]);
  }
}
