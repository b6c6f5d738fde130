/** Timers without a clock of their own: the owner says what time it is. */
export class Timers {
  readonly #due: { at: number; action: () => void }[] = [];

  /** Milliseconds; returns a function that cancels. */
  set(at: number, action: () => void): () => void {
    const timer = { at, action };
    // Behind those that are due at the same time; a new timer is mostly the last one.
    const before = this.#due.findLastIndex((other) => other.at <= at);
    this.#due.splice(before + 1, 0, timer);
    return () => {
      const index = this.#due.indexOf(timer);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  /** Timers that are set. */
  get size(): number {
    return this.#due.length;
  }

  get next(): number | undefined {
    return this.#due[0]?.at;
  }

  run(now: number): void {
    for (let first = this.#due[0]; first && first.at <= now; first = this.#due[0]) {
      this.#due.shift();
      first.action();
    }
  }
}
