/** Plays smaller conversations within limits, and none of them twice. */
import type { Trace } from "../trace.ts";

export interface Limits {
  executions: number;
  ms: number;
}

/** Plays a conversation on a fresh peer: how many messages we sent, if it showed the fault. */
export type Shows = (trace: Trace) => Promise<number | undefined>;

export class Trial {
  executions = 0;
  /** True once a limit kept a conversation from being played. */
  exhausted = false;
  /** The smallest that showed. */
  best: Trace;
  /** That we sent in it when it was played last. */
  messages = Number.POSITIVE_INFINITY;
  /** How often a conversation that does not show is played; 2 where the fault does not show each time. */
  tries = 1;
  readonly #shows: Shows;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #end: number;
  /** Messages, of those that showed. */
  readonly #known = new Map<string, number | undefined>();

  constructor(trace: Trace, shows: Shows, limits: Limits, now: () => number) {
    this.best = trace;
    this.#shows = shows;
    this.#limits = limits;
    this.#now = now;
    this.#end = now() + limits.ms;
  }

  /** Plays the whole conversation once; undefined when a limit is reached. */
  async again(): Promise<boolean | undefined> {
    if (this.#isOver()) return undefined;
    const messages = await this.#play(this.best);
    this.messages = messages ?? this.messages;
    return messages !== undefined;
  }

  #play(trace: Trace): Promise<number | undefined> {
    this.executions += 1;
    return this.#shows(trace);
  }

  /** Then nothing is so much as looked at any more: a long conversation has many others next to it. */
  #isOver(): boolean {
    this.exhausted ||= this.executions >= this.#limits.executions || this.#now() >= this.#end;
    return this.exhausted;
  }

  /** Takes the conversation for the best one if it shows; `fewer`: with fewer messages than that one. */
  async take(trace: Trace, { fewer = false } = {}): Promise<boolean> {
    if (trace.steps.length === 0 || this.#isOver()) return false;
    const key = JSON.stringify(trace);
    for (let i = 0; !this.#known.has(key) && i < this.tries; i++) {
      if (this.#isOver()) return false;
      const messages = await this.#play(trace);
      if (messages !== undefined || i === this.tries - 1) this.#known.set(key, messages);
    }
    const messages = this.#known.get(key);
    if (messages === undefined || (fewer && messages >= this.messages)) return false;
    this.best = trace;
    this.messages = messages;
    return true;
  }
}
