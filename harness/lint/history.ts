/** What was seen so far, SA by SA: the memory of the linter, bounded whatever it is shown. */
import { equal, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { FLAG, type Proposal } from "../wire/types.ts";
import { traitsOf } from "./concern.ts";
import { childOf, learn, rekeyedSpis } from "./learn.ts";
import { readParts } from "./parts.ts";
import {
  type Exchange,
  exchangeKey,
  type LintChild,
  type LintEspSa,
  type LintIkeSa,
  type LintMessage,
  otherRole,
  type Place,
} from "./rule.ts";
import type { SeenEsp, SeenIke } from "./seen.ts";
import type { Role } from "./types.ts";

/** IKE SAs remembered, and octets of their messages; a decoded message takes up to 20 times its octets. */
const MOST_IKE_SAS = 1000;
const MOST_OCTETS = 4 * 1024 * 1024;
const MOST_ESP_SAS = 4096;
const MOST_INIT = 16;
const MOST_EXCHANGES = 64;
const MOST_CHILDREN = 256;
const MOST_TIMES = 64;

/** An IKE SA and what the linter keeps beside it. */
export interface Tracked<S> {
  sa: LintIkeSa;
  /** Of the rules of this SA. */
  state: S;
  octets: number;
  keys: string[];
}

/** What became of a message. */
export interface Placed<S> {
  tracked: Tracked<S>;
  message: LintMessage;
  place: Place;
}

const emptySa = (spiI: Uint8Array): LintIkeSa => ({
  spiI: spiI.slice(),
  ends: {},
  init: [],
  exchanges: new Map(),
  children: new Map(),
  window: { initiator: 1, responder: 1 },
  announced: { initiator: new Set(), responder: new Set() },
});

const isZero = (spi: Uint8Array): boolean => spi.every((octet) => octet === 0);
const keyOf = (spiI: Uint8Array, spiR: Uint8Array): string => `${hex(spiI)}:${hex(spiR)}`;

const newExchange = (message: LintMessage): Exchange => ({
  type: message.exchangeType,
  messageId: message.messageId,
  by: message.isResponse ? otherRole(message.by) : message.by,
  requestTimes: [],
  responseTimes: [],
});

/** Spelt out, for there are many: to spread parts of it takes longer than all the rest. */
function messageOf(seen: SeenIke, isResponse: boolean, by: Role): LintMessage {
  const { exchangeType, messageId } = seen.message.header;
  const { clear, content, protected: isProtected, opened } = readParts(seen);
  return {
    seen,
    packet: seen.packets.at(-1) ?? 0,
    isResponse,
    exchangeType,
    messageId,
    by,
    clear,
    content,
    protected: isProtected,
    opened,
    traits: traitsOf(exchangeType, isResponse, clear, content),
  };
}

const sameOctets = (a: LintMessage | undefined, b: LintMessage): boolean =>
  a !== undefined && equal(a.seen.octets, b.seen.octets);

function dropOldest<V>(map: Map<string, V>, most: number, dropped?: (value: V) => void): void {
  for (const [key, value] of map) {
    if (map.size <= most) return;
    map.delete(key);
    dropped?.(value);
  }
}

export class History<S, E> {
  #ike = new Map<string, Tracked<S>>();
  #esp = new Map<string, { sa: LintEspSa; state: E }>();
  #children = new Map<string, { child: LintChild; receiver: Role }>();
  #octets = 0;
  #beginIke: (sa: LintIkeSa) => S;
  #beginEsp: (sa: LintEspSa) => E;

  constructor(beginIke: (sa: LintIkeSa) => S, beginEsp: (sa: LintEspSa) => E) {
    this.#beginIke = beginIke;
    this.#beginEsp = beginEsp;
  }

  /** Finds the place of a message; the SA has not learned from it yet, see `settle`. */
  place(seen: SeenIke): Placed<S> {
    const tracked = this.#find(seen);
    const { sa } = tracked;
    const isResponse = (seen.message.header.flags & FLAG.response) !== 0;
    const by = this.#roleOf(sa, seen, isResponse);
    sa.ends[by] ??= seen.source;
    sa.ends[otherRole(by)] ??= seen.destination;
    const message = messageOf(seen, isResponse, by);
    const place = seen.opening === "waiting" ? this.#partial(sa, message) : this.#record(tracked, message);
    return { tracked, message, place };
  }

  /** Lets the SA learn from a message after it was judged, and forgets what is too much. */
  settle({ tracked, message, place }: Placed<S>): void {
    const { sa } = tracked;
    if (place.as === "first" && (message.opened || !message.protected)) {
      learn(sa, message);
      if (message.opened && message.isResponse && place.exchange)
        this.#settleResponse(tracked, place.exchange);
    }
    if (message.protected && !message.opened) sa.closed = true;
    this.#forget(tracked);
  }

  /** The direction an ESP packet belongs to. */
  esp(packet: SeenEsp): { sa: LintEspSa; state: E } {
    const key = espKey(packet.spi, packet.destination.host);
    let entry = this.#esp.get(key);
    if (!entry) {
      const known = this.#children.get(key);
      const sa: LintEspSa = { spi: packet.spi, destination: packet.destination.host, packets: 0 };
      if (known) Object.assign(sa, { child: known.child, by: otherRole(known.receiver) });
      entry = { sa, state: this.#beginEsp(sa) };
      this.#esp.set(key, entry);
      dropOldest(this.#esp, MOST_ESP_SAS);
    }
    return entry;
  }

  #find(seen: SeenIke): Tracked<S> {
    const { spiI, spiR, exchangeType, flags } = seen.message.header;
    if (exchangeType !== EXCHANGE.IKE_SA_INIT) return this.#fetch(keyOf(spiI, spiR), spiI, spiR);
    const isResponse = (flags & FLAG.response) !== 0;
    const host = isResponse ? seen.destination.host : seen.source.host;
    const attemptKey = `${hex(spiI)}@${host}`;
    const attempt = this.#ike.get(attemptKey);
    if (isResponse) return this.#findAnswered(seen, attempt, attemptKey);
    const known = attempt?.sa.init.some(({ request }) => request && equal(request.seen.octets, seen.octets));
    if (attempt && (attempt.sa.spiR === undefined || known)) return this.#touch(attemptKey, attempt);
    const fresh = this.#track(attemptKey, emptySa(spiI));
    fresh.sa.begun = "IKE_SA_INIT";
    return fresh;
  }

  /** An answer in IKE_SA_INIT: one with an SA payload gives the attempt its responder's SPI. */
  #findAnswered(seen: SeenIke, attempt: Tracked<S> | undefined, attemptKey: string): Tracked<S> {
    const { spiI, spiR } = seen.message.header;
    const isFinal = !isZero(spiR) && seen.message.payloads.some(({ type }) => type === PAYLOAD.SA);
    if (!isFinal)
      return attempt ? this.#touch(attemptKey, attempt) : this.#fetch(keyOf(spiI, spiR), spiI, spiR);
    const key = keyOf(spiI, spiR);
    const known = this.#ike.get(key);
    if (known) return this.#touch(key, known);
    if (!attempt) return this.#fetch(key, spiI, spiR);
    if (attempt.sa.spiR !== undefined) return this.#fork(key, attempt.sa, spiR);
    attempt.sa.spiR = spiR.slice();
    attempt.keys.push(key);
    this.#ike.set(key, attempt);
    return attempt;
  }

  /** Two responders took one request, or a forger did: each has its own SA. */
  #fork(key: string, from: LintIkeSa, spiR: Uint8Array): Tracked<S> {
    const sa = emptySa(from.spiI);
    Object.assign(sa, { spiR: spiR.slice(), begun: from.begun, ends: { ...from.ends } });
    sa.init = from.init.map(({ response: _, ...exchange }) => ({ ...exchange, responseTimes: [] }));
    return this.#track(key, sa);
  }

  #fetch(key: string, spiI: Uint8Array, spiR: Uint8Array): Tracked<S> {
    const known = this.#ike.get(key);
    if (known) return this.#touch(key, known);
    const sa = emptySa(spiI);
    if (!isZero(spiR)) sa.spiR = spiR.slice();
    return this.#track(key, sa);
  }

  #touch(key: string, tracked: Tracked<S>): Tracked<S> {
    this.#ike.delete(key);
    this.#ike.set(key, tracked);
    return tracked;
  }

  #track(key: string, sa: LintIkeSa): Tracked<S> {
    const tracked = { sa, state: this.#beginIke(sa), octets: 0, keys: [key] };
    this.#ike.set(key, tracked);
    return tracked;
  }

  /** By addresses, as far as they were seen, because a flag may be wrong; else by the Initiator flag. */
  #roleOf(sa: LintIkeSa, seen: SeenIke, isResponse: boolean): Role {
    const { header } = seen.message;
    if (header.exchangeType === EXCHANGE.IKE_SA_INIT) return isResponse ? "responder" : "initiator";
    const { initiator, responder } = sa.ends;
    if (initiator && responder && initiator.host !== responder.host) {
      if (seen.source.host === initiator.host || seen.destination.host === responder.host) return "initiator";
      if (seen.source.host === responder.host || seen.destination.host === initiator.host) return "responder";
    }
    return (header.flags & FLAG.initiator) !== 0 ? "initiator" : "responder";
  }

  /** A fragment of a message that is not complete: its exchange is known, and no more; or one that is left over. */
  #partial(sa: LintIkeSa, message: LintMessage): Place {
    const exchange = this.#exchangeOf(sa, message);
    const isKnown = exchange[message.isResponse ? "response" : "request"] !== undefined;
    if (message.seen.completeIn !== undefined && isKnown) return { exchange, as: "copy" };
    exchange.partial = true;
    return { exchange, as: "first" };
  }

  #exchangeOf(sa: LintIkeSa, message: LintMessage): Exchange {
    const key = exchangeKey(message.isResponse ? otherRole(message.by) : message.by, message.messageId);
    let exchange = sa.exchanges.get(key);
    if (!exchange) {
      exchange = newExchange(message);
      sa.exchanges.set(key, exchange);
    }
    return exchange;
  }

  #record(tracked: Tracked<S>, message: LintMessage): Place {
    const { sa } = tracked;
    const exchange =
      message.exchangeType === EXCHANGE.IKE_SA_INIT
        ? this.#initExchange(sa, message)
        : this.#exchangeOf(sa, message);
    const side = message.isResponse ? "response" : "request";
    const times = exchange[`${side}Times`];
    if (times.length < MOST_TIMES) times.push(message.seen.timeMs);
    const before = exchange[side];
    const isCopy = sameOctets(before, message) || message.seen.repeats !== undefined;
    if (before) return { exchange, as: isCopy ? "copy" : "variant" };
    exchange[side] = message;
    this.#charge(tracked, message.seen.octets.length + (message.seen.plaintext?.length ?? 0));
    return { exchange, as: "first" };
  }

  /** Every other request of IKE_SA_INIT has Message ID 0 too: a response goes to the newest that has none. */
  #initExchange(sa: LintIkeSa, message: LintMessage): Exchange {
    const side = message.isResponse ? "response" : "request";
    const same = sa.init.find((exchange) => sameOctets(exchange[side], message));
    if (same) return same;
    const open = message.isResponse ? sa.init.at(-1) : undefined;
    if (open) return open;
    const exchange = newExchange(message);
    sa.init.push(exchange);
    if (sa.init.length > MOST_INIT) sa.init.splice(1, 1);
    return exchange;
  }

  #charge(tracked: Tracked<S>, octets: number): void {
    tracked.octets += octets;
    this.#octets += octets;
  }

  /** SAs that come to be by a response. */
  #settleResponse(tracked: Tracked<S>, exchange: Exchange): void {
    const { sa } = tracked;
    const child = childOf(sa, exchange);
    if (child) this.#index(child);
    const spis = rekeyedSpis(exchange);
    if (spis === undefined) return;
    const made = this.#track(keyOf(spis.spiI, spis.spiR), emptySa(spis.spiI));
    const swap = exchange.by === "responder";
    Object.assign(made.sa, { spiR: spis.spiR.slice(), begun: "rekey", established: true, suite: spis.suite });
    made.sa.ends = swap ? { initiator: sa.ends.responder, responder: sa.ends.initiator } : { ...sa.ends };
    made.sa.parent = sa;
    sa.parent = undefined;
    this.#inherit(sa, made.sa, swap);
    if (!hasMoreKeyExchanges(spis.suite)) sa.successor = made.sa;
  }

  /** The Child SAs go over to the new IKE SA; with `swap`, its original initiator is the old one's responder. */
  #inherit(from: LintIkeSa, to: LintIkeSa, swap: boolean): void {
    for (const child of new Set(from.children.values())) {
      const spi = swap ? { initiator: child.spi.responder, responder: child.spi.initiator } : child.spi;
      const requester = swap ? otherRole(child.requester) : child.requester;
      this.#index({ ...child, spi, requester, ike: to });
    }
  }

  #index(child: LintChild): void {
    const { ike } = child;
    for (const receiver of ["initiator", "responder"] as const) {
      const spi = hex(child.spi[receiver]);
      ike.children.set(spi, child);
      const host = ike.ends[receiver]?.host;
      if (child.spi[receiver].length !== 4 || host === undefined) continue;
      const key = espKey(Number.parseInt(spi, 16), host);
      this.#children.set(key, { child, receiver });
      const used = this.#esp.get(key);
      if (used?.sa.child?.chosen === child.chosen) Object.assign(used.sa, { child, by: otherRole(receiver) });
      else this.#esp.delete(key);
    }
    dropOldest(ike.children, 2 * MOST_CHILDREN);
    dropOldest(this.#children, MOST_ESP_SAS);
  }

  #forget(newest: Tracked<S>): void {
    const { sa } = newest;
    dropOldest(sa.exchanges, MOST_EXCHANGES, ({ request, response }) => {
      for (const message of [request, response])
        if (message)
          this.#charge(newest, -message.seen.octets.length - (message.seen.plaintext?.length ?? 0));
    });
    for (const [, tracked] of this.#ike) {
      if (this.#ike.size <= MOST_IKE_SAS && this.#octets <= MOST_OCTETS) return;
      if (tracked !== newest) this.#evict(tracked);
    }
  }

  #evict(tracked: Tracked<S>): void {
    const { sa } = tracked;
    for (const key of tracked.keys) if (this.#ike.get(key) === tracked) this.#ike.delete(key);
    this.#charge(tracked, -tracked.octets);
    for (const [key, { child }] of this.#children) {
      if (child.ike !== sa) continue;
      this.#children.delete(key);
      this.#esp.delete(key);
    }
    sa.init = [];
    sa.exchanges.clear();
    sa.children = new Map();
    sa.closed = true;
    sa.parent = undefined;
    sa.successor = undefined;
    sa.auth = undefined;
  }
}

/** Further key exchanges follow before the new IKE SA stands (RFC 9370). */
const hasMoreKeyExchanges = ({ transforms }: Proposal): boolean =>
  transforms.some(({ type, id }) => type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7 && id !== 0);

const espKey = (spi: number, host: string): string => `${spi}@${host}`;
