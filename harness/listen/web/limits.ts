/** How much of this server anybody may take, and the counts by which it is held to that. */

export interface Limits {
  /** TCP connections altogether; those of one source. */
  connections: number;
  perSource: number;
  /** Event streams: altogether, of one source, of one session. */
  streams: number;
  streamsPerSource: number;
  streamsPerSession: number;
  /** What one source may ask for by POST at once, and how many of these come back in a minute. */
  posts: number;
  /** Milliseconds: until the head of a request is there, all of it, and its reply is taken. */
  headMs: number;
  requestMs: number;
  replyMs: number;
  /** Milliseconds between signs of life in a stream of events; how long its reader may take nothing. */
  beatMs: number;
  slowMs: number;
}

export const LIMITS: Limits = {
  ...{ connections: 1000, perSource: 256, streams: 512, streamsPerSource: 128, streamsPerSession: 16 },
  ...{ posts: 60, headMs: 10_000, requestMs: 15_000, replyMs: 60_000, beatMs: 15_000, slowMs: 30_000 },
};

/** Octets of a request's body, letters of its target, and octets of its head. */
export const MOST_BODY = 16 * 1024;
export const MOST_TARGET = 1024;
export const MOST_HEAD = 8 * 1024;

/** Sources that are remembered; of more, the one that was quiet longest is forgotten. */
const MOST_SOURCES = 4096;

const MINUTE_MS = 60_000;

/** For each source a bucket of `size` tokens that is full again after a minute. */
export class Rate {
  readonly #size: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes a token: 0 if there was one, else the milliseconds until there is. */
  take(source: string, now: number): number {
    const { tokens, at } = this.#buckets.get(source) ?? { tokens: this.#size, at: now };
    const filled = Math.min(this.#size, tokens + ((now - at) * this.#size) / MINUTE_MS);
    this.#buckets.delete(source);
    this.#buckets.set(source, { tokens: filled >= 1 ? filled - 1 : filled, at: now });
    if (this.#buckets.size > MOST_SOURCES)
      for (const quiet of this.#buckets.keys()) {
        this.#buckets.delete(quiet);
        break;
      }
    return filled >= 1 ? 0 : Math.ceil(((1 - filled) * MINUTE_MS) / this.#size);
  }
}

/** Counts by name; a name whose count is 0 is not kept. */
export class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, change: 1 | -1): void {
    const count = this.of(name) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
