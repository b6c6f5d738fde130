/** Plays smaller conversations within limits, and none of them twice. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { Trace } from "../trace.ts";

export interface Limits {
  executions: number;
  ms: number;
}

/** What is looked at of an outcome. */
export interface Played {
  /** That we sent. */
  messages: number;
  /** Of ours, those that were changed; none where that is not known. */
  changed?: readonly Pick<OutgoingMessage, "payloads">[];
}

/** Plays a conversation on a fresh peer: what came of it, if it showed the fault. */
export type Shows = (trace: Trace) => Promise<Played | undefined>;

export class Trial {
  executions = 0;
  /** True once a limit kept a conversation from being played. */
  exhausted = false;
  /** The smallest that showed. */
  best: Trace;
  /** What came of it when it was played last. */
  played: Played = { messages: Number.POSITIVE_INFINITY };
  /** How often a conversation that does not show is played; more than once where the fault does not show each time. */
  tries = 1;
  readonly #shows: Shows;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #end: number;
  /** What came of those that showed. */
  readonly #known = new Map<string, Played | undefined>();

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
    const played = await this.#play(this.best);
    this.played = played ?? this.played;
    return played !== undefined;
  }

  async #play(trace: Trace): Promise<Played | undefined> {
    this.executions += 1;
    const played = await this.#shows(trace);
    // Of a whole outcome no more is kept: there may be hundreds.
    return (
      played && {
        messages: played.messages,
        changed: played.changed?.map(({ payloads }) => ({ payloads })) ?? [],
      }
    );
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
      const played = await this.#play(trace);
      if (played || i === this.tries - 1) this.#known.set(key, played);
    }
    const played = this.#known.get(key);
    if (!played || (fewer && played.messages >= this.played.messages)) return false;
    this.best = trace;
    this.played = played;
    return true;
  }
}
