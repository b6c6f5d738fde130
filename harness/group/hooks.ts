/** What a script or a lie may change in a group controller or a group member. */
import type { Payload } from "../wire/types.ts";

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
  "unauthorised sender": "AUTHORIZATION_FAILED" | "register";
  "registration without IDg": "INVALID_SYNTAX" | "register";
  "GSA or KD from a member": "INVALID_SYNTAX" | "ignore";
  "type of IDg": "any" | "ID_KEY_ID only" | "no ID_KEY_ID";
  SAg: "must fit" | "ignore" | "do as it wants";
  "linked proposals in SAg": "together" | "each alone";
  "unknown transform type in SAg": "ignore" | "refuse";
  "SPI in SAg": "ignore" | "use";
  "CPI in IPCOMP_SUPPORTED": "ignore" | "refuse";
  "leaving member": "forget" | "keep" | "refuse";
  "Sender-IDs": "never twice" | "the same again" | "one too many" | "one only" | "for everybody";
  "used-up Sender-IDs": "exclude everybody" | "begin anew";
  "Child SA on a registration SA": "refuse" | "make";
  "idle IKE SA": "close" | "keep";
  "label of GSK_w": "as in the RFC" | "none";
  "keys of data SAs": "each its own" | "one for all";
  "wrapping of data keys": "by the default key" | "by a key of the tree";
  "length of KEYMAT": "exact" | "one octet more";
  "SA_KEYs of a bag": "same keys" | "each its own";
  "keys of an excluded member": "renew" | "keep";
  "data keys in an excluding rekey": "later" | "at once";
  "first number of a Rekey SA": "zero" | "go on";
  "number of GSA_REKEY": "one more" | "the same" | "two more";
  "copies of GSA_REKEY": "same octets" | "sealed anew" | "until answered";
  "GSA_REKEY from a member": "ignore" | "answer";
  "replayed GSA_REKEY": "drop" | "accept";
  "wrong signature": "drop" | "accept";
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
  decide?: Partial<{ [P in keyof GroupDecisions]: GroupDecisions[P] }>;
}
