/**
 * Compares two captures by meaning. Both are read side by side; what is equal is let go of at once, so that captures of
 * any length are compared in little memory.
 */
import { PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import { Lru } from "../lru.ts";
import type { View } from "../view.ts";
import { compareParts } from "./compare.ts";
import {
  Conversation,
  type Exchange,
  MOST_SAS,
  type Requester,
  type Said,
  type SaName,
} from "./conversation.ts";
import { type EspSa, EspSas } from "./esp.ts";
import { Shapes } from "./message.ts";
import { pairInOrder, unlikeness } from "./pairing.ts";
import { DiffRules } from "./rules.ts";
import type { Difference, Found } from "./types.ts";

/** Exchanges of one row that wait for a partner, before those that are there are compared. */
const MOST_WAITING = 200;
/** The same over all IKE SAs. */
const MOST_HELD = 10_000;
/** Differences that are listed. */
export const MOST_LISTED = 10_000;

type Side = "a" | "b";
type Row = Record<Side, Exchange[]>;

interface SaPair {
  name: SaName;
  rows: Record<Requester, Row>;
}

/** The differences, in order of appearance, and how many more there are than are listed. */
export interface Comparison {
  differences: Difference[];
  more: number;
}

/** What differs between two rows of views. Rules remember what they were asked: let comparisons share them. */
export function diffViews(a: Iterable<View>, b: Iterable<View>, rules: DiffRules): Difference[] {
  return compareViews(a, b, rules).differences;
}

/** As {@link diffViews}; reads on where less is held. */
export function compareViews(a: Iterable<View>, b: Iterable<View>, rules = new DiffRules()): Comparison {
  const comparer = new Comparer(rules);
  const readers = { a: a[Symbol.iterator](), b: b[Symbol.iterator]() };
  const open = { a: true, b: true };
  try {
    while (open.a || open.b) {
      const side = open.a && (!open.b || comparer.isBehind("a")) ? "a" : "b";
      const next = readers[side].next();
      if (next.done) open[side] = false;
      else comparer.take(side, next.value);
    }
  } finally {
    // Where one cannot be read further, the other's file is closed too.
    for (const reader of Object.values(readers)) reader.return?.();
  }
  return comparer.end();
}

/** Compares while it is fed. */
class Comparer {
  readonly #rules: DiffRules;
  readonly #conversations: Record<Side, Conversation>;
  readonly #esp = { a: new EspSas(), b: new EspSas() };
  readonly #pairs = new Lru<string, SaPair>(MOST_SAS);
  readonly #held = { a: 0, b: 0 };
  readonly #read = { a: 0, b: 0 };
  readonly #differences: Difference[] = [];
  #more = 0;

  constructor(rules: DiffRules) {
    this.#rules = rules;
    const shapes = new Shapes(rules);
    this.#conversations = { a: new Conversation(shapes), b: new Conversation(shapes) };
  }

  isBehind(side: Side): boolean {
    const other = side === "a" ? "b" : "a";
    const lead = this.#held[side] - this.#held[other];
    return lead < 0 || (lead === 0 && this.#read[side] <= this.#read[other]);
  }

  take(side: Side, view: View): void {
    const index = this.#read[side]++;
    if (view.kind === "esp") this.#esp[side].take(view, index);
    const progress = this.#conversations[side].take(view, index);
    if (!progress) return;
    const pair = this.#pairOf(progress.sa);
    const row = pair.rows[progress.requester];
    if (progress.isNew) {
      row[side].push(progress.exchange);
      this.#held[side] += 1;
    }
    this.#letGo(row);
    if (row.a.length > MOST_WAITING && row.b.length > MOST_WAITING) this.#settle(pair, progress.requester);
    while (this.#held.a + this.#held.b > MOST_HELD && this.#settleOldest());
  }

  end(): Comparison {
    while (this.#settleOldest());
    this.#compareEsp();
    const place = (d: Difference): number => Math.min(d.indexA ?? Infinity, d.indexB ?? Infinity);
    return { differences: this.#differences.sort((x, y) => place(x) - place(y)), more: this.#more };
  }

  #pairOf(name: SaName): SaPair {
    const key = `${name.kind} ${name.number}`;
    const known = this.#pairs.get(key);
    if (known) return known;
    const pair: SaPair = {
      name,
      rows: { initiator: { a: [], b: [] }, responder: { a: [], b: [] } },
    };
    const old = this.#pairs.set(key, pair);
    if (old) this.#settleSa(old);
    return pair;
  }

  /** Forgets what is equal in front. */
  #letGo(row: Row): void {
    for (;;) {
      const [a, b] = [row.a[0], row.b[0]];
      if (!a?.isOver || !b?.isOver || keyOfExchange(a) !== keyOfExchange(b)) return;
      this.#drop(row, 1, 1);
    }
  }

  #drop(row: Row, a: number, b: number): void {
    for (const exchange of [...row.a.splice(0, a), ...row.b.splice(0, b)]) forget(exchange);
    this.#held.a -= a;
    this.#held.b -= b;
  }

  #settleOldest(): boolean {
    const pair = this.#pairs.shift();
    if (pair) this.#settleSa(pair);
    return pair !== undefined;
  }

  #settleSa(pair: SaPair): void {
    for (const requester of ["initiator", "responder"] as const) this.#settle(pair, requester);
  }

  /** Compares all that waits in a row. */
  #settle({ name, rows }: SaPair, requester: Requester): void {
    const row = rows[requester];
    const { a, b } = row;
    const pairs = pairInOrder(a, b, keyOfExchange, costOf);
    const [pairedA, pairedB] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))];
    const namer = new Namer(name, requester);
    for (const [i, j] of pairs) this.#comparePair(a[i]!, b[j]!, namer);
    const lone = { a: a.filter((_, i) => !pairedA.has(i)), b: b.filter((_, j) => !pairedB.has(j)) };
    for (const [one, other] of takeEqual(lone)) this.#report(namer.moved(one, other), one, other);
    for (const one of lone.a) this.#report(namer.alone(one, "missing"), one, undefined);
    for (const one of lone.b) this.#report(namer.alone(one, "added"), undefined, one);
    this.#drop(row, a.length, b.length);
  }

  #comparePair(a: Exchange, b: Exchange, namer: Namer): void {
    if (keyOfExchange(a) === keyOfExchange(b)) return;
    const number = Math.min(a.number, b.number);
    for (const slot of ["request", "response"] as const) {
      const [one, other] = [a[slot], b[slot]];
      const path = namer.message(a, slot, number);
      if (one && other) {
        if (one.shape.key === other.shape.key) continue;
        for (const found of compareParts(one.shape.parts, other.shape.parts, path))
          this.#add({ ...found, message: path, ...seenAt(one, other) });
      } else if (one) this.#add({ kind: "missing", path, message: path, a: contents(one), ...seenAt(one) });
      else if (other)
        this.#add({ kind: "added", path, message: path, b: contents(other), ...seenAt(undefined, other) });
    }
  }

  #report(found: Found, a: Exchange | undefined, b: Exchange | undefined): void {
    const said = (exchange: Exchange | undefined): Said | undefined =>
      exchange?.request ?? exchange?.response;
    this.#add({ ...found, message: found.path, ...seenAt(said(a), said(b)) });
  }

  #compareEsp(): void {
    const first = (side: Side): View["from"] => this.#conversations[side].first ?? "left";
    const sas = {
      a: this.#esp.a.all(first("a"), this.#rules),
      b: new Map(this.#esp.b.all(first("b"), this.#rules).map((sa) => [sa.label, sa])),
    };
    for (const one of sas.a) {
      const other = sas.b.get(one.label);
      sas.b.delete(one.label);
      this.#compareEspSa(one, other);
    }
    for (const other of sas.b.values()) this.#compareEspSa(undefined, other);
  }

  #compareEspSa(a: EspSa | undefined, b: EspSa | undefined): void {
    const path = (a ?? b)?.label ?? "";
    const where = { message: path, ...seenAt(a, b) };
    if (!a || !b) return this.#add({ kind: a ? "missing" : "added", path, ...where });
    for (const found of compareParts(a.parts, b.parts, path)) this.#add({ ...found, ...where });
  }

  #add(difference: Difference): void {
    if (this.#differences.length < MOST_LISTED) this.#differences.push(difference);
    else this.#more += 1;
  }
}

/** What was compared is remembered for its copies, but not what was in it. */
function forget(exchange: Exchange): void {
  exchange.isCompared = true;
  for (const said of [exchange.request, exchange.response])
    if (said) said.shape = { parts: [], names: [], key: said.shape.key };
}

type SeenAt = Pick<Difference, "indexA" | "indexB" | "atA" | "atB">;

const seenAt = (
  a: Pick<Said, "index" | "at"> | undefined,
  b?: Pick<Said, "index" | "at"> | undefined,
): SeenAt => ({
  ...(a && { indexA: a.index, atA: a.at }),
  ...(b && { indexB: b.index, atB: b.at }),
});

const contents = ({ shape }: Said): string =>
  shape.names.length === 0 ? "no payloads" : shape.names.join(" ");

const keyOfExchange = ({ type, request, response, isCopy }: Exchange): string =>
  `${isCopy === true} ${type} ${request?.shape.key ?? ""} ${response?.shape.key ?? ""}`;

/** Exchanges of one type belong together the more, the more payloads they have in common. */
function costOf(a: Exchange, b: Exchange): number {
  if (a.type !== b.type || a.isCopy !== b.isCopy) return Infinity;
  if (keyOfExchange(a) === keyOfExchange(b)) return 0;
  const names = (exchange: Exchange): string[] =>
    [exchange.request, exchange.response].flatMap((said, at) =>
      (said?.shape.names ?? []).map((name) => `${at} ${name}`),
    );
  return 0.5 + unlikeness(names(a), names(b));
}

/** Takes out of both rows what is equal, but stood at another place. */
function takeEqual(lone: Row): [Exchange, Exchange][] {
  const waiting = new Map<string, Exchange[]>();
  for (const exchange of [...lone.b].reverse()) {
    const key = keyOfExchange(exchange);
    const others = waiting.get(key);
    if (others) others.push(exchange);
    else waiting.set(key, [exchange]);
  }
  const pairs = lone.a.flatMap((exchange): [Exchange, Exchange][] => {
    const other = waiting.get(keyOfExchange(exchange))?.pop();
    return other ? [[exchange, other]] : [];
  });
  const taken = new Set(pairs.flat());
  lone.a = lone.a.filter((exchange) => !taken.has(exchange));
  lone.b = lone.b.filter((exchange) => !taken.has(exchange));
  return pairs;
}

/** The labels of messages and exchanges of one end of an IKE SA. */
class Namer {
  readonly #above: string;
  readonly #requester: Requester;

  constructor({ kind, number }: SaName, requester: Requester) {
    const isFirst = kind === "IKE SA" && number === 1;
    this.#above = isFirst ? "" : `${kind}${number === 1 ? "" : ` ${number}`}${PATH_SEPARATOR}`;
    this.#requester = requester;
  }

  /** `IKE_AUTH request`; `#2` for the second of its kind. */
  message(exchange: Exchange, what: "request" | "response" | "exchange", number = exchange.number): string {
    const preposition = what === "response" ? "to" : "by";
    return [
      `${this.#above}${exchange.isCopy ? "retransmission of " : ""}${exchange.type} ${what}`,
      ...(this.#requester === "responder" ? [`${preposition} responder`] : []),
      ...(number === 1 ? [] : [`#${number}`]),
    ].join(" ");
  }

  alone(exchange: Exchange, kind: "missing" | "added"): Found {
    const { request, response } = exchange;
    const path = this.message(exchange, request && response ? "exchange" : request ? "request" : "response");
    const text = [request, response].flatMap((said) => (said ? [contents(said)] : [])).join(" / ");
    return { kind, path, ...(kind === "missing" ? { a: text } : { b: text }) };
  }

  moved(a: Exchange, b: Exchange): Found {
    const path = this.message(a, "exchange", Math.min(a.number, b.number));
    return { kind: "reordered", path, a: `#${a.number}`, b: `#${b.number}` };
  }
}
