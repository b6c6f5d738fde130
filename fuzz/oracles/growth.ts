/** Memory and descriptors that a daemon does not give back. */
import type { Driver } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";

const MIB = 2 ** 20;

/** Growth in one case that is worth a second look, in octets: an IKE SA takes a hundredth of it. Doubles with every look. */
const JUMP = 2 * MIB;
/** And what each of many repeats must take to be a leak. */
const LEAK = 64 * 1024;
/** An honest conversation may take so much of that. */
const HONEST_SHARE = 1 / 4;
/** Plays before it counts: caches and pools fill up first. */
const WARM_UP = 8;
const ROUND = 16;
/** Rounds of both, in turn, before it is called a leak: a heap grows in steps that are nobody's. */
const LOOKS = 2;
/** Descriptors above those it began with. */
const DESCRIPTORS = 64;

export interface Growth {
  /** Octets for each play. */
  perPlay: number;
  /** The same for the honest conversation. */
  honest: number;
}

const alarm = (what: string, detail: string): Alarm => ({
  ...{ oracle: "memory", title: `${what} without giving it back`, signature: `growth ${what}` },
  ...{ severity: "high", detail, alone: true },
});

/** Watches what a daemon takes from sample to sample. */
export class GrowthWatch {
  #jump = JUMP;
  #octets: number | undefined;
  #before: number | undefined;
  #descriptors: number | undefined;

  /** After a case (or a few): an alarm for what grew at once and stayed for one more sample. */
  see({ octets, descriptors }: { octets: number; descriptors?: number }): Alarm[] {
    const alarms: Alarm[] = [];
    const [settled, before] = [this.#octets, this.#before];
    if (settled !== undefined && before !== undefined && Math.min(settled, octets) - before >= this.#jump) {
      alarms.push(alarm("takes memory", `${before} octets, then ${settled}, then ${octets}`));
      this.#jump *= 2;
    }
    this.#before = alarms.length > 0 ? octets : this.#octets;
    this.#octets = octets;
    if (descriptors !== undefined) {
      this.#descriptors ??= descriptors;
      if (descriptors >= this.#descriptors + DESCRIPTORS) {
        alarms.push(alarm("keeps descriptors", `${this.#descriptors} at first, ${descriptors} now`));
        this.#descriptors = descriptors;
      }
    }
    return alarms;
  }

  /** The daemon was started anew, or told to forget: nothing before counts. */
  forget(): void {
    this.#jump = JUMP;
    this.#octets = undefined;
    this.#before = undefined;
    this.#descriptors = undefined;
  }
}

/** All that is asked of a driver here. */
type Measured = Pick<Driver, "resources">;

async function octetsOf(driver: Measured): Promise<number> {
  return (await driver.resources?.())?.octets ?? 0;
}

/** What a round of plays takes. */
async function round(driver: Measured, play: () => Promise<unknown>, times: number): Promise<number> {
  const before = await octetsOf(driver);
  for (let count = 0; count < times; count++) await play();
  return Math.max(0, (await octetsOf(driver)) - before);
}

/**
 * Whether a trace leaks: after a warm-up each round of plays takes memory in proportion, and the honest conversation
 * does not. Undefined where it does not leak, or nobody can tell.
 */
export async function growthOf(
  driver: Measured,
  play: () => Promise<unknown>,
  honest: () => Promise<unknown>,
): Promise<Growth | undefined> {
  if (!driver.resources) return undefined;
  await round(driver, play, WARM_UP);
  let perPlay = (await round(driver, play, ROUND)) / ROUND;
  // Most suspects are none, and many are asked.
  if (perPlay < LEAK) return undefined;
  await round(driver, honest, WARM_UP);
  let plain = 0;
  for (let look = 0; look < LOOKS; look++) {
    plain = Math.max(plain, (await round(driver, honest, ROUND)) / ROUND);
    perPlay = Math.min(perPlay, (await round(driver, play, ROUND)) / ROUND);
    if (perPlay < LEAK || plain > perPlay * HONEST_SHARE) return undefined;
  }
  return { perPlay, honest: plain };
}
