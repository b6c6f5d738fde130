/** The same cases for several peers, and where what comes of them differs. */
import { type Difference, differences, isDifference } from "../oracles/difference.ts";
import type { Outcome } from "../outcome.ts";
import type { FuzzCase } from "../trace.ts";
import type { Pending } from "./recorder.ts";

/** A difference that came again each time. `a` and `b` are places of peers. */
export interface Differing {
  case: FuzzCase;
  a: number;
  b: number;
  difference: Difference;
  outcome: Outcome;
}

/** A batch that all peers play. */
export interface SharedBatch {
  pending: Pending;
  /** By place and number of the case. */
  outcomes: Map<number, Map<number, Outcome>>;
  ended: Set<number>;
  /** Of these differing cases it is one more run. */
  again?: Doubt[];
}

/** A difference until it is known whether it comes again. */
interface Doubt {
  case: FuzzCase;
  a: number;
  b: number;
  runs: { a: Outcome[]; b: Outcome[] };
}

/** Batches that the fastest may be before the slowest. */
const MOST_AHEAD = 3;
/** Differences of one batch that are tried again. */
const MOST_DOUBTS = 12;
/** Runs that a difference is tried again in. */
const RUNS = 2;

export class Differential {
  readonly #make: () => Pending | undefined;
  readonly #found: (differing: Differing) => void;
  /** Places of peers that play still, and how many batches each has taken. */
  readonly #taken: Map<number, number>;
  /** From the first that not all have ended. */
  readonly #batches: SharedBatch[] = [];
  #gone = 0;
  readonly #followers: SharedBatch[] = [];
  #waiting: (() => void)[] = [];
  #reseeded = 0;

  /** `make` gives a fresh batch; `found` is told what differs for sure. */
  constructor(peers: number, make: () => Pending | undefined, found: (differing: Differing) => void) {
    this.#make = make;
    this.#found = found;
    this.#taken = new Map(Array.from({ length: peers }, (_, place) => [place, 0]));
  }

  /** The next batch for this peer, once the others are not too far behind; undefined when there are none. */
  async next(place: number, signal: AbortSignal): Promise<SharedBatch | undefined> {
    for (;;) {
      const taken = this.#taken.get(place);
      if (taken === undefined || signal.aborted) return undefined;
      const there = this.#batches[taken - this.#gone];
      if (there) {
        this.#taken.set(place, taken + 1);
        return there;
      }
      if (taken - Math.min(...this.#taken.values()) < MOST_AHEAD) {
        const fresh = this.#followers.shift() ?? this.#fresh();
        if (fresh) {
          this.#batches.push(fresh);
          continue;
        }
        // What the others still play may have to be played again.
        if (this.#batches.length === 0) return undefined;
        await this.#change(signal);
      } else await this.#change(signal);
    }
  }

  #fresh(): SharedBatch | undefined {
    const pending = this.#make();
    return pending && { pending, outcomes: new Map(), ended: new Set() };
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** What came of a case. */
  played(batch: SharedBatch, place: number, outcome: Outcome): void {
    const of = batch.outcomes.get(place) ?? new Map<number, Outcome>();
    batch.outcomes.set(place, of.set(outcome.case.number, outcome));
  }

  /** This peer is through with a batch. */
  ended(batch: SharedBatch, place: number): void {
    batch.ended.add(place);
    this.#settle();
  }

  /** This peer plays no more. */
  lost(place: number): void {
    this.#taken.delete(place);
    this.#settle();
  }

  #settle(): void {
    while (this.#batches[0] && [...this.#taken.keys()].every((place) => this.#batches[0]?.ended.has(place))) {
      const over = this.#batches.shift();
      this.#gone += 1;
      if (over?.again) this.#decide(over, over.again);
      else if (over) this.#compare(over);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #compare({ pending, outcomes }: SharedBatch): void {
    const doubts: Doubt[] = [];
    const first = outcomes.get(0);
    for (const [b, theirs] of outcomes) {
      if (b === 0 || !first) continue;
      for (const one of pending.cases) {
        const [ours, other] = [first.get(one.number), theirs.get(one.number)];
        if (!ours || !other || ours.probe === "silence" || other.probe === "silence") continue;
        if (doubts.length < MOST_DOUBTS && differences(ours, other).length > 0)
          doubts.push({ case: one, a: 0, b, runs: { a: [], b: [] } });
      }
    }
    if (doubts.length > 0)
      for (let run = 0; run < RUNS; run++) this.#followers.push(this.#again(pending, doubts));
  }

  /** With seeds of its own, so that no peer takes it for a retransmission. */
  #again(pending: Pending, doubts: Doubt[]): SharedBatch {
    this.#reseeded += 1;
    const cases = new Map(doubts.map((doubt) => [doubt.case.number, doubt.case]));
    const again = [...cases.values()].map((one) => ({ ...one, seed: `${one.seed}/again-${this.#reseeded}` }));
    return {
      pending: { ...pending, cases: [], again },
      ...{ outcomes: new Map(), ended: new Set(), again: doubts },
    };
  }

  #decide({ outcomes }: SharedBatch, doubts: readonly Doubt[]): void {
    for (const { case: one, a, b, runs } of doubts) {
      const [ours, theirs] = [outcomes.get(a)?.get(one.number), outcomes.get(b)?.get(one.number)];
      if (!ours || !theirs) continue;
      runs.a.push(ours);
      runs.b.push(theirs);
      const [difference] =
        runs.a.length === RUNS && isDifference(runs.a, runs.b) ? differences(ours, theirs) : [];
      if (difference) this.#found({ case: one, a, b, difference, outcome: ours });
    }
  }
}
