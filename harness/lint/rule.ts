/**
 * What a rule is and what it may look at. A rule accuses the sender of the packet at hand, and only of what is certain:
 * it is silent where what it needs is closed, or was before the capture began.
 */
import type { Payload, Proposal, TrafficSelector } from "../wire/types.ts";
import type { ProposalPlace } from "./sa-places.ts";
import type { End, SeenEsp, SeenIke } from "./seen.ts";
import type { Breach, Role } from "./types.ts";

/** A payload and where it stands. */
export interface Part<P extends Payload = Payload> {
  payload: P;
  /** Octets from the start of the message, or of the decrypted content, to its generic header. */
  at: number;
  /** Set when `at` counts within the decrypted content. */
  inside?: true;
  /** Its name in field paths: `SA`, `N(COOKIE)`. */
  field: string;
  /** Of an SA payload, once they were asked for. */
  proposals?: readonly ProposalPlace[];
}

/** An IKE message as rules see it. */
export interface LintMessage {
  seen: SeenIke;
  /** Number of the packet that completed it. */
  packet: number;
  isResponse: boolean;
  exchangeType: number;
  messageId: number;
  /** Who sent it. */
  by: Role;
  /** Payloads in clear, with SK or SKF at their end if there is one. */
  clear: readonly Part[];
  /** What it carries: the payloads inside SK, or those in clear where nothing is encrypted. Not set when it is closed. */
  content?: readonly Part[];
  /** True if it travels in SK or SKF. */
  protected: boolean;
  /** True if it was in SK and could be opened: it is from the peer, not from a forger. */
  opened: boolean;
  traits: Traits;
}

/** What of a message decides which rules are asked about it, as bits: see `concern.ts`. */
export interface Traits {
  exchange: number;
  side: number;
  payloads: number;
  notifies: number;
}

/** A request and what came back. Closed messages have their place in it too. */
export interface Exchange {
  type: number;
  messageId: number;
  /** Who sent the request. */
  by: Role;
  request?: LintMessage;
  /** The first response; in IKE_SA_INIT each request has its own exchange. */
  response?: LintMessage;
  /** Times of all copies of each, in milliseconds; the first 64. */
  requestTimes: number[];
  responseTimes: number[];
  /** Set when fragments were seen of a message that is not complete. */
  partial?: true;
}

/** A Child SA: a pair of ESP or AH SAs that was seen to be negotiated. */
export interface LintChild {
  protocolId: number;
  /** Who sent the request that made it. */
  requester: Role;
  /** SPI by its receiver: `spi.initiator` is in the packets towards the original initiator. */
  spi: Record<Role, Uint8Array>;
  /** The proposals offered, and the one chosen. */
  offer: readonly Proposal[];
  chosen: Proposal;
  /** The selectors of the response; addresses of the requester's side first. Not set when there were none. */
  tsi?: readonly TrafficSelector[];
  tsr?: readonly TrafficSelector[];
  /** Types of the status notifies in the request and in the response. */
  asked: ReadonlySet<number>;
  answered: ReadonlySet<number>;
  /** The one it replaced. */
  rekeys?: LintChild;
  /** Set when a Delete for it was seen, by either side. */
  deleted?: true;
  /** The IKE SA it was made on. */
  ike: LintIkeSa;
}

/** An IKE SA as far as it was seen. */
export interface LintIkeSa {
  spiI: Uint8Array;
  /** Not set while only requests of IKE_SA_INIT were seen. */
  spiR?: Uint8Array;
  /** How its beginning was seen. Not set when the capture began later, or the rekey that made it was closed. */
  begun?: "IKE_SA_INIT" | "rekey";
  /** The IKE SA it replaced; its own parent is forgotten. */
  parent?: LintIkeSa;
  /** Addresses as first seen. */
  ends: Partial<Record<Role, End>>;
  /** Exchanges of IKE_SA_INIT, the retries too; at most 16. */
  init: Exchange[];
  /** The chosen proposal, as the response has it. */
  suite?: Proposal;
  /** The newest exchanges, at most 32 by each side, by `exchangeKey`. Those of IKE_SA_INIT are in `init`. */
  exchanges: Map<string, Exchange>;
  /** The first request of IKE_AUTH: what it offers is answered in the last response. */
  auth?: LintMessage;
  /** Set when the response was seen that ends authentication, or it was made by a rekey. */
  established?: true;
  /** Set when a message was seen that is encrypted and could not be opened: what it said is not known. */
  closed?: true;
  /** Child SAs made on it and those it inherited, at most 256: by SPI in hex, each under both. */
  children: Map<string, LintChild>;
  /** Requests that each side lets the other have open, where it told. */
  window: Record<Role, number>;
  /** Types of the notifies that each side sent in IKE_SA_INIT and IKE_AUTH. */
  announced: Record<Role, Set<number>>;
  /** The IKE SA that replaced it; it need not be the only one. */
  successor?: LintIkeSa;
  /** Set when a Delete for the IKE SA was seen, by its sender. */
  deletedBy?: Role;
}

/** One direction of ESP: an SPI and where it leads. */
export interface LintEspSa {
  spi: number;
  destination: string;
  /** Not set where the negotiation was not seen. */
  child?: LintChild;
  /** Who sends on it; not set without `child`. */
  by?: Role;
  /** Packets seen before the one at hand. */
  packets: number;
}

/**
 * The messages that a rule can find a breach in, or must remember; of a rule about exchanges, their responses. All that is
 * set must hold. Not set: of whatever kind.
 */
export interface Concern {
  exchanges?: readonly number[];
  isResponse?: boolean;
  /** Types one of which it has, in clear or inside of SK. */
  payloads?: readonly number[];
  notifies?: readonly number[];
}

interface RuleBase {
  /** Of the catalogue. */
  document: string;
  requirements: readonly [string, ...string[]];
  /** Says the breach: `cookie-not-first`. */
  name: string;
  /** Not set: all messages. Means nothing for rules about ESP. */
  concerns?: Concern;
}

/** Judges one message by itself; `sa` is what is known so far. Copies are left out. */
export interface MessageRule extends RuleBase {
  scope: "message";
  check(message: LintMessage, sa: LintIkeSa): readonly Breach[];
}

/** An exchange both of whose messages were seen. */
export type WholeExchange = Exchange & { request: LintMessage; response: LintMessage };

/** Judges a response by its request; each message may be closed. The accused is the sender of the response. */
export interface ExchangeRule extends RuleBase {
  scope: "exchange";
  check(exchange: WholeExchange, sa: LintIkeSa): readonly Breach[];
}

/** Judges every message of an IKE SA in its order, copies too; what the returned function keeps must be bounded. */
export interface SaRule extends RuleBase {
  scope: "sa";
  begin(sa: LintIkeSa): (message: LintMessage, where: Place) => readonly Breach[];
}

/** Where a message stands among those before it. */
export interface Place {
  /** Not set for what has no place: a second, different response. */
  exchange?: Exchange;
  /** `first` of its kind in the exchange, a `copy` octet by octet, or a message with other octets (`variant`). */
  as: "first" | "copy" | "variant";
}

/** Judges every packet of one direction of ESP, copies too; what the returned function keeps must be bounded. */
export interface EspRule extends RuleBase {
  scope: "esp";
  begin(sa: LintEspSa): (packet: SeenEsp) => readonly Breach[];
}

export type Rule = MessageRule | ExchangeRule | SaRule | EspRule;

/** Key of `LintIkeSa.exchanges`. */
export const exchangeKey = (by: Role, messageId: number): string => `${by} ${messageId}`;

export const otherRole = (role: Role): Role => (role === "initiator" ? "responder" : "initiator");

/** No breach. */
export const NONE: readonly Breach[] = Object.freeze([]);
