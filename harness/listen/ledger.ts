/** Octets in and out by host: an address that was never proven gets no more than came from it. */

/** Hosts that are remembered; who is forgotten begins anew with nothing, which favours nobody. */
const MOST_HOSTS = 8_192;
/** How long a proof holds: addresses change hands. */
const PROVEN_MS = 10 * 60_000;

interface Account {
  in: number;
  out: number;
  /** Until when the host is known to get what we send there; 0: never proven. */
  provenUntil: number;
}

export class Ledger {
  /** By host; who was heard last is last. */
  readonly #accounts = new Map<string, Account>();
  readonly #now: () => number;
  /** Datagrams that were not sent, as they would have been more than came. */
  refused = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** So many octets came from there, or were said to. */
  received(host: string, octets: number): void {
    const account = this.#accounts.get(host) ?? { in: 0, out: 0, provenUntil: 0 };
    account.in += octets;
    this.#accounts.delete(host);
    this.#accounts.set(host, account);
    const oldest = this.#accounts.keys().next().value;
    if (this.#accounts.size > MOST_HOSTS && oldest !== undefined) this.#accounts.delete(oldest);
  }

  /** True if so many octets may go there; they are counted then. */
  maySend(host: string, octets: number): boolean {
    const account = this.#accounts.get(host);
    if (account && (this.isProven(host) || account.out + octets <= account.in)) {
      account.out += octets;
      return true;
    }
    this.refused += 1;
    return false;
  }

  /** A message came from there that only who got our answer can have sent. */
  prove(host: string): void {
    const account = this.#accounts.get(host);
    if (account) account.provenUntil = this.#now() + PROVEN_MS;
  }

  isProven(host: string): boolean {
    return (this.#accounts.get(host)?.provenUntil ?? 0) > this.#now();
  }

  /** What came from there and went there. */
  of(host: string): { in: number; out: number } {
    const { in: came = 0, out = 0 } = this.#accounts.get(host) ?? {};
    return { in: came, out };
  }
}

/** At most `burst` at once, and `perSecond` from then on, of each key. */
export class Rates {
  readonly #buckets = new Map<string, { left: number; at: number }>();
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;

  constructor(burst: number, perSecond: number, now: () => number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** True if there is one more for this key; it is taken then. */
  take(key: string): boolean {
    const now = this.#now();
    const before = this.#buckets.get(key) ?? { left: this.#burst, at: now };
    const left = Math.min(this.#burst, before.left + ((now - before.at) * this.#perSecond) / 1_000);
    const taken = left >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: taken ? left - 1 : left, at: now });
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > MOST_HOSTS && oldest !== undefined) this.#buckets.delete(oldest);
    return taken;
  }
}
