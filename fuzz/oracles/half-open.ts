/** IKE SAs that were begun and never finished: a peer must let them go (RFC 7296 section 2.6). */
import type { World } from "../../harness/link/types.ts";
import type { Driver } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";

/** Longer than any implementation keeps them. */
const PATIENCE_MS = 180_000;
const LOOK_MS = 5_000;
const STARTED = 20;

export const HALF_OPEN = "growth half-open IKE SAs";

/**
 * Begins IKE SAs by `begin` (an IKE_SA_INIT and no more), and waits until the peer's driver lists no more than before. Takes up to
 * three minutes of this world's time, of which `waits` hears. A driver that lists established ones alone tells nothing.
 */
export async function halfOpenAlarm(
  driver: Driver,
  world: World,
  begin: () => Promise<unknown>,
  waits: () => void = () => {},
): Promise<Alarm | undefined> {
  const count = async () => (await driver.status().catch(() => undefined))?.ikeSas.length;
  const before = await count();
  for (let started = 0; started < STARTED; started++) await begin();
  const began = await count();
  if (before === undefined || began === undefined || began < before + STARTED / 2) return undefined;
  let left: number | undefined = began;
  for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
    await world.until(() => false, LOOK_MS);
    waits();
    left = await count();
    if (left === undefined || left <= before) return undefined;
  }
  return {
    ...{
      oracle: "memory",
      title: "never lets go of half-open IKE SAs",
      signature: HALF_OPEN,
    },
    ...{ severity: "high", alone: false },
    detail: `${before} IKE SAs before, ${began} with ${STARTED} half-open ones, ${left} after ${PATIENCE_MS / 1_000} s`,
  };
}
