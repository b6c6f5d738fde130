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
  /** Set to change the signature, or what it is computed over. */
  signature?: (signature: Uint8Array) => Uint8Array;
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
  "replayed GSA_REKEY": "drop" | "accept";
  "wrong signature": "drop" | "accept";
}

export interface GroupHooks {
  outgoingRekey?(message: OutgoingRekey): void;
  decide?: Partial<{ [P in keyof GroupDecisions]: GroupDecisions[P] }>;
}
