/** Sorts the messages of one capture into IKE SAs and exchanges. */
import type { FieldNode } from "../../harness/wire/fields.ts";
import { Lru } from "../lru.ts";
import type { View } from "../view.ts";
import { labelOf, type Place, placeOf, type Shape, type Shapes } from "./message.ts";

/** A message and where it was seen. */
export interface Said {
  shape: Shape;
  /** Place in the row of views, from 0, and number of its packet. */
  index: number;
  at: number;
  timeMs: number;
  /** It is a fragment of a message that is not complete. */
  isPiece: boolean;
}

/** Who of an IKE SA sent the request. */
export type Requester = "initiator" | "responder";

/** A request and its response, or what was seen of them. */
export interface Exchange {
  type: string;
  /** Counts exchanges of this type that this end of the IKE SA began. */
  number: number;
  messageId: number;
  request?: Said;
  response?: Said;
  /** Copies of a message, where they are compared. */
  isCopy?: true;
  /** No response is waited for. */
  isOver: boolean;
  /** It was compared; what comes now is another exchange. */
  isCompared?: true;
}

/** Which IKE SA of the capture it is, in words that fit the same one of another capture. */
export interface SaName {
  /** `IKE SA`, `IKE SA by responder`, `rekeyed IKE SA`. */
  kind: string;
  /** Among those of its kind in order of appearance, from 1. */
  number: number;
}

interface SaState {
  name: SaName;
  initiator: View["from"];
  /** The last exchanges of each end. */
  last: Record<Requester, Exchange[]>;
  counts: Map<string, number>;
}

/** An exchange that is new, or that a response was found for. */
export interface Progress {
  sa: SaName;
  requester: Requester;
  exchange: Exchange;
  isNew: boolean;
}

/** Exchanges of an end that a response or a copy may still belong to. */
const MOST_OPEN = 8;
/** A request that so many have followed is not waited for: windows are small. */
const WINDOW = 3;

/** IKE SAs that are remembered, the ones used last. */
export const MOST_SAS = 20_000;

export class Conversation {
  readonly #shapes: Shapes;
  readonly #sas = new Lru<string, SaState>(MOST_SAS);
  readonly #counts = new Map<string, number>();
  /** Who began the first IKE SA. */
  first?: View["from"];

  constructor(shapes: Shapes) {
    this.#shapes = shapes;
  }

  /** Undefined for what is no message of IKE, for copies, and for what the rules leave out. */
  take(view: View, index: number): Progress | undefined {
    const place = placeOf(view);
    if (!place) return undefined;
    const sa = this.#saOf(place, view);
    const requester = (view.from === sa.initiator) === place.isResponse ? "responder" : "initiator";
    const label = labelOf(place);
    const isCopy = view.again === true;
    if (this.#shapes.ignores(isCopy ? `retransmission of ${label}` : label)) return undefined;
    const last = sa.last[requester];
    const known = isCopy
      ? undefined
      : last.findLast((e) => e.messageId === place.messageId && e.type === place.exchange);
    const said: Said = {
      shape: this.#shapes.of(view, label, timing(view, place, known)),
      ...{ index, at: view.at, timeMs: view.timeMs },
      isPiece: view.inner === undefined && view.clear.some(({ kind }) => kind === "SKF"),
    };
    const slot = place.isResponse ? "response" : "request";
    if (known) {
      const outcome = fill(known, slot, said);
      if (outcome !== "other")
        return outcome === "filled" ? { sa: sa.name, requester, exchange: known, isNew: false } : undefined;
    }
    const exchange = this.#begin(sa, requester, place, isCopy);
    exchange[slot] = said;
    if (slot === "response" || isCopy) exchange.isOver = true;
    return { sa: sa.name, requester, exchange, isNew: true };
  }

  #begin(sa: SaState, requester: Requester, { exchange: type, messageId }: Place, isCopy: boolean): Exchange {
    const counted = `${requester} ${isCopy} ${type}`;
    const number = (sa.counts.get(counted) ?? 0) + 1;
    sa.counts.set(counted, number);
    const exchange: Exchange = { type, number, messageId, isOver: false, ...(isCopy && { isCopy }) };
    if (isCopy) return exchange;
    const last = sa.last[requester];
    last.push(exchange);
    const before = last.at(-WINDOW);
    if (before) before.isOver = true;
    if (last.length > MOST_OPEN) last.shift();
    return exchange;
  }

  #saOf(place: Place, view: View): SaState {
    const known = this.#sas.get(place.spiI);
    if (known) return known;
    const initiator = initiatorOf(place, view);
    this.first ??= initiator;
    const isInitial = place.exchange === "IKE_SA_INIT" || /^0*$/.test(place.spiR);
    const kind = `${isInitial ? "" : "rekeyed "}IKE SA${initiator === this.first ? "" : " by responder"}`;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    const last = { initiator: [], responder: [] };
    const state: SaState = { name: { kind, number }, initiator, last, counts: new Map() };
    this.#sas.set(place.spiI, state);
    return state;
  }
}

const other = (side: View["from"]): View["from"] => (side === "left" ? "right" : "left");

/** Who sends the first request is the initiator, whatever its flags say; of an IKE SA met midway the flags tell. */
function initiatorOf({ exchange, isResponse, initiator }: Place, { from }: View): View["from"] {
  if (exchange === "IKE_SA_INIT" || initiator === undefined) return isResponse ? other(from) : from;
  return initiator ? from : other(from);
}

/** Puts a message into its place. `repeated`: it says nothing new; `other`: the place holds another message. */
function fill(exchange: Exchange, slot: "request" | "response", said: Said): "filled" | "repeated" | "other" {
  const held = exchange[slot];
  if (held === undefined && slot === "response" && !exchange.isCompared) {
    exchange.response = said;
    exchange.isOver = true;
    return "filled";
  }
  if (held === undefined) return "other";
  if (said.isPiece) return "repeated";
  if (held.isPiece) {
    exchange[slot] = said;
    return "filled";
  }
  const isTriedAgain =
    exchange.type === "IKE_SA_INIT" && slot === "request" && exchange.response !== undefined;
  return held.shape.key === said.shape.key && !isTriedAgain ? "repeated" : "other";
}

/** How long the response took, for those who ask. */
function timing(view: View, { isResponse }: Place, exchange: Exchange | undefined): FieldNode[] {
  const request = exchange?.request;
  if (!isResponse || !request) return [];
  const value = `${(view.timeMs - request.timeMs).toFixed(1)} ms`;
  return [{ name: "response time", value, children: [] }];
}
