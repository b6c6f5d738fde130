/** Plays smaller conversations within limits, and none of them twice. */
import type { Trace } from "../trace.ts";

export interface Limits {
  executions: number;
  ms: number;
}

/** Plays a conversation on a fresh peer: whether it shows the fault. */
export type Shows = (trace: Trace) => Promise<boolean>;

export class Trial {
  executions = 0;
  /** True once a limit kept a conversation from being played. */
  exhausted = false;
  /** The smallest that showed. */
  best: Trace;
  /** How often a conversation that does not show is played; 2 where the fault does not show each time. */
  tries = 1;
  readonly #shows: Shows;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #end: number;
  readonly #known = new Map<string, boolean>();

  constructor(trace: Trace, shows: Shows, limits: Limits, now: () => number) {
    this.best = trace;
    this.#shows = shows;
    this.#limits = limits;
    this.#now = now;
    this.#end = now() + limits.ms;
  }

  /** Plays it once; undefined when a limit is reached. */
  async play(trace: Trace): Promise<boolean | undefined> {
    if (this.#isOver()) return undefined;
    this.executions += 1;
    return this.#shows(trace);
  }

  /** Then nothing is so much as looked at any more: a long conversation has many others next to it. */
  #isOver(): boolean {
    this.exhausted ||= this.executions >= this.#limits.executions || this.#now() >= this.#end;
    return this.exhausted;
  }

  /** Takes the conversation for the best one if it shows. */
  async take(trace: Trace): Promise<boolean> {
    if (trace.steps.length === 0 || this.#isOver()) return false;
    const key = JSON.stringify(trace);
    let shown = this.#known.get(key);
    for (let i = 0; shown !== true && i < (shown === undefined ? this.tries : 0); i++) {
      const played = await this.play(trace);
      if (played === undefined) return false;
      if (played || i === this.tries - 1) shown = played;
    }
    this.#known.set(key, shown ?? false);
    if (shown) this.best = trace;
    return shown ?? false;
  }
}
