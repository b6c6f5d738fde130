/**
 * Replay protection (RFC 4303 section 3.4.3) as the bitmap without shifting of RFC 6479, and the deduction of
 * the high half of an extended sequence number (RFC 4303 appendix A). A sequence number is a pair of 32-bit
 * halves; without ESN the high half is 0.
 */

export interface WindowOptions {
  /** Width W; 64 unless told, at least 32. */
  size?: number;
  /** False: numbers are not judged, only the highest is kept. */
  enabled?: boolean;
}

/** `old`: at or below T-W. */
export type WindowVerdict = "new" | "duplicate" | "old";

const WORD_BITS = 32;
const WORDS_PER_HIGH = 2 ** 27;
const TWO_32 = 2 ** 32;

export class ReplayWindow {
  readonly size: number;
  readonly enabled: boolean;
  /** The halves of T, the highest number that passed the ICV; 0 before the first packet. */
  high = 0;
  low = 0;
  private readonly words: Uint32Array;
  private readonly mask: number;

  constructor({ size = 64, enabled = true }: WindowOptions = {}) {
    if (!Number.isInteger(size) || size < 32 || size > 2 ** 20) {
      throw new RangeError(`replay window of ${size}: 32 to ${2 ** 20} are possible`);
    }
    this.size = size;
    this.enabled = enabled;
    let words = 2;
    while ((words - 1) * WORD_BITS < size) words *= 2;
    this.words = new Uint32Array(words);
    this.mask = words - 1;
  }

  /** Judges a number without a change of state. */
  check(high: number, low: number): WindowVerdict {
    // Far away halves lose low bits in this double, yet stay on the right side of every comparison.
    const behind = (this.high - high) * TWO_32 + (this.low - low);
    if (!this.enabled || behind < 0) return "new";
    if (behind >= this.size) return "old";
    const word = this.words[(low >>> 5) & this.mask]!;
    return word & (1 << (low & 31)) ? "duplicate" : "new";
  }

  /** Marks a number as received; call it only after its ICV was verified. */
  update(high: number, low: number): void {
    const block = low >>> 5;
    if ((high - this.high) * TWO_32 + (low - this.low) > 0) {
      const top = this.low >>> 5;
      const steps = Math.min(this.words.length, (high - this.high) * WORDS_PER_HIGH + (block - top));
      for (let step = 1; step <= steps; step++) this.words[(top + step) & this.mask] = 0;
      this.high = high;
      this.low = low;
    }
    this.words[block & this.mask]! |= 1 << (low & 31);
  }

  /** The high half that belongs to a received low half (appendix A2.2); -1 or 2^32 mean that there is none. */
  deduceHigh(low: number): number {
    const bottom = (this.low - this.size + 1) >>> 0;
    if (this.low >= this.size - 1) return low >= bottom ? this.high : this.high + 1;
    return low >= bottom ? this.high - 1 : this.high;
  }
}
