/** What the exchanges share: the SA table, timers, decisions, and the way out. */
import type { Random } from "../crypto/types.ts";
import type { Address, Datagram } from "../link/types.ts";
import { concat, equal, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { ChildSa } from "./child.ts";
import type { IkeEvent } from "./events.ts";
import { HalfOpenTable } from "./half-open.ts";
import type { Decisions, Extension } from "./hooks.ts";
import type { Policy } from "./policy.ts";
import type { IkeSa } from "./sa.ts";
import { Timers } from "./timers.ts";

export interface EndpointOptions {
  policy: Policy;
  extensions: Extension[];
  random: Random;
  /** Milliseconds. */
  now(): number;
  send(datagram: Datagram): void;
  event(event: IkeEvent): void;
  /** Is told of work that needs the event loop (TLS); the endpoint has acted on it once that is done. */
  outside?(work: Promise<void>): void;
  /** The local port on which IKE has the non-ESP marker in front, and the peer's (4500). */
  natPort: number;
  remoteNatPort: number;
}

const MOST_LINGERING = 64;
const LINGER_MS = 30_000;

export class Core {
  readonly options: EndpointOptions;
  readonly timers = new Timers();
  /** IKE SAs by our own SPI in hex. */
  readonly sas = new Map<string, IkeSa>();
  readonly halfOpen = new HalfOpenTable();
  /** Closed SAs whose last response may be asked for again, by our own SPI in hex; the oldest first. */
  readonly #lingering = new Map<string, { sa: IkeSa; until: number }>();
  /** Secret of our cookies. */
  readonly cookieSecret: Uint8Array;

  constructor(options: EndpointOptions) {
    this.options = options;
    this.cookieSecret = options.random(32);
  }

  get policy(): Policy {
    return this.options.policy;
  }

  get random(): Random {
    return this.options.random;
  }

  /** The ordinary behaviour, unless an extension (a lie or a script) says otherwise; the last one wins. */
  decide = <P extends keyof Decisions>(point: P, ordinary: Decisions[P]): Decisions[P] => {
    let answer = ordinary;
    for (const extension of this.options.extensions) answer = extension.decide?.[point] ?? answer;
    return answer;
  };

  /** What the first extension makes of it that makes anything of it. */
  first<T>(ask: (extension: Extension) => T | undefined): T | undefined {
    for (const extension of this.options.extensions) {
      const answer = ask(extension);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  emit(event: IkeEvent): void {
    this.options.event(event);
  }

  add(sa: IkeSa): void {
    this.sas.set(hex(sa.ownSpi), sa);
  }

  /** A nonce for CREATE_CHILD_SA. */
  nonce(): Uint8Array {
    return this.policy.nonce?.() ?? this.random(this.policy.nonceLength);
  }

  /** Acts on what comes later; if the SA is gone by then, calls `gone`. */
  later<T>(sa: IkeSa, work: Promise<T>, act: (result: T) => void, gone: () => void = () => {}): void {
    const acted = work.then((result) => (sa.state === "closed" ? gone() : act(result)));
    this.options.outside?.(acted);
  }

  /** Sets a timer `ms` from now. */
  after(ms: number, action: () => void): () => void {
    return this.timers.set(this.options.now() + ms, action);
  }

  /** Sends IKE octets, with the non-ESP marker if they leave from the NAT port or in a TCP connection (RFC 9329). */
  transmit(octets: Uint8Array, source: Address, destination: Address): void {
    const protocol = source.transport ?? "udp";
    const shared = protocol === "tcp" || source.port === this.options.natPort;
    const marked = shared && this.decide("non-ESP marker", "in front") === "in front";
    const data = marked ? concat(new Uint8Array(4), octets) : octets;
    this.options.send({ protocol, source, destination, data });
  }

  /** An SPI that no SA of ours has; never zero. */
  freshSpi(octets: 4 | 8): Uint8Array {
    for (;;) {
      const spi = this.random(octets);
      if (octets === 4) spi[0] = 0xc0 | (spi[0] ?? 0);
      const inUse = octets === 4 ? this.#childSpiInUse(spi) : this.sas.has(hex(spi));
      if (spi.some((b) => b !== 0) && !inUse) return spi;
    }
  }

  #childSpiInUse(spi: Uint8Array): boolean {
    for (const sa of this.sas.values()) if (sa.children.some((c) => equal(c.spiIn, spi))) return true;
    return false;
  }

  children(): ChildSa[] {
    return [...this.sas.values()].flatMap((sa) => sa.children);
  }

  closeChild(child: ChildSa, reason: string): void {
    if (child.state === "closed") return;
    child.state = "closed";
    if (child.replaces) child.replaces.replaces = undefined;
    const index = child.ike.children.indexOf(child);
    if (index >= 0) child.ike.children.splice(index, 1);
    this.emit({ type: "child-closed", child, reason });
  }

  /** Forgets the SA and its children; sends nothing. */
  closeIke(sa: IkeSa, reason: string): void {
    if (sa.state === "closed") return;
    sa.state = "closed";
    sa.closedBecause = reason;
    if (sa.replaces) sa.replaces.replaces = undefined;
    sa.cancelHalfOpen?.();
    sa.conversation?.close();
    sa.conversation = undefined;
    sa.authRounds = undefined;
    sa.pending?.cancelTimer?.();
    const unanswered = sa.pending;
    sa.pending = undefined;
    const queued = sa.queue.splice(0);
    for (const child of [...sa.children]) this.closeChild(child, reason);
    this.sas.delete(hex(sa.ownSpi));
    this.halfOpen.forget(sa);
    this.#linger(sa);
    this.emit({ type: "ike-closed", sa, reason });
    for (const extension of this.options.extensions) extension.ikeClosed?.(this, sa);
    unanswered?.answered(undefined, sa);
    for (const request of queued) request.answered(undefined, sa);
  }

  /** Our response to the request that closed the SA can get lost: its repeats are answered for a while (section 2.1). */
  #linger(sa: IkeSa): void {
    const exchangeType = sa.lastResponse?.message.header.exchangeType;
    if (exchangeType === undefined || exchangeType === EXCHANGE.IKE_SA_INIT) return;
    this.#lingering.set(hex(sa.ownSpi), { sa, until: this.options.now() + LINGER_MS });
    const oldest = this.#lingering.keys().next().value;
    if (this.#lingering.size > MOST_LINGERING && oldest !== undefined) this.#lingering.delete(oldest);
  }

  /** A closed SA, by our own SPI, that still answers repeats of the last request. */
  closedSa(spi: Uint8Array): IkeSa | undefined {
    const found = this.#lingering.get(hex(spi));
    return found && this.options.now() <= found.until ? found.sa : undefined;
  }
}
