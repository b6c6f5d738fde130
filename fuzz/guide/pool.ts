/** Traces that brought something new, by setup and role, and which of them is worth a variation. */
import type { Dice } from "../dice.ts";
import type { Trace } from "../trace.ts";

export interface Parent {
  name: string;
  trace: Trace;
  /** Cases made of it, and those of them that were novel. */
  chosen: number;
  gained: number;
}

const MOST_PARENTS = 512;
const RECENT = 32;
const TOURNAMENT = 4;

const keyOf = ({ setup, peer }: Pick<Trace, "setup" | "peer">): string => `${setup} ${peer}`;

export class Pool {
  readonly #parents = new Map<string, Parent[]>();
  readonly #byName = new Map<string, Parent>();

  add(name: string, trace: Trace): void {
    if (this.#byName.has(name)) return;
    const parent: Parent = { name, trace, chosen: 0, gained: 0 };
    const others = this.#parents.get(keyOf(trace)) ?? [];
    this.#parents.set(keyOf(trace), others);
    this.#byName.set(name, parent);
    others.push(parent);
    if (others.length > MOST_PARENTS) this.#retire(others);
  }

  /** The one that was chosen most in vain goes, but none of the newest. */
  #retire(parents: Parent[]): void {
    const old = parents.slice(0, -RECENT);
    const tired = old.reduce((worst, parent) => (energy(parent) < energy(worst) ? parent : worst), old[0]!);
    parents.splice(parents.indexOf(tired), 1);
    this.#byName.delete(tired.name);
  }

  of(side: Pick<Trace, "setup" | "peer">): readonly Parent[] {
    return this.#parents.get(keyOf(side)) ?? [];
  }

  /** One with much energy left: novel not long ago, seldom chosen, or fertile. */
  pick(side: Pick<Trace, "setup" | "peer">, dice: Dice): Parent | undefined {
    const all = this.of(side);
    if (all.length === 0) return undefined;
    const drawn = Array.from({ length: TOURNAMENT }, (_, i) =>
      dice.pick(i % 2 === 0 ? all.slice(-RECENT) : all),
    );
    const best = drawn.reduce((a, b) => (energy(b) > energy(a) ? b : a));
    best.chosen++;
    return best;
  }

  /** A case made of this one was novel. */
  credit(name: string): void {
    const parent = this.#byName.get(name);
    if (parent) parent.gained++;
  }
}

const energy = ({ chosen, gained }: Parent): number => (1 + 2 * gained) / (1 + chosen);
