/** What an endpoint is willing to negotiate. */
import type { SchemeName } from "../crypto/signatures.ts";
import type { EapManners, EapTls, EapUser } from "../eap/types.ts";
import type { Credential } from "../pki/types.ts";
import type { Proposal, TrafficSelector } from "../wire/types.ts";

/** The content of an IDi or IDr payload. */
export interface Identity {
  /** RFC 7296 section 3.5: 2 is FQDN. */
  type: number;
  data: Uint8Array;
}

/** Who logs in by EAP; `tls` is for EAP-TLS only. */
export interface EapLogin {
  method: "eap";
  user: EapUser;
  tls?: EapTls;
}

/** How an end proves its identity (RFC 7296 section 2.15). */
export type OwnAuth =
  | { method: "psk" }
  /** RFC 7619. */
  | { method: "null" }
  /** Not set: the best scheme for the key out of what the other end announced. */
  | { method: "signature"; credential: Credential; scheme?: SchemeName }
  /** Initiator only: no AUTH before EAP has ended (section 2.16). */
  | EapLogin
  /** Responder only: no AUTH of its own but that of the MSK (RFC 5998). */
  | { method: "eap-only" };

/** What an end demands as proof of the other's identity. */
export type PeerAuth =
  | { method: "psk" }
  | { method: "null" }
  /** Certificates of the CAs it trusts, in DER. */
  | { method: "signature"; trust: Uint8Array[] }
  /** Responder only. */
  | EapLogin
  /** Initiator only. */
  | { method: "eap-only" };

/** Of an inner address. */
export type AddressFamily = "ipv4" | "ipv6";

/** A postquantum preshared key (RFC 8784). */
export interface Ppk {
  /** PPK_ID: its type, and the identifier behind it. */
  id: Uint8Array;
  secret: Uint8Array;
  /** Whom we share it with; not set: every peer. */
  for?: Identity;
}

/** The exchanges in which a PPK can be mixed in: RFC 8784, and the two of RFC 9867. */
export type PpkUse = "IKE_AUTH" | "IKE_INTERMEDIATE" | "CREATE_CHILD_SA";

export interface Policy {
  localId: Identity;
  /** The identity the credentials belong to; any other peer is refused. */
  remoteId: Identity;
  /** Others that have the same credentials, as the members of a group. Not set: nobody. */
  furtherRemoteIds?: Identity[];
  psk: Uint8Array;
  /** How we prove our identity, and how the peer must prove its own. */
  ownAuth: OwnAuth;
  peerAuth: PeerAuth;
  /** Ids of SIGNATURE_HASH_ALGORITHMS (RFC 7427 section 4); empty: only the methods 1 and 9 to 11. */
  signatureHashes: number[];
  /** How our end of EAP behaves; not set: ordinary. */
  eapManners?: EapManners;
  /** Milliseconds since 1970, for the validity of certificates. */
  date: number;
  /** RFC 6023: whether IKE_AUTH without a Child SA is accepted; "force" also begins so. */
  childless: "never" | "allow" | "force";
  /** In order of preference; several transforms of one type are alternatives. SPIs are left empty. */
  ike: Proposal[];
  esp: Proposal[];
  /** Proposals for CREATE_CHILD_SA, where a key exchange may be among them (PFS). Not set: `esp`. */
  rekeyEsp?: Proposal[];
  /** The key exchange method behind a number on the wire that is not its own; not set: every number is its own. */
  keIds?: ReadonlyMap<number, number>;
  localTs: TrafficSelector[];
  remoteTs: TrafficSelector[];
  mode: "tunnel" | "transport";
  /** Kinds of inner addresses that we ask for as initiator (section 2.19); TSi is then what we get. */
  requestAddresses: AddressFamily[];
  /** Inner addresses that we lease as responder, to those who ask; who does not ask gets no Child SA. */
  addressPools: TrafficSelector[];
  /** Whether we say INITIAL_CONTACT with the first IKE SA of a peer (section 2.4). */
  initialContact: boolean;
  /** What INITIAL_CONTACT does to older IKE SAs of the same identity. */
  unique: "keep" | "replace";
  /**
   * What a responder makes of several acceptable selectors: all of them, only the first pair of them, which
   * ADDITIONAL_TS_POSSIBLE tells, or only a pair of single addresses, else SINGLE_PAIR_REQUIRED (section 2.9).
   */
  narrowing: "all" | "one pair of selectors" | "one pair of addresses";
  /**
   * Further tries of a request that the peer puts off with TEMPORARY_FAILURE, and milliseconds before the first of
   * them, doubled each time (section 2.25). Without tries the owner hears of it, and of CHILD_SA_NOT_FOUND, too.
   */
  retry: { tries: number; waitMs: number };
  /** When a responder demands a COOKIE (section 2.6); "under load": while many half-open SAs wait. */
  cookies: "never" | "under load" | "always";
  /** Octets of the nonce, 16 to 256. */
  nonceLength: number;
  /** Set to choose the nonces of CREATE_CHILD_SA. */
  nonce?: () => Uint8Array;
  /** First wait for an answer in milliseconds; doubles with every retransmission. */
  retransmitMs: number;
  retransmitTries: number;
  /** Those that we share with the peer, the preferred one first. */
  ppks: Ppk[];
  /** Whether nothing is set up without one. */
  ppkRequired: boolean;
  ppkIn: readonly PpkUse[];
  /** Whether IKE_INTERMEDIATE is announced, and begun once, where nothing needs it (RFC 9242). */
  intermediate: boolean;
  /** How long a half-open SA of a responder is kept. */
  halfOpenMs: number;
}

/** What a policy is unless told otherwise, `date` apart. */
export const ordinaryPolicy = {
  cookies: "under load",
  ownAuth: { method: "psk" },
  peerAuth: { method: "psk" },
  signatureHashes: [2, 3, 4, 5],
  childless: "allow",
  requestAddresses: [],
  addressPools: [],
  initialContact: false,
  unique: "keep",
  narrowing: "all",
  retry: { tries: 0, waitMs: 5000 },
  nonceLength: 32,
  ppks: [],
  ppkRequired: false,
  ppkIn: ["IKE_AUTH"],
  intermediate: false,
  retransmitMs: 500,
  retransmitTries: 6,
  halfOpenMs: 30_000,
} as const satisfies Partial<Policy>;
