/** How much somebody may ask for of what costs: work of the controller, and Sender-IDs, of which there are few. */

const MOST = 64;
const REFILL_MS = 10_000;

/** Holds some units and gets one more every ten seconds. */
export class Allowance {
  #left = MOST;
  #at: number;

  /** `now` in milliseconds. */
  constructor(now: number) {
    this.#at = now;
  }

  /** False if that much is not left; then nothing is taken. */
  take(cost: number, now: number): boolean {
    const refill = Math.floor((now - this.#at) / REFILL_MS);
    this.#left = Math.min(MOST, this.#left + refill);
    this.#at += refill * REFILL_MS;
    if (this.#left < cost) return false;
    this.#left -= cost;
    return true;
  }
}
