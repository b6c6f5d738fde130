/**
 * How fast the peer answers, learnt from its answers: how long to wait once it has answered somebody else. Mean and
 * deviation as TCP keeps them (RFC 6298), for the machine may be busy with other work.
 */

/** Weights of a new value in mean and deviation, and how many deviations are waited for. */
const MEAN = 1 / 8;
const DEVIATION = 1 / 4;
const DEVIATIONS = 4;
/** An answer may be this much slower than those before it, at least. */
const TIMES = 2;

export interface PaceLimits {
  /** Milliseconds; the bounds of every grace. */
  least: number;
  most: number;
}

interface Estimate {
  mean: number;
  deviation: number;
}

const FIRST_GUESS: Estimate = { mean: 5, deviation: 2.5 };

export type Paced = number | "probe" | "begin";

export class Pace {
  readonly #limits: PaceLimits;
  /** By exchange type, of probes, and of what the peer is made to begin. */
  readonly #known = new Map<Paced, Estimate>();

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** An answer came after so many milliseconds. */
  answered(what: Paced, ms: number): void {
    const before = this.#known.get(what);
    if (!before) return void this.#known.set(what, { mean: ms, deviation: ms / 2 });
    before.deviation += DEVIATION * (Math.abs(ms - before.mean) - before.deviation);
    before.mean += MEAN * (ms - before.mean);
  }

  /** Milliseconds that an answer to this exchange still gets after a probe was answered. */
  grace(what: Paced): number {
    const { least, most } = this.#limits;
    const slow = Math.max(this.#slow(what), this.#slow("probe"));
    return Math.min(most, Math.max(least, slow));
  }

  /** Whether it was ever seen. */
  knows(what: Paced): boolean {
    return this.#known.has(what);
  }

  /** An exchange that was never seen is taken for the slowest that was. */
  #slow(what: Paced): number {
    const found = this.#known.get(what);
    if (found) return slowOf(found);
    const others = [...this.#known].flatMap(([other, seen]) =>
      typeof other === "number" ? [slowOf(seen)] : [],
    );
    return others.length > 0 ? Math.max(...others) : slowOf(FIRST_GUESS);
  }
}

const slowOf = ({ mean, deviation }: Estimate): number =>
  Math.max(TIMES * mean, mean + DEVIATIONS * deviation);
