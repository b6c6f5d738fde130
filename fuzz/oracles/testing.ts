/** Cases played against the builtin peer in memory, for tests of oracles. */
import { memoryArena } from "../../harness/run/arena-memory.ts";
import type { PeerRole } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import { operators } from "../operators/index.ts";
import type { Operator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import { Player } from "../play/player.ts";
import { findSetup, type Setup } from "../setups.ts";
import type { Act, Change, Step } from "../trace.ts";

/** What the peer is told; not set: an honest responder with a shared secret. */
export interface Told {
  setup?: string;
  lie?: string;
  variant?: string;
  peer?: PeerRole;
}

export const setupOf = (name = "psk"): Setup => {
  const setup = findSetup(name);
  if (!setup) throw new Error(`no setup ${name}`);
  return setup;
};

/** What comes of these steps; `further` are operators of the test's own. */
export async function played(
  steps: Step[],
  { setup, lie, variant, peer = "responder" }: Told = {},
  further: readonly Operator[] = [],
): Promise<Outcome> {
  const arena = await memoryArena(setupOf(setup).wishes, {
    seed: "oracles",
    ...(lie !== undefined && { lie }),
    ...(variant !== undefined && { variant }),
  });
  const all = [...operators, ...further];
  const player = new Player(arena, { operators: new Map(all.map((one) => [one.name, one])) });
  const trace = { trace: 1 as const, setup: setup ?? "psk", peer, steps };
  const outcome = await player.play({ number: 0, seed: "case", stage: "auth", trace });
  player.close();
  return outcome;
}

export const signatures = (alarms: readonly Alarm[]): string[] => alarms.map(({ signature }) => signature);

/** Honest steps. */
export const plain = (...acts: Act[]): Step[] => acts.map((act) => ({ act }));

/** A step with one lie. */
export const changed = (act: Act, op: string, more: Partial<Change> = {}): Step => ({
  act,
  changes: [{ message: 0, op, ...more }],
});
