/** What a script or a lie may change in a group controller or a group member. */
import type { Payload } from "../wire/types.ts";
import type { Unwrap } from "./key-path.ts";
import type { RekeyResult } from "./rekey-open.ts";

/** A GSA_REKEY before it is signed and sealed: every value is open to change. */
export interface OutgoingRekey {
  /** 16 octets. */
  spi: Uint8Array;
  messageId: number;
  flags: number;
  /** In order; AUTH is added behind them, where it belongs. */
  payloads: Payload[];
  /** Set false to leave AUTH out, true to add one in spite of implicit authentication. */
  signed: boolean;
  /** Set to change the signature. */
  signature?: (signature: Uint8Array) => Uint8Array;
  /** Set to change what the signature is computed over: A | P of section 2.4.1.1. */
  signedOctets?: (octets: Uint8Array) => Uint8Array;
  /** DER that stands in AUTH instead of the AlgorithmIdentifier of the group. */
  algorithmIdentifier?: Uint8Array;
  /** RESERVED of the SK payload, or of the first SKF payload. */
  reserved?: number;
  /** Octets sent last of all; an empty list sends nothing. */
  octets?: (datagram: Uint8Array) => Uint8Array[];
}

/**
 * Places where controller and member can be told to behave otherwise than RFC 9838 says, each with its possible
 * answers. The first one is ordinary. Lies are made of these and of changes to messages.
 */
export interface GroupDecisions {
  "unknown group": "INVALID_GROUP_ID" | "AUTHORIZATION_FAILED" | "register";
  "unauthorised member": "AUTHORIZATION_FAILED" | "REGISTRATION_FAILED" | "register";
  "full group": "REGISTRATION_FAILED" | "AUTHORIZATION_FAILED" | "register";
  SAg: "must fit" | "ignore";
  "linked proposals in SAg": "together" | "each alone";
  "unknown transform type in SAg": "ignore" | "refuse";
  "leaving member": "forget" | "keep";
  "used-up Sender-IDs": "exclude everybody" | "begin anew";
  "Child SA on a registration SA": "refuse" | "make";
  "idle IKE SA": "close" | "keep";
  "keys of data SAs": "each its own" | "one for all";
  "length of KEYMAT": "exact" | "one octet more";
  "SA_KEYs of a bag": "same keys" | "each its own";
  "keys of an excluded member": "renew" | "keep";
  "data keys in an excluding rekey": "later" | "at once";
  "first number of a Rekey SA": "zero" | "go on";
  "copies of GSA_REKEY": "same octets" | "sealed anew" | "until answered";
  "GSA_REKEY from a member": "ignore" | "answer";
  "replayed GSA_REKEY": "drop" | "accept";
  "wrong signature": "drop" | "accept";
  "wrong AlgorithmIdentifier": "drop" | "accept";
  "missing AUTH": "drop" | "accept";
  "AUTH in spite of implicit authentication": "drop" | "accept";
  "GSA_REKEY to another address": "drop" | "take";
  "numbers of GSA_REKEY": "unsigned" | "signed";
  "stale GSA_INITIAL_MESSAGE_ID": "ignore" | "take";
  "GSA_REKEY that came": "say nothing" | "send it back";
  "fragments of GSA_REKEY": "collect" | "drop";
  "more sets of fragments than are kept": "drop the oldest" | "drop the new one";
  "GCAUTH in a rekey": "ignore the message" | "take it";
  "old SAs at registration": "replace" | "keep";
  "IKE SA after registration": "keep" | "delete" | "make a Child SA";
  "IKE SA without Rekey SA ends": "excluded" | "go on";
  "unacceptable policy": "refuse" | "take it";
  "sending of a receiver": "never" | "anyway";
  "echo of a sender": "dropped" | "delivered";
  "equal numbers of several senders": "take" | "drop";
  "ESP behind a NAT": "as it is" | "in UDP";
  "addresses in tunnel mode": "preserved" | "own";
  "missing Sender-ID": "register again" | "send without" | "do without the SA";
  "Sender-ID too large": "register again" | "use";
  "first number of a Rekey SA that is taken": "zero" | "one";
  "end of the IKE SA beside a Rekey SA": "stays" | "excluded";
  "place of the Sender-ID": "top of the IV" | "bottom of the IV";
  "replaced Rekey SA": "drop after DTD" | "drop at once" | "keep";
  "deleted data SA": "drop after DTD" | "drop at once" | "keep";
  "activation delay": "wait" | "none";
  "end of a lifetime": "delete" | "keep";
  "promised SPI unannounced": "register again" | "take with old keys";
  exclusion: "register again" | "stay out" | "go on";
  "RESERVED of a GSA_REKEY": "as it came" | "zero";
  "answer to GSA_INBAND_REKEY": "empty" | "not empty" | "none";
}

export type Decide = <P extends keyof GroupDecisions>(
  point: P,
  ordinary: GroupDecisions[P],
) => GroupDecisions[P];

/** The ordinary behaviour, unless a hook (a lie or a script) says otherwise; the last one wins. */
export const decider =
  (hooks: readonly GroupHooks[]): Decide =>
  (point, ordinary) => {
    let answer = ordinary;
    for (const hook of hooks) answer = hook.decide?.[point] ?? answer;
    return answer;
  };

export interface GroupHooks {
  outgoingRekey?(message: OutgoingRekey): void;
  /** Sees what came of opening a GSA_REKEY, before anything else is made of it, and may make something else of it. */
  openedRekey?(result: RekeyResult): RekeyResult;
  /** Opens wrapped keys in its own way. */
  unwrap?(unwrap: Unwrap): Unwrap;
  decide?: Partial<{ [P in keyof GroupDecisions]: GroupDecisions[P] }>;
}
