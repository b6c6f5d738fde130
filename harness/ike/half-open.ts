/** SAs by the IKE_SA_INIT request that made them (RFC 7296 section 2.1), bounded against floods (section 2.6). */
import { hex } from "../wire/bytes.ts";
import { parseAddress } from "../wire/ip.ts";
import type { IkeSa } from "./sa.ts";

/** Half-open SAs a responder keeps at most. Each may hold a request of 64 KiB and as much in fragments. */
export const MOST_HALF_OPEN = 64;
/** So many of them are a reason to ask further initiators for a cookie (RFC 7296 section 2.6). */
export const MANY_HALF_OPEN = 32;
/** An origin that has more of them than this takes the place of others; with fewer it may be many behind one NAT. */
const FAIR_SHARE = 8;

export class HalfOpenTable {
  readonly #byDigest = new Map<string, IkeSa>();
  /** Those still waiting for IKE_AUTH; first who has got no further for the longest time. */
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
    return this.#waiting.size > MOST_HALF_OPEN ? this.#longestOfTheBusiest() : undefined;
  }

  /** An authentic request of this SA was answered: others have waited longer now. */
  progressed(sa: IkeSa): void {
    if (this.#waiting.delete(sa)) this.#waiting.add(sa);
  }

  /** A flood from one origin costs it its own SAs, and one from many origins those that get no further. */
  #longestOfTheBusiest(): IkeSa | undefined {
    const counts = new Map<string, number>();
    for (const { remote } of this.#waiting) {
      const origin = originOf(remote.host);
      counts.set(origin, (counts.get(origin) ?? 0) + 1);
    }
    const most = Math.max(...counts.values());
    const spared = (count = 0) => most > FAIR_SHARE && count < most;
    return [...this.#waiting].find(({ remote }) => !spared(counts.get(originOf(remote.host))));
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

/** Of IPv6 addresses the first 64 bits: one host has all that are behind them, so they count as one (RFC 8019). */
function originOf(host: string): string {
  const octets = parseAddress(host);
  return octets ? hex(octets.subarray(0, 8)) : host;
}
