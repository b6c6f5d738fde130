/** What an endpoint is willing to negotiate. */
import type { Proposal, TrafficSelector } from "../wire/types.ts";

/** The content of an IDi or IDr payload. */
export interface Identity {
  /** RFC 7296 section 3.5: 2 is FQDN. */
  type: number;
  data: Uint8Array;
}

export interface Policy {
  localId: Identity;
  /** The identity the PSK belongs to; any other peer is refused. */
  remoteId: Identity;
  psk: Uint8Array;
  /** In order of preference; several transforms of one type are alternatives. SPIs are left empty. */
  ike: Proposal[];
  esp: Proposal[];
  /** Proposals for CREATE_CHILD_SA, where a key exchange may be among them (PFS). Not set: `esp`. */
  rekeyEsp?: Proposal[];
  localTs: TrafficSelector[];
  remoteTs: TrafficSelector[];
  mode: "tunnel" | "transport";
  /** When a responder demands a COOKIE (section 2.6). */
  cookies: "never" | "always";
  /** Octets of the nonce, 16 to 256. */
  nonceLength: number;
  /** First wait for an answer in milliseconds; doubles with every retransmission. */
  retransmitMs: number;
  retransmitTries: number;
  /** How long a half-open SA of a responder is kept. */
  halfOpenMs: number;
}

export const ordinaryTimers = {
  cookies: "never",
  nonceLength: 32,
  retransmitMs: 500,
  retransmitTries: 6,
  halfOpenMs: 30_000,
} as const;
