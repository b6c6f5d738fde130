import type { Encr, Random } from "../crypto/types.ts";
import { writeU32 } from "./sa.ts";

const TWO_32 = 2 ** 32;

/**
 * The IVs of one SA: random where the cipher needs that, else a count of 64 bits that begins with 1. The count is
 * apart from the sequence number, so that no IV comes twice when a number does.
 */
export class Ivs {
  private readonly encr: Encr;
  private readonly random: Random;
  private high = 0;
  private low = 0;

  constructor(encr: Encr, random: Random) {
    this.encr = encr;
    this.random = random;
  }

  next(): Uint8Array {
    const { randomIv, ivLength } = this.encr;
    if (randomIv) return this.random(ivLength);
    const iv = new Uint8Array(ivLength);
    if (ivLength === 0) return iv;
    if (++this.low === TWO_32) {
      this.low = 0;
      this.high++;
    }
    writeU32(iv, 0, this.high);
    writeU32(iv, 4, this.low);
    return iv;
  }
}
