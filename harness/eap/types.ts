/** EAP conversations (RFC 3748) without I/O: packet in, packet out. */
import type { Random } from "../crypto/types.ts";
import type { Credential } from "../pki/types.ts";

/** An EAP packet; `data` is everything after the 4-octet header: type and type data. */
export interface EapPacket {
  /** 1 Request, 2 Response, 3 Success, 4 Failure. */
  code: number;
  identifier: number;
  data: Uint8Array;
}

export type EapMethodName = "md5" | "gtc" | "mschapv2" | "tls" | "ttls" | "sim" | "aka";

/** What can go on inside of TTLS. */
export type EapInnerName = "md5" | "gtc" | "mschapv2";

/** Who authenticates, with what. */
export interface EapUser {
  type: EapMethodName;
  /** What the EAP Identity exchange names. */
  identity: string;
  /** For SIM and AKA, what the secrets of a card are made from (`cardOf`). */
  password: string;
  /** The method inside of TTLS. Not set: MD5. */
  inner?: EapInnerName;
}

/** What came of a packet. Neither `send`, `result` nor `later`: it is ignored, and `reason` says why. */
export interface EapStep {
  send?: EapPacket;
  /** The conversation has ended; for the peer (supplicant) by the Success or Failure it received, or because it gave up. */
  result?: "success" | "failure";
  /** Why it failed, or what was wrong with an ignored packet. */
  reason?: string;
  /** 64 octets, where the method makes keys (RFC 7296 section 2.16), once `result` is "success". */
  MSK?: Uint8Array;
  /**
   * The method needs the event loop (TLS): all the rest is in what this resolves to. It never rejects, and packets that
   * come before it has resolved are ignored. Virtual time must stand still until then.
   */
  later?: Promise<EapStep>;
}

/** Either end. An authenticator has `begin`, which makes the first request. */
export interface EapConversation {
  /** Never throws, whatever the packet. */
  take(packet: EapPacket): EapStep;
  /** This conversation's own; what is changed here holds from then on. */
  readonly manners: EapManners;
  /** Lets go of what the method holds (TLS). Needed only for a conversation that is left before its end. */
  close(): void;
}

export interface EapAuthenticator extends EapConversation {
  begin(): EapPacket;
  /** What the peer's Identity response named; not set before it has come. */
  readonly identity: string | undefined;
}

/** Choices that a lie or a test changes; not set: ordinary. */
export interface EapManners extends AuthenticatorManners, SupplicantManners {
  /** Authenticator: accepts any password. Supplicant: believes any Success, and any proof of the authenticator. */
  acceptsAnything?: boolean;
  /** Leaves with an MSK of which one bit is turned. */
  wrongMSK?: boolean;
  /** Changes any packet before it is sent; `turn` counts the packets of this end from 0. */
  bend?(packet: EapPacket, turn: number): EapPacket;
  /** Changes the AVPs of TTLS before TLS encrypts them; `turn` counts this end's from 0. */
  bendInner?(avps: Uint8Array, turn: number): Uint8Array;
}

export interface AuthenticatorManners {
  /**
   * Types, by name or number, that the authenticator proposes first although the user's is another; each ought to be
   * answered by a Nak.
   */
  proposesFirst?: (EapMethodName | number)[];
  /** Leaves out the Identity exchange (RFC 7296 section 3.16: it SHOULD, as IDi has the name). */
  skipsIdentity?: boolean;
  /** Notifications with these texts before all else (RFC 3748 section 5.2). */
  notifiesFirst?: string[];
  /** Sends every request twice; the second answer must be the first again (RFC 3748 section 4.1). */
  repeatsRequests?: boolean;
  /** All requests have the identifier of the first. */
  keepsIdentifier?: boolean;
  /** Sends Success as the first packet, instead of the method's first request, or in answer to its first response. */
  succeedsEarly?: "at once" | "before the method" | "within the method";
  /** Answers the first response of the user's method with a request of this type. */
  changesMethod?: EapMethodName | number;
  /** The identifier of Success is one too high. */
  wrongSuccessIdentifier?: boolean;
  /** One bit of the authenticator's proof is turned: "S=" of MSCHAPv2, AUTN of AKA, AT_MAC of SIM. */
  wrongAuthenticatorResponse?: boolean;
  /** The first challenge of AKA has a sequence number that the card has seen; the next one has what the card says. */
  staleSequence?: boolean;
  /** Sends Failure although the peer did everything right. */
  rejectsEverybody?: boolean;
}

export interface SupplicantManners {
  /** Answers a request of its own type with a Nak for these types; [0] is the Nak that wants none. */
  refusesOwnType?: number[];
  /** Makes a new answer to a request that it has answered before. */
  answersAnew?: boolean;
  ignoresNotifications?: boolean;
  /** Believes a Success whatever its identifier, as strongSwan does; one end counts on where it ought to repeat. */
  believesAnyIdentifier?: boolean;
}

/** What EAP-TLS and EAP-TTLS need beside the user. */
export interface EapTls {
  /** Not needed by the supplicant of TTLS, which sends none. */
  credential?: Credential;
  /** The certificate, in DER, of the CA under which the other end's must be. */
  trusted: Uint8Array;
  /**
   * A host name, mail address or IP address that the other end's certificate must have. Not set: any will do for a
   * supplicant, an authenticator wants the user's identity.
   */
  peerName?: string;
  /** Not set: TLS 1.2 and 1.3. */
  version?: "TLSv1.2" | "TLSv1.3";
  /** Most octets of TLS in a packet. Not set: 1,000, which fits into the 1,020 octets that RFC 3748 section 3.1 grants. */
  fragmentSize?: number;
}

export interface EapOptions {
  user: EapUser;
  random: Random;
  /** For the types "tls" and "ttls" only. TLS takes its randomness from OpenSSL, not from `random`. */
  tls?: EapTls;
  manners?: EapManners;
}
