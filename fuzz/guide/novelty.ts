/** Which behaviour was not seen before. */
import { z } from "zod";
import type { Observed } from "../outcome.ts";
import { Seen } from "./seen.ts";
import { behaviourOf, logShapes } from "./signature.ts";

/** What is known of a case beside its outcome. */
export interface LearnedFrom {
  /** What the peer logged meanwhile. */
  log?: string | undefined;
  /** Places of an instrumented peer's code that the case reached. */
  edges?: Iterable<number> | undefined;
}

export interface Learned {
  novel: boolean;
  signature: string;
  /** What was new: `pair 0123456789abcdef`; a corpus is trimmed by them. */
  features: string[];
}

const MOST_SIGNATURES = 50_000;
const MOST_SHAPES = 20_000;
const MOST_EDGES = 2_000_000;
/** Features of a case that are kept. */
const MOST_FEATURES = 64;
/** A slow answer is behaviour only if it is that slow, as a power of two over the usual, and repeats. */
const SLOW = 3;
const REPEATS = 3;
const SLOWEST = 12;
/** By how much the running median moves at each case. */
const STEP = 1.02;
const SHORTEST_MS = 0.05;

const hashes = z.array(z.string().max(64));
export const noveltySchema = z.strictObject({
  signatures: hashes.max(MOST_SIGNATURES),
  pairs: hashes.max(MOST_SIGNATURES),
  shapes: hashes.max(MOST_SHAPES),
  usualMs: z.number().positive(),
  slow: z.array(z.tuple([z.string().max(64), z.int().min(0)])).max(MOST_SIGNATURES),
});
export type NoveltyState = z.infer<typeof noveltySchema>;

export class Novelty {
  readonly #signatures: Seen;
  readonly #pairs: Seen;
  readonly #shapes: Seen;
  readonly #edges = new Set<number>();
  /** How often an answer was slow in which way. */
  readonly #slow: Map<string, number>;
  #usualMs: number;

  constructor(state?: NoveltyState) {
    this.#signatures = new Seen(MOST_SIGNATURES, state?.signatures);
    this.#pairs = new Seen(MOST_SIGNATURES, state?.pairs);
    this.#shapes = new Seen(MOST_SHAPES, state?.shapes);
    this.#slow = new Map(state?.slow);
    this.#usualMs = state?.usualMs ?? 1;
  }

  /** Signatures and pairs of steps, shapes of log lines, edges. */
  get counts(): { signatures: number; pairs: number; shapes: number; edges: number } {
    return {
      ...{ signatures: this.#signatures.size, pairs: this.#pairs.size },
      ...{ shapes: this.#shapes.size, edges: this.#edges.size },
    };
  }

  learn(outcome: Observed, { log, edges }: LearnedFrom = {}): Learned {
    const { signature, pairs } = behaviourOf(outcome);
    const features = [
      ...(this.#signatures.add(signature) ? [`signature ${signature}`] : []),
      ...pairs.filter((pair) => this.#pairs.add(pair)).map((pair) => `pair ${pair}`),
      ...this.#slowness(signature, outcome.slowestMs),
      ...(log === undefined ? [] : this.learnShapes(logShapes(log))),
      ...this.learnEdges(edges ?? []),
    ];
    return { novel: features.length > 0, signature, features: features.slice(0, MOST_FEATURES) };
  }

  /** Takes features that an entry of a corpus brought before. */
  know(features: readonly string[]): void {
    for (const feature of features) {
      const [kind, value = "", more = ""] = feature.split(" ");
      if (kind === "signature") this.#signatures.add(value);
      if (kind === "pair") this.#pairs.add(value);
      if (kind === "log") this.#shapes.add(value);
      if (kind === "edge") this.learnEdges([Number.parseInt(value, 16)]);
      if (kind === "slow" && this.#slow.size < MOST_SIGNATURES) this.#slow.set(`${value} ${more}`, REPEATS);
    }
  }

  /** Of {@link logShapes}: the new ones, as features. */
  learnShapes(shapes: readonly string[]): string[] {
    return shapes.filter((shape) => this.#shapes.add(shape)).map((shape) => `log ${shape}`);
  }

  /** New edges, as features. */
  learnEdges(edges: Iterable<number>): string[] {
    const features: string[] = [];
    for (const edge of edges) {
      if (this.#edges.size >= MOST_EDGES) break;
      if (this.#edges.has(edge)) continue;
      this.#edges.add(edge);
      if (features.length < MOST_FEATURES) features.push(`edge ${edge.toString(16)}`);
    }
    return features;
  }

  /** Moves the usual time, and says if this signature has now been slow so often that it is no accident. */
  #slowness(signature: string, ms: number): string[] {
    const took = Math.max(SHORTEST_MS, Number.isFinite(ms) ? ms : 0);
    this.#usualMs *= took > this.#usualMs ? STEP : 1 / STEP;
    this.#usualMs = Math.max(SHORTEST_MS, this.#usualMs);
    const power = Math.min(SLOWEST, Math.round(Math.log2(took / this.#usualMs)));
    if (power < SLOW) return [];
    const key = `${power} ${signature}`;
    const count = (this.#slow.get(key) ?? 0) + 1;
    if (count > 1 || this.#slow.size < MOST_SIGNATURES) this.#slow.set(key, count);
    return count === REPEATS ? [`slow ${key}`] : [];
  }

  /** All but edges, which an instrumented peer tells again. */
  state(): NoveltyState {
    return {
      signatures: this.#signatures.list(),
      pairs: this.#pairs.list(),
      shapes: this.#shapes.list(),
      usualMs: this.#usualMs,
      slow: [...this.#slow],
    };
  }
}
