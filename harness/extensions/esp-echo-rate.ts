/** A limit of replies per second, for each peer and for all of them together. */

const SECOND = 1000;
/** A flood of forged sources must not fill the memory. */
const MOST_PEERS = 1024;

interface Count {
  since: number;
  replies: number;
}

export class ReplyRate {
  readonly #perPeer: number;
  readonly #inAll: number;
  readonly #peers = new Map<string, Count>();
  #all: Count = { since: 0, replies: 0 };

  /** Replies per second. */
  constructor(perPeer: number, inAll: number) {
    this.#perPeer = perPeer;
    this.#inAll = inAll;
  }

  /** Counts one more reply; false if that is too many. `now` in milliseconds. */
  allows(peer: string, now: number): boolean {
    const known = current(this.#peers.get(peer), now);
    this.#all = current(this.#all, now);
    if (known.replies >= this.#perPeer || this.#all.replies >= this.#inAll) return false;
    known.replies++;
    this.#all.replies++;
    this.#peers.delete(peer);
    this.#peers.set(peer, known);
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > MOST_PEERS && oldest !== undefined) this.#peers.delete(oldest);
    return true;
  }
}

const current = (count: Count | undefined, now: number): Count =>
  count && now < count.since + SECOND ? count : { since: now, replies: 0 };
