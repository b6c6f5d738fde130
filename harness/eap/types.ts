/** EAP conversations (RFC 3748) without I/O: packet in, packet out. */
import type { Random } from "../crypto/types.ts";

/** An EAP packet; `data` is everything after the 4-octet header: type and type data. */
export interface EapPacket {
  /** 1 Request, 2 Response, 3 Success, 4 Failure. */
  code: number;
  identifier: number;
  data: Uint8Array;
}

export type EapMethodName = "md5" | "gtc" | "mschapv2" | "tls";

/** Who authenticates, with what. */
export interface EapUser {
  type: EapMethodName;
  /** What the EAP Identity exchange names. */
  identity: string;
  password: string;
}

/** What came of a packet. Nothing set: it is ignored. */
export interface EapStep {
  send?: EapPacket;
  /** The conversation has ended; for the peer (supplicant) by the Success or Failure it received. */
  result?: "success" | "failure";
  /** Why it failed, or what was wrong with an ignored packet. */
  reason?: string;
  /** 64 octets, where the method makes keys (RFC 7296 section 2.16), once `result` is "success". */
  MSK?: Uint8Array;
}

/** Either end. An authenticator has `begin`, which makes the first request. */
export interface EapConversation {
  take(packet: EapPacket): EapStep;
}

export interface EapAuthenticator extends EapConversation {
  begin(): EapPacket;
}

/** Choices of an authenticator that a lie or a test changes; not set: ordinary. */
export interface EapManners {
  /** Types that the authenticator proposes first although the user's is another; each ought to be answered by a Nak. */
  proposesFirst?: EapMethodName[];
  /** Accepts any password. */
  acceptsAnything?: boolean;
  /** Leaves out the Identity exchange (RFC 7296 section 3.16: it SHOULD, as IDi has the name). */
  skipsIdentity?: boolean;
}

export interface EapOptions {
  user: EapUser;
  random: Random;
  manners?: EapManners;
}
