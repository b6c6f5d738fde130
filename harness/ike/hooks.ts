import type { IkeKeys } from "../crypto/keys.ts";
import type { Ke, KeyPair } from "../crypto/types.ts";
import type { Datagram } from "../link/types.ts";
import type { Fault } from "../pki/path.ts";
import type { AuthPayload, Chain, Header, Message, NotifyPayload, Payload, Proposal } from "../wire/types.ts";
import type { Proof } from "./auth/verify.ts";
import type { ChildSa } from "./child.ts";
import type { Doing } from "./collisions.ts";
import type { Core } from "./core.ts";
import type { Answer, LaterAnswer } from "./exchanges/answer.ts";
import type { IkeSa } from "./sa.ts";
import type { SealOptions } from "./sk.ts";

/** A message before it is sealed: every value is open to change. */
export interface OutgoingMessage {
  /** Not set for answers outside of any IKE SA. */
  sa?: IkeSa;
  header: Header;
  isResponse: boolean;
  /** The request this answers. */
  request?: IncomingMessage;
  /** What goes into the SK payload; the whole message while there are no keys. */
  payloads: Payload[];
  /** Payloads in clear in front of SK. Empty for an ordinary sender. */
  clear: Payload[];
  /** Set to seal with other than ordinary values. */
  seal: SealOptions;
  /** True: sealed in SK. Set to false to send a protected exchange in clear. */
  protected: boolean;
  /** Set to change the octets of every datagram last of all; an empty list sends nothing. */
  octets?: (datagram: Uint8Array) => Uint8Array[];
  /** Set to send from or to another address than the SA's. */
  source?: Datagram["source"];
  destination?: Datagram["destination"];
}

/** A message after it was opened. */
export interface IncomingMessage {
  sa?: IkeSa;
  header: Header;
  isResponse: boolean;
  /** The payloads of SK; for an unprotected message all of them. */
  payloads: Payload[];
  /** Those of SK as they came, before they were decoded; not set for an unprotected message. */
  inner?: Uint8Array;
  clear: Payload[];
  protected: boolean;
  /** The IKE message as it came (the first fragment for a fragmented one), without non-ESP marker. */
  octets: Uint8Array;
  datagram: Datagram;
  /** What the decoder found wrong, outside and inside of SK. */
  findings: Chain["findings"];
}

/**
 * Places where the core can be told to behave otherwise than the RFC says, each with its possible answers.
 * The first one is ordinary. Lies are made of these and of changes to messages.
 */
export interface Decisions {
  "wrong ICV": "drop" | "accept" | "answer in clear" | "close the IKE SA";
  "wrong AUTH": "refuse" | "accept";
  "wrong identity": "refuse" | "accept";
  "certificate fault": "refuse" | Fault;
  "hash of our signature": "announced by the peer" | "any";
  "hash of the peer's signature": "announced by us" | "any";
  "old method beside RFC 7427": "refuse" | "accept";
  "RFC 7427 without announcement": "refuse" | "accept";
  "childless request": "as configured" | "INVALID_SYNTAX" | "accept";
  "childless initiation": "when announced" | "always";
  "EAP-only without MSK": "refuse" | "accept";
  "NULL authentication": "as configured" | "accept";
  "unknown critical payload": "refuse" | "skip" | "drop";
  "malformed message": "INVALID_SYNTAX" | "drop" | "accept";
  "INVALID_SYNTAX in a response": "close the IKE SA" | "keep the IKE SA";
  "SK padding": "any" | "minimal only" | "overlook a bad Pad Length";
  "retransmitted request": "resend" | "answer anew" | "ignore";
  "forgotten request": "ignore" | "answer anew";
  "message id out of window": "ignore" | "process" | "complain each time";
  "unexpected response": "ignore" | "answer";
  "higher major version": "INVALID_MAJOR_VERSION" | "process" | "ignore";
  "half-open SA": "found by the whole request" | "found by SPIi and address";
  "wrong cookie": "challenge" | "accept" | "NO_PROPOSAL_CHOSEN";
  INVALID_KE_PAYLOAD: "retry" | "retry with any group" | "give up";
  COOKIE: "retry" | "ignore";
  "key exchange group differs": "INVALID_KE_PAYLOAD" | "NO_PROPOSAL_CHOSEN" | "accept";
  "no acceptable proposal": "NO_PROPOSAL_CHOSEN" | "take the first";
  "unknown transform": "skip transform" | "refuse proposal";
  "unknown transform type": "refuse proposal" | "ignore";
  "missing mandatory transform": "refuse proposal" | "take own";
  "missing Key Length": "refuse transform" | "take own";
  "choice outside the offer": "refuse" | "accept";
  "Child SA without integrity": "refuse" | "accept";
  "unacceptable TS": "TS_UNACCEPTABLE" | "take own" | "take all";
  "TS outside the offer": "refuse" | "accept";
  "Child SA failure in IKE_AUTH": "keep the IKE SA" | "fail the IKE SA";
  "Child SA failure in CREATE_CHILD_SA": "keep the IKE SA" | "fail the IKE SA";
  "IKE rekey without key exchange": "refuse" | "accept";
  INITIAL_CONTACT: "of proven identities" | "of any identity" | "ignore";
  "transport mode": "as configured" | "always" | "never";
  "unprotected message": "ignore" | "process" | "check liveness each time";
  "one-way INVALID_SPI": "ignore" | "answer";
  "non-ESP marker": "in front" | "left out";
  "unprotected error notify": "keep waiting" | "give up";
  "NAT detected": "float to 4500" | "stay";
  "NAT detection": "compare" | "none" | "always";
  "Delete of a Child SA":
    | "delete and answer"
    | "answer both SPIs"
    | "answer without Delete"
    | "keep the SA"
    | "no answer";
  "Delete of the IKE SA": "delete and answer" | "keep the SA" | "answer with Delete";
  "rekey of an unknown Child SA": "CHILD_SA_NOT_FOUND" | "create" | "NO_PROPOSAL_CHOSEN";
  "crossing request": "TEMPORARY_FAILURE" | "NO_PROPOSAL_CHOSEN" | "process";
  "rekey of what IKE_FOLLOWUP_KE rekeys": "TEMPORARY_FAILURE" | "NO_PROPOSAL_CHOSEN" | "process";
  "replaced Child SA": "delete" | "keep";
  "replaced IKE SA": "delete" | "keep";
  "redundant SA": "delete" | "keep";
  "Child SAs of a replaced IKE SA": "move" | "drop";
  "key exchange in CREATE_CHILD_SA": "mix in" | "leave out of KEYMAT";
  "message ids of a rekeyed IKE SA": "from zero" | "go on";
  retransmission: "same octets" | "sealed anew" | "never";
  "retransmission interval": "doubles" | "stays";
  window: "one" | "unbounded";
  fragment: "collect" | "drop";
  "SKF without negotiation": "drop" | "accept" | "close the IKE SA";
  "fragment total grows": "restart" | "keep";
  "fragment total shrinks": "drop" | "restart";
  "duplicate fragment": "drop" | "fail the set";
  "wrong fragment ICV": "drop" | "fail the set";
  "fragment number": "check" | "any" | "close the IKE SA";
  "retransmitted fragment": "first only" | "every one";
  "fragment reassembly": "whole" | "first fragment only" | "reversed";
  "ADDKE without INTERMEDIATE_EXCHANGE_SUPPORTED": "skip the proposal" | "take";
  "same additional method twice": "avoid" | "take";
  "same additional method twice in a choice": "refuse" | "accept";
  "additional key exchange of another method": "refuse" | "accept";
  "IKE_AUTH before the last round": "refuse" | "accept";
  "IKE_INTERMEDIATE beyond the last round": "refuse" | "answer";
  "IKE_INTERMEDIATE between rounds of EAP": "ignore" | "answer";
  "IKE_AUTH beside IKE_INTERMEDIATE": "wait for the response" | "at once";
  "Message ID of a response": "check" | "any";
  "keys after an additional key exchange": "update" | "keep" | "update before the response";
  "additional type left out of an offer": "NONE" | "refuse";
  "rounds of additional key exchanges": "of the choice" | "of our first proposal that has some";
  "order of additional key exchanges": "by transform type" | "reversed";
  "NONE among additional key exchanges": "no exchange" | "an exchange";
  "KE payload of a round that is no good": "refuse" | "overlook";
  "size of a link": "any" | "8 octets only";
  /** How long the responder waits for the next request, in milliseconds; the text speaks of 5 to 20 seconds. */
  "time for a series": 15_000 | 3_600_000;
  "rekeying that has lost": "stop" | "go on" | "stop the other one";
  "PRFs of an IKE rekey": "SKEYSEED by the old one, prf+ by the new one" | "the new one" | "the old one";
  "series that the peer has lost": "delete the IKE SA after some" | "keep the IKE SA";
  "link of a series": "must match" | "ignore";
  "a PPK": "into SK_d, SK_pi and SK_pr" | "not into SK_d" | "into nothing";
  "PPK of another identity": "unknown" | "take";
  "exchange of PPK_IDENTITY_KEY": "the last" | "the first" | "one of its own";
  PPK_IDENTITY_KEY: "all of them" | "the first one";
  "PPK Confirmation": "check" | "overlook";
  "PPK_IDENTITY that was not offered": "refuse" | "ignore" | "take the first";
  "a PPK in IKE_INTERMEDIATE": "into all keys" | "into SK_d, SK_pi and SK_pr" | "into nothing";
  "keys with a PPK": "after the exchange" | "before the response";
  "order of new keys in IKE_INTERMEDIATE": "PPK last" | "PPK first";
  "request without PPK_IDENTITY": "refuse" | "go on";
  "response without PPK_IDENTITY": "as configured" | "go on";
  "PPK beside NULL authentication": "mandatory" | "as configured";
  "link in the last IKE_FOLLOWUP_KE": "left out" | "sent" | "expected";
}

/** What goes into the keys of an IKE SA; a hook may bend it. */
export interface IkeKeyInputs {
  sa: IkeSa;
  /** Set for an SA made by rekeying: the SA it replaces. */
  replaces?: IkeSa;
  /** Of the SA that this one replaces, or of the generation before this one; not set in IKE_SA_INIT. */
  SK_d?: Uint8Array;
  /** Of an additional key exchange in IKE_INTERMEDIATE: its number, from 1. */
  round?: number;
  sharedSecret: Uint8Array;
  /** SK(1), SK(2)...: those of IKE_FOLLOWUP_KE (RFC 9370 section 2.2.4). */
  further: Uint8Array[];
  Ni: Uint8Array;
  Nr: Uint8Array;
  spiI: Uint8Array;
  spiR: Uint8Array;
}

/** What AUTH is computed over, ours or the peer's (section 2.15); a hook may bend it. */
export interface AuthInputs {
  sa: IkeSa;
  of: "initiator" | "responder";
  /** The own IKE_SA_INIT message of that end. */
  message: Uint8Array;
  /** The nonce of the other end. */
  nonce: Uint8Array;
  SK_p: Uint8Array;
  /** RestOfIDPayload. */
  idBody: Uint8Array;
  /** What IKE_INTERMEDIATE adds at the end (RFC 9242 section 3.3.2). */
  IntAuth?: Uint8Array;
}

/** What goes into KEYMAT (RFC 7296 section 2.17). */
export interface ChildKeyInputs {
  sa: IkeSa;
  SK_d: Uint8Array;
  /** g^ir (new); not set without a key exchange. */
  sharedSecret?: Uint8Array;
  Ni: Uint8Array;
  Nr: Uint8Array;
  /** SK(1), SK(2)...: those of IKE_FOLLOWUP_KE (RFC 9370 section 2.2.4). */
  further: Uint8Array[];
}

/** Gets the secrets of the further key exchanges in their order, or why there are none. */
export type FurtherSecrets = (secrets: Uint8Array[] | string) => void;

/** What a responder of CREATE_CHILD_SA makes once further exchanges are over; one of the two is called, once, or both if `finish` says no. */
export interface Held {
  /** Says whether something was made of the secrets. */
  finish(secrets: Uint8Array[]): boolean;
  /** They will not come, or were of no use. */
  dropped(): void;
}

/**
 * What an RFC, a draft, a script or a lie may change in the core. All members are optional; those of several
 * extensions run in the order in which the endpoint lists them. They stand here in the order of an IKE SA's life.
 */
export interface Extension {
  name: string;
  decide?: Partial<{ [P in keyof Decisions]: Decisions[P] }>;

  // Every message.
  /** Sees and changes every message before it is sealed. */
  outgoing?(message: OutgoingMessage, core: Core): void;
  /** Sees every protected message with its inner payloads encoded, when nothing of it changes any more. */
  beforeSeal?(message: OutgoingMessage, inner: Uint8Array): void;
  /** Sees every message after it was opened and before the core acts; "drop" ends its processing. */
  incoming?(message: IncomingMessage, core: Core): "drop" | undefined;
  /** Makes the datagrams of a protected message; undefined leaves it to the next extension or the core. */
  split?(message: OutgoingMessage, inner: Uint8Array, seal: Sealer): Uint8Array[] | undefined;
  /** Opens a message that has no SK payload: its inner chain, "wait" (more is to come), "drop", or undefined (not mine). */
  collect?(core: Core, sa: IkeSa, message: Message, octets: Uint8Array, open: Opener): Collected;
  /** Whether a repeated request, already answered, is answered again. */
  repeats?(core: Core, message: Message): boolean;
  /** Takes a message of an IKE SPI that is no IKE SA's, as of a group's Rekey SA; false: not mine. */
  foreign?(core: Core, message: Message, octets: Uint8Array, datagram: Datagram): boolean;

  // Keys.
  /** Chooses our key pair; `peerPublic` is set where the peer spoke first. `make` gives a fresh one of this method. */
  keyPair?(make: () => KeyPair, peerPublic: Uint8Array | undefined, method: Ke): KeyPair;
  ikeKeys?(inputs: IkeKeyInputs): void;
  /** Changes the keys themselves after derivation. */
  afterIkeKeys?(sa: IkeSa, keys: IkeKeys): void;
  childKeys?(inputs: ChildKeyInputs): void;

  // IKE_SA_INIT as the responder; `refuses` is the initiator's, of other exchanges too.
  /** The error with which a request is refused, before anything of it is computed. */
  refusesInit?(core: Core, request: IncomingMessage): NotifyPayload | undefined;
  /** Whether this offer may be chosen at all; those that do not count are passed over. */
  counts?(core: Core, offer: Proposal, request: Payload[]): boolean;
  /** Initiator: why nothing can be made of this response to IKE_SA_INIT, IKE_AUTH or CREATE_CHILD_SA. */
  refuses?(core: Core, sa: IkeSa, response: IncomingMessage): string | undefined;

  // Between IKE_SA_INIT and IKE_AUTH.
  /** Initiator: does something between IKE_SA_INIT and IKE_AUTH, and then calls `done`, with the reason if it failed; false: has nothing to do. */
  beforeAuth?(core: Core, sa: IkeSa, done: (failure?: string) => void): boolean;
  /** Responder: answers a request before the SA is established, IKE_AUTH too; undefined: not mine. */
  early?(core: Core, sa: IkeSa, request: IncomingMessage): Answer | LaterAnswer | undefined;

  // AUTH.
  authOctets?(inputs: AuthInputs): void;
  /** Either end, when it is about to prove itself by `make`: what goes beside AUTH. May change the keys first. A string says why it cannot. */
  proving?(core: Core, sa: IkeSa, make: () => AuthPayload | string): Payload[] | string;
  /** Either end, before it verifies the other's AUTH: may change the keys, or `proof`. A string says why it is refused. */
  verifying?(core: Core, sa: IkeSa, proof: Proof): string | undefined;
  /** Responder: another exchange that authenticates, in the place of IKE_AUTH. */
  admission?: Admission;

  // Established SAs, and CREATE_CHILD_SA.
  /** Answers a request on an established SA in the place of the core; undefined: not mine. */
  answers?(core: Core, sa: IkeSa, request: IncomingMessage): Answer | LaterAnswer | undefined;
  /** Responder: which of our proposals a request for a Child SA is matched with. */
  childPolicies?(policies: Proposal[], request: Payload[]): Proposal[];
  /**
   * Initiator of CREATE_CHILD_SA: goes on with further exchanges, if the chosen proposal needs them, and calls `done` after
   * the last; false: it needs none.
   */
  continues?(
    core: Core,
    sa: IkeSa,
    proposal: Proposal,
    response: IncomingMessage,
    doing: Doing,
    done: FurtherSecrets,
  ): boolean;
  /**
   * Responder of CREATE_CHILD_SA: what to add to the response, if further exchanges must follow it, which `held` waits
   * for. Undefined: none must.
   */
  holds?(core: Core, sa: IkeSa, proposal: Proposal, held: Held): Payload[] | undefined;
  childEstablished?(child: ChildSa): void;
  /** An IKE SA is gone; its successor, if it was rekeyed, is in `replacedBy`. */
  ikeClosed?(core: Core, sa: IkeSa): void;
}

/**
 * What an exchange is for that authenticates as IKE_AUTH does, but sets up something else than a Child SA: its
 * initiator's part. GSA_AUTH is one (RFC 9838 section 2.3.1).
 */
export interface Application {
  exchangeType: number;
  /** What the initiator asks for, behind its proof. */
  request(sa: IkeSa): Payload[];
  /** Acts on the response, which proved the responder. A string says why nothing came of it; the IKE SA stands then. */
  take(sa: IkeSa, response: Payload[]): string | undefined;
}

/** The responder's part of such an exchange. */
export interface Admission {
  exchangeType: number;
  /** Answers what `request` asks for; its sender is proven. An error notify does not end the IKE SA unless `close` is set. */
  answer(core: Core, sa: IkeSa, request: Payload[]): Answer;
}

/** Seals `plaintext` under the SA's keys into one message; `fragment` makes an SKF payload. */
export type Sealer = (
  plaintext: Uint8Array,
  innerType: number,
  fragment?: { number: number; total: number },
) => Uint8Array;

/** Opens the SK or SKF payload at the end of the message. */
export type Opener = () => { plaintext: Uint8Array; innerType: number } | { error: string };

/** `error` says why it is dropped, where there is more to say than that. */
export type Collected =
  | { innerType: number; plaintext: Uint8Array; first: Uint8Array }
  | { error: string }
  | "wait"
  | "drop"
  | undefined;
