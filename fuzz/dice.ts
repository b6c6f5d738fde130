/** Draws from a seeded stream: what a generator decides, decided the same for the same seed. */
import type { SeededRandom } from "../harness/crypto/seeded-random.ts";
import type { Random } from "../harness/crypto/types.ts";
import { readU32 } from "../harness/wire/bytes.ts";

export interface Dice {
  /** From 0 to `below` - 1; `below` is at least 1 and at most 2^32. */
  number(below: number): number;
  /** True in `share` of the cases, 0 to 1. */
  chance(share: number): boolean;
  /** One of these. @throws RangeError for none */
  pick<T>(all: readonly T[]): T;
  octets: Random;
}

const WHOLE = 2 ** 32;

export function dice(random: SeededRandom | Random): Dice {
  const number = (below: number): number => Math.floor((readU32(random(4), 0) / WHOLE) * below);
  return {
    number,
    chance: (share) => readU32(random(4), 0) < share * WHOLE,
    pick(all) {
      const [found] = all.slice(number(all.length));
      if (found === undefined) throw new RangeError("nothing to pick from");
      return found;
    },
    octets: random,
  };
}
