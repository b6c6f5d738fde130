/** Which batch is next where time is shared out evenly: not by cases, for those of some stages take much longer. */
import type { Dice } from "../dice.ts";

/** What it costs to tell a peer a setup, in milliseconds, whatever is played then. */
const BEGINNING_MS = 100;
/** What one more surface adds to a group: 0 is nothing, 1 as much as the first one has. */
const SHARE = 0.75;
/** Batches whose time is still counted. */
const MOST_GOING = 1_000;

/** Where a turn belongs. */
export interface Belongs {
  /** The stage and who begins: these share the time. */
  group: string;
  /** What there is to lie about: these share that of their group, which has more of it the more of these it has. */
  surface: string;
}

/** Turns of a surface take it in turns. */
export class Turnabout<T> {
  readonly #belongs: ReadonlyMap<T, Belongs>;
  readonly #weights = new Map<string, number>();
  /** Milliseconds, by surface and by group. */
  readonly #taken = new Map<string, number>();
  readonly #visits = new Map<T, number>();
  readonly #going = new Map<number, Belongs>();

  constructor(turns: readonly T[], belongs: (turn: T) => Belongs) {
    this.#belongs = new Map(turns.map((turn) => [turn, belongs(turn)]));
    const surfaces = new Map<string, Set<string>>();
    for (const { group, surface } of this.#belongs.values())
      surfaces.set(group, (surfaces.get(group) ?? new Set()).add(surface));
    for (const [group, { size }] of surfaces) this.#weights.set(group, size ** SHARE);
  }

  /** The one of these, of which there is at least one, that had least of its share. */
  next(turns: readonly T[], dice: Dice): T {
    const group = this.#least(turns, (turn) => {
      const { group } = this.#of(turn);
      return (this.#taken.get(group) ?? 0) / (this.#weights.get(group) ?? 1);
    });
    const named = this.#of(dice.pick(group)).group;
    const own = group.filter((turn) => this.#of(turn).group === named);
    const surface = this.#least(own, (turn) => this.#taken.get(surfaceName(this.#of(turn))) ?? 0);
    return dice.pick(this.#least(surface, (turn) => this.#visits.get(turn) ?? 0));
  }

  #least(turns: readonly T[], measure: (turn: T) => number): T[] {
    const measures = turns.map(measure);
    const least = Math.min(...measures);
    return turns.filter((_, i) => measures[i] === least);
  }

  #of(turn: T): Belongs {
    return this.#belongs.get(turn) ?? { group: "", surface: "" };
  }

  begin(batch: number, turn: T): void {
    this.#visits.set(turn, (this.#visits.get(turn) ?? 0) + 1);
    this.#add(this.#of(turn), BEGINNING_MS);
    this.#going.set(batch, this.#of(turn));
    const [oldest] = this.#going.keys();
    if (oldest !== undefined && this.#going.size > MOST_GOING) this.#going.delete(oldest);
  }

  /** A case of this batch took so long. */
  took(batch: number, ms: number): void {
    const belongs = this.#going.get(batch);
    if (belongs && Number.isFinite(ms)) this.#add(belongs, Math.max(0, ms));
  }

  #add(belongs: Belongs, ms: number): void {
    for (const name of [belongs.group, surfaceName(belongs)])
      this.#taken.set(name, (this.#taken.get(name) ?? 0) + ms);
  }
}

const surfaceName = ({ group, surface }: Belongs): string => `${group}: ${surface}`;
