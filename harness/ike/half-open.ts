/** SAs by the IKE_SA_INIT request that made them (RFC 7296 section 2.1), bounded against floods (section 2.6). */
import type { IkeSa } from "./sa.ts";

/** Half-open SAs a responder keeps at most; the oldest gives way. Each may hold a request and fragments of 64 KiB. */
export const MOST_HALF_OPEN = 64;

export class HalfOpenTable {
  readonly #byDigest = new Map<string, IkeSa>();
  /** Those still waiting for IKE_AUTH, oldest first. */
  readonly #waiting = new Set<IkeSa>();

  /** The SA that this request made, in whatever state it is by now. */
  find(digest: string): IkeSa | undefined {
    return this.#byDigest.get(digest);
  }

  /** Enters a half-open SA; returns the one that has to go for it, if there are too many. */
  enter(digest: string, sa: IkeSa): IkeSa | undefined {
    sa.initDigest = digest;
    this.#byDigest.set(digest, sa);
    this.#waiting.add(sa);
    return this.#waiting.size > MOST_HALF_OPEN ? this.#waiting.values().next().value : undefined;
  }

  /** The SA is past IKE_AUTH: it counts no more, but a repeat of its request must still be told from a new one. */
  established(sa: IkeSa): void {
    this.#waiting.delete(sa);
  }

  forget(sa: IkeSa): void {
    this.#waiting.delete(sa);
    if (sa.initDigest !== undefined) this.#byDigest.delete(sa.initDigest);
  }

  /** SAs that wait for IKE_AUTH. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** All SAs that were made by a request and are not closed. */
  get size(): number {
    return this.#byDigest.size;
  }
}
