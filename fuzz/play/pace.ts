/**
 * How fast the peer answers, learnt from its answers: how long to wait once it has answered somebody else. Mean and
 * deviation as TCP keeps them (RFC 6298), for the machine may be busy with other work.
 */

const FIRST_GUESS_MS = 5;
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

  #slow(what: Paced): number {
    const { mean, deviation } = this.#known.get(what) ?? {
      mean: FIRST_GUESS_MS,
      deviation: FIRST_GUESS_MS / 2,
    };
    return Math.max(TIMES * mean, mean + DEVIATIONS * deviation);
  }
}
