/** The state of one IKE SA. What happens to it is in `endpoint.ts` and `exchanges/`. */
import { encrTransform } from "../crypto/encr.ts";
import { integTransform } from "../crypto/integ.ts";
import type { IkeKeys } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import type { Encr, Integ, Prf } from "../crypto/types.ts";
import type { EapConversation } from "../eap/types.ts";
import type { Address } from "../link/types.ts";
import { EMPTY } from "../wire/bytes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, TrafficSelector } from "../wire/types.ts";
import type { ChildSa } from "./child.ts";
import type { Crossing, Doing } from "./collisions.ts";
import type { AuthRounds } from "./exchanges/answer-auth.ts";
import type { IncomingMessage, OutgoingMessage } from "./hooks.ts";
import type { Identity } from "./policy.ts";
import { keyLength, transformId } from "./proposals.ts";
import type { Protection } from "./sk.ts";

/** The transforms of an IKE SA, ready for use. */
export interface IkeSuite {
  encr: Encr;
  encrKeyBits?: number;
  integ?: Integ;
  prf: Prf;
  group: number;
}

/** Turns a chosen proposal into transforms; undefined if we have no code for one of them. */
export function ikeSuite(proposal: Proposal): IkeSuite | undefined {
  const encrTransformChosen = proposal.transforms.find((t) => t.type === TRANSFORM.ENCR);
  const encrKeyBits = encrTransformChosen && keyLength(encrTransformChosen);
  const encr = encrTransformChosen && encrTransform(encrTransformChosen.id, encrKeyBits);
  const prf = prfTransform(transformId(proposal, TRANSFORM.PRF) ?? 0);
  const integ = integTransform(transformId(proposal, TRANSFORM.INTEG) ?? 0);
  const group = transformId(proposal, TRANSFORM.KE) ?? 0;
  // IKE has no sequence numbers to take an IV from (RFC 8750 section 6).
  if (!encr || encr.implicitIv || !prf || (!encr.aead && !integ)) return undefined;
  return { encr, encrKeyBits, integ: encr.aead ? undefined : integ, prf, group };
}

/** A request of ours that waits for its response. */
export interface PendingRequest {
  exchangeType: number;
  messageId: number;
  /** IKE octets of each datagram. */
  datagrams: Uint8Array[];
  /** Makes the datagrams again with fresh IVs; only a lie does that. */
  again: () => Uint8Array[];
  transmissions: number;
  cancelTimer?: () => void;
  /** Not set: every authentic response is an answer. False leaves the request waiting for another one. */
  useful?: (response: IncomingMessage) => boolean;
  /** Set for requests that change SAs. */
  doing?: Doing;
  answered: Answered;
}

export interface LastResponse {
  message: OutgoingMessage;
  datagrams: Uint8Array[];
  copies: number;
  /** What opened the request, and opens its repeats, whatever keys came after it. */
  inbound: Protection | undefined;
}

/** `undefined`: no answer came. `on` is the SA the request went out on: a queued one moves on when its SA is rekeyed. */
export type Answered = (response: IncomingMessage | undefined, on: IkeSa) => void;

/** A request that waits for the window. */
export interface QueuedRequest {
  start(on: IkeSa): void;
  answered: Answered;
}

export type IkeState = "connecting" | "half-open" | "authenticating" | "established" | "rekeyed" | "closed";

export class IkeSa {
  /** Our part in the exchange that made this SA; decides the I flag and which keys are ours. */
  readonly role: "initiator" | "responder";
  spiI: Uint8Array;
  spiR: Uint8Array = new Uint8Array(8);
  local: Address;
  remote: Address;
  state: IkeState = "connecting";
  suite?: IkeSuite;
  proposal?: Proposal;
  keys?: IkeKeys;
  /** Those that were in use before the present ones, the oldest first (RFC 9370 section 2.2.2). */
  readonly earlierKeys: IkeKeys[] = [];
  Ni: Uint8Array = EMPTY;
  Nr: Uint8Array = EMPTY;
  /** The last version of both IKE_SA_INIT messages, which AUTH covers. */
  initRequest: Uint8Array = EMPTY;
  initResponse: Uint8Array = EMPTY;
  outbound?: Protection;
  inbound?: Protection;
  nextMessageId = 0;
  expectedMessageId = 0;
  pending?: PendingRequest;
  /** Requests that wait for the window. */
  readonly queue: QueuedRequest[] = [];
  /** Our last response, for the request's retransmissions. */
  lastResponse?: LastResponse;
  readonly children: ChildSa[] = [];
  /** Status notifies the peer sent in IKE_SA_INIT. */
  readonly announced = new Set<number>();
  /** Hash ids of the peer's SIGNATURE_HASH_ALGORITHMS; empty without one. */
  peerHashes: number[] = [];
  /** A request was taken whose answer comes later. */
  answering = false;
  /** Either end of EAP, once it has begun. */
  conversation?: EapConversation;
  /** Responder: set between the rounds of an IKE_AUTH with EAP. */
  authRounds?: AuthRounds;
  nat?: { peer: boolean; us: boolean };
  remoteIdentity?: Identity;
  /** Inner addresses, one per selector: those the peer assigned to us, and those we leased to the peer. */
  ownAddresses?: TrafficSelector[];
  leased?: TrafficSelector[];
  /** Set on an SA made by rekeying, and on the one it replaced; older ones are forgotten once they are closed. */
  replaces?: IkeSa;
  replacedBy?: IkeSa;
  /** The peer's rekeying of this SA, while it waits for IKE_FOLLOWUP_KE. */
  peersRekeying?: Crossing<IkeSa>;
  /** Responder: digest of the IKE_SA_INIT request that made this SA. */
  initDigest?: string;
  /** Responder: ends the wait for IKE_AUTH. */
  cancelHalfOpen?: () => void;
  /** Why it was closed. */
  closedBecause?: string;

  constructor(role: IkeSa["role"], spiI: Uint8Array, local: Address, remote: Address) {
    this.role = role;
    this.spiI = spiI;
    this.local = local;
    this.remote = remote;
  }

  get ownSpi(): Uint8Array {
    return this.role === "initiator" ? this.spiI : this.spiR;
  }

  get established(): boolean {
    return this.state === "established" || this.state === "rekeyed";
  }

  /** Takes the keys into use: SK_ei and SK_ai protect what the original initiator sends. */
  install(suite: IkeSuite, keys: IkeKeys): void {
    if (this.keys) this.earlierKeys.push(this.keys);
    this.suite = suite;
    this.keys = keys;
    const { encr, integ } = suite;
    const fromInitiator: Protection = { encr, integ, SK_e: keys.SK_ei, SK_a: keys.SK_ai, sealed: 0 };
    const fromResponder: Protection = { encr, integ, SK_e: keys.SK_er, SK_a: keys.SK_ar, sealed: 0 };
    this.outbound = this.role === "initiator" ? fromInitiator : fromResponder;
    this.inbound = this.role === "initiator" ? fromResponder : fromInitiator;
  }
}
