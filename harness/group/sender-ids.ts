/** Sender-IDs of counter-mode ciphers: RFC 6054, RFC 9838 section 2.5. */

export interface SenderIdLimits {
  /** Bits of the Sender-ID in the IV. */
  bits: number;
  /** Most that one member gets, whatever it asks for. */
  most: number;
}

/** Counts from 0 and gives no id twice, until everybody was excluded. */
export class SenderIds {
  readonly #limits: SenderIdLimits;
  #next = 0;

  constructor(limits: SenderIdLimits) {
    this.#limits = limits;
  }

  /** How many are left. */
  get left(): number {
    return 2 ** this.#limits.bits - this.#next;
  }

  /** As many as are asked for and the policy grants; undefined if there are too few left. */
  take(asked: number): number[] | undefined {
    const count = Math.min(asked, this.#limits.most, 2 ** this.#limits.bits);
    if (count > this.left) return undefined;
    const first = this.#next;
    this.#next += count;
    return Array.from({ length: count }, (_, index) => first + index);
  }

  /** Begins anew; only after all members were excluded (section 2.5.1). */
  reset(): void {
    this.#next = 0;
  }
}
