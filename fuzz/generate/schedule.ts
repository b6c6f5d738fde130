/** Which batch is about what. Cases of a batch share setup and role, for to configure a daemon costs time. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Setup } from "../setups.ts";
import type { Stage } from "../trace.ts";

/** What both ends are told, and who begins. */
export interface Side {
  setup: Setup;
  peer: PeerRole;
}

export interface Slot extends Side {
  stage: Stage;
  /** How many batches before this one had the same stage, setup and role. */
  visit: number;
}

export const sideName = ({ setup, peer }: { setup: { name: string }; peer: PeerRole }): string =>
  `${setup.name} ${peer}`;

/**
 * Stages take turns, and within a stage its setups and roles. A side that was dropped leaves its turn to the next one, so
 * that all other batches stay what they are.
 */
export class Schedule {
  readonly #stages: readonly { stage: Stage; sides: readonly Side[] }[];
  readonly #dropped = new Set<string>();

  constructor(stages: readonly Stage[], sidesOf: (stage: Stage) => readonly Side[]) {
    this.#stages = stages
      .map((stage) => ({ stage, sides: sidesOf(stage) }))
      .filter(({ sides }) => sides.length > 0);
  }

  get stages(): Stage[] {
    return this.#stages.map(({ stage }) => stage);
  }

  get dropped(): string[] {
    return [...this.#dropped];
  }

  drop(name: string): void {
    this.#dropped.add(name);
  }

  /** Undefined once nothing is left. */
  slot(batch: number): Slot | undefined {
    const left = this.#stages.filter(({ sides }) => sides.some((side) => !this.#dropped.has(sideName(side))));
    if (left.length === 0) return undefined;
    // Counted over all stages, so that one that is gone moves no other; shifted, so that a shard of two has not every other one.
    const round = Math.floor(batch / this.#stages.length);
    const turn = this.#stages[(batch + round) % this.#stages.length]!;
    const { stage, sides } = left.includes(turn) ? turn : left[batch % left.length]!;
    for (let i = 0; i < sides.length; i++) {
      const side = sides[(round + i) % sides.length]!;
      if (!this.#dropped.has(sideName(side)))
        return { ...side, stage, visit: Math.floor(round / sides.length) };
    }
    return undefined;
  }
}
