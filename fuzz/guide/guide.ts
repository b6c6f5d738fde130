/** Guidance by what the peer does: which behaviour is new, which cases are worth a variation, which operators pay. */
import { z } from "zod";
import type { Observed } from "../outcome.ts";
import { changesOf, type FuzzCase, type Stage } from "../trace.ts";
import { type Learned, type LearnedFrom, Novelty, noveltySchema } from "./novelty.ts";
import { Pool } from "./pool.ts";
import { Weights, weightsSchema } from "./weights.ts";

export const guideSchema = z.strictObject({
  cases: z.int().min(0),
  novelty: noveltySchema,
  operators: weightsSchema,
  turns: weightsSchema,
});
export type GuideState = z.infer<typeof guideSchema>;

/** What is seen of a peer that no one case can be told to have done. */
export interface Heard {
  /** Of `logShapes`. */
  shapes?: readonly string[];
  /** Places of an instrumented peer's code. */
  edges?: Iterable<number>;
}

/** A new line of a log pays as much as a novel case, up to so many. */
const MOST_CREDIT = 8;

/** What a batch was about, as a name. */
export const turnName = (stage: Stage, side: string): string => `${stage} ${side}`;

export class Guide {
  readonly novelty: Novelty;
  readonly operators: Weights;
  /** Of stages with setup and role. */
  readonly turns: Weights;
  readonly pool = new Pool();
  #cases: number;

  constructor(state?: GuideState) {
    this.novelty = new Novelty(state?.novelty);
    this.operators = new Weights(state?.operators);
    this.turns = new Weights(state?.turns);
    this.#cases = state?.cases ?? 0;
  }

  /** Cases learnt from. */
  get cases(): number {
    return this.#cases;
  }

  learn(outcome: Observed, from?: LearnedFrom): Learned {
    const { trace, stage, parent } = outcome.case;
    this.#cases++;
    const learned = this.novelty.learn(outcome, from);
    this.operators.learn(
      changesOf(trace).map(({ op }) => op),
      learned.novel,
    );
    this.turns.learn([turnName(stage, `${trace.setup} ${trace.peer}`)], learned.novel);
    if (learned.novel && parent !== undefined) this.pool.credit(parent);
    return learned;
  }

  /** What several cases showed together is put down to what they are about. Says how much of it was new. */
  hear(cases: readonly FuzzCase[], { shapes = [], edges = [] }: Heard): number {
    const found = this.novelty.learnShapes(shapes).length + this.novelty.learnEdges(edges).length;
    const names = new Set(
      cases.map(({ stage, trace: { setup, peer } }) => turnName(stage, `${setup} ${peer}`)),
    );
    for (let i = 0; i < Math.min(found, MOST_CREDIT); i++) this.turns.learn(names, true);
    return found;
  }

  state(): GuideState {
    return {
      cases: this.#cases,
      novelty: this.novelty.state(),
      operators: this.operators.state(),
      turns: this.turns.state(),
    };
  }
}
