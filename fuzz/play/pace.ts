/** How fast the peer answers, learnt from its answers: how long to wait once it has answered somebody else. */

const FIRST_GUESS_MS = 5;
/** Round trips within which an answer comes that will come. */
const ROUNDS = 4;
/** The slowest answer is forgotten by this share with each one that is faster. */
const FORGET = 0.02;

export interface PaceLimits {
  /** Milliseconds; the bounds of every grace. */
  least: number;
  most: number;
}

export class Pace {
  readonly #limits: PaceLimits;
  /** By exchange type, and of probes. */
  readonly #slow = new Map<number | "probe", number>();

  constructor(limits: PaceLimits) {
    this.#limits = limits;
  }

  /** An answer came after so many milliseconds. */
  answered(what: number | "probe", ms: number): void {
    const before = this.#slow.get(what) ?? 0;
    this.#slow.set(what, ms > before ? ms : before + (ms - before) * FORGET);
  }

  /** Milliseconds that an answer to this exchange still gets after a probe was answered. */
  grace(what: number | "probe"): number {
    const { least, most } = this.#limits;
    const slow = Math.max(this.#slow.get(what) ?? FIRST_GUESS_MS, this.#slow.get("probe") ?? 0);
    return Math.min(most, Math.max(least, ROUNDS * slow));
  }
}
