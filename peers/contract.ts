/**
 * What a peer is to the rest of the program: a definition (data), a runtime that starts it somewhere, and a
 * driver that speaks to it while it runs.
 */
import type { SchemeName } from "../harness/crypto/signatures.ts";
import type { EapInnerName, EapMethodName } from "../harness/eap/types.ts";
import type { GroupSpec } from "../harness/group/spec.ts";
import type { PpkUse } from "../harness/ike/policy.ts";
import type { Address } from "../harness/link/types.ts";
import type { KeyKind } from "../harness/pki/types.ts";

/** The role the peer plays in a test. */
export type PeerRole = "initiator" | "responder";

/** `peers/<name>/peer.yaml`, validated by zod in `peers/definition.ts`. */
export interface PeerDefinition {
  name: string;
  /** Versions by the name a user types (`6.1`), newest first. */
  versions: PeerVersion[];
  /** Runtimes this peer can run in, best first. */
  runtimes: RuntimeName[];
  /** Debian packages of its root file system; absent for a peer that needs none. */
  packages?: string[];
  /** Numbers that it uses in place of those of the drafts' documents, by name (`bakeoff list documents`). */
  codePoints?: Record<string, number>;
}

export interface PeerVersion {
  version: string;
  /** Debian suite the package comes from (`forky`); absent for the builtin peer. */
  suite?: string;
  /** Runtimes of this version, when they differ from the definition's. */
  runtimes?: RuntimeName[];
  /** Those of this version alone, over the definition's. */
  codePoints?: Record<string, number>;
}

/**
 * `memory` and `process` (on loopback) are for the builtin peer; `netns` is a network namespace with userspace ESP; `uml`
 * a user-mode Linux guest with kernel ESP; `docker` a container.
 */
export type RuntimeName = "memory" | "process" | "netns" | "uml" | "docker" | "address";

/** How one end proves its identity to the other (RFC 7296 section 2.15). */
export type AuthSpec =
  | { method: "psk" }
  /** RFC 7619. */
  | { method: "null" }
  /**
   * A private key and its certificate (`harness/pki`). `scheme` is a way of RFC 7427 to sign; not set, any
   * that fits the key and what the other end announced. With `oldMethods` the
   * end neither announces nor uses RFC 7427, which leaves methods 1 and 9 to 11.
   */
  | { method: "signature"; key: KeyKind; scheme?: SchemeName; oldMethods?: true }
  /**
   * Only the initiator's end; identity and password are `eapIdentity` and `eapPassword` of the configuration. `inner` is
   * the method inside of TTLS; not set: MD5.
   */
  | { method: "eap"; type: EapMethodName; inner?: EapInnerName }
  /** The responder's end of RFC 5998: the MSK proves both. */
  | { method: "eap-only" };

/** What a peer must do in the tests of a lane; a driver turns it into the daemon's own configuration. */
export interface PeerConfig {
  /** Addresses of the IKE packets. */
  local: Address;
  remote: Address;
  /**
   * A bare name is an FQDN; `user@host` ID_RFC822_ADDR; an address ID_IPV4_ADDR or ID_IPV6_ADDR; `keyid:HEX` ID_KEY_ID;
   * `dn:CN=...` ID_DER_ASN1_DN; `null:` ID_NULL.
   */
  localId: string;
  remoteId: string;
  /** Others than `remoteId` who have the same secret, each with an identity of its own. Not set: nobody. */
  furtherRemoteIds?: string[];
  psk: string;
  /** How the peer proves its identity, and how it wants ours proved. Not set: by the shared secret. */
  auth?: AuthSpec;
  testerAuth?: AuthSpec;
  /** Of the end that logs in by EAP. Not set: the identity of its IDi, and `eap-password`. */
  eapIdentity?: string;
  eapPassword?: string;
  /** Transform ids in order of preference, each proposal a list as in `aes256-sha256-x25519`. */
  ikeProposals: ProposalSpec[];
  espProposals: ProposalSpec[];
  /** Prefixes such as `203.0.113.0/28`. */
  localTs: string[];
  remoteTs: string[];
  mode: "tunnel" | "transport";
  /** Not set means the peer's default. */
  fragmentation?: boolean;
  /** Extra settings by driver; named in a test only for what IKE itself has no words for. */
  cookies?: "always";
  /** RFC 6023. Not set: a childless IKE_AUTH is accepted where the peer can, and never begun. */
  childless?: "never" | "force";
  /** As responder: leases inner addresses out of these prefixes (RFC 7296 section 2.19), one IPv4 or IPv6 each. */
  addressPools?: string[];
  /** As initiator: asks for an inner address. Its TS is what it gets. */
  requestAddresses?: ("ipv4" | "ipv6")[];
  /** What happens to older IKE SAs between the same identities. Not set: they stay. */
  unique?: "replace";
  /** Drafts that the peer is told to speak, with the revision: `{ "esp-ping": "M" }`. A peer that knows none of them just lacks them. */
  drafts?: Record<string, string>;
  /** Numbers that stand for others than those of `harness/wire/documents`, by name: `{ ESP_ECHO_SUPPORTED: 41000 }`. */
  codePoints?: Record<string, number>;
  /** Size of the replay window of inbound ESP SAs; 0 switches replay protection off. Not set: the peer's default. */
  replayWindow?: number;
  /** The sequence number after which the peer's outbound ESP SAs begin, those made by rekeying excepted, so that a test need not send 2^32 packets. */
  espCounter?: number;
  /** Octets of the largest IP packet that the way from the peer to us takes; not set: 1500. */
  mtu?: number;
  /** IKE and ESP go over a TCP connection (RFC 9329); not set: over UDP and IP. */
  transport?: "tcp";
  /**
   * The peer does group key management (RFC 9838): as responder it controls these groups, as initiator it may join
   * them. Both ends then demand a key wrap algorithm in IKE_SA_INIT. `members` holds identities that prove themselves
   * as the tester does. Not set: an ordinary peer.
   */
  groups?: GroupSpec[];
  /** Postquantum preshared keys (RFC 8784, RFC 9867) that both ends have, the preferred one first. Not set: none. */
  ppks?: PpkSpec[];
  /** The peer has no SA without a PPK. Not set: it uses one where both can. */
  ppkRequired?: true;
  /** Where the peer mixes PPKs in. Not set: in IKE_AUTH alone, as RFC 8784 does; the others are those of RFC 9867. */
  ppkIn?: readonly PpkUse[];
  /**
   * The peer announces IKE_INTERMEDIATE (RFC 9242) even where nothing needs it, and begins one such exchange. Not set:
   * it does so where additional key exchanges or PPKs need it.
   */
  intermediate?: true;
}

/** `id` is of type PPK_ID_FIXED; it and `secret` are text. */
export interface PpkSpec {
  id: string;
  secret: string;
  /** The identity of the one other end that the peer shares it with. Not set: `remoteId`, and all others. */
  for?: string;
}

/** Transform names as in `harness/wire/registry` short names: `aes256gcm16`, `sha256`, `prfsha256`, `x25519`, `esn`. */
export type ProposalSpec = string;

export interface PeerStatus {
  /** True while the daemon process lives and answers its control channel. */
  alive: boolean;
  /** Established IKE SAs and installed Child SAs, by SPI in hex (ESP SPIs: 8 digits), where the daemon tells. */
  ikeSas: { spiI: string; spiR: string; state: string }[];
  childSas: { spiIn: string; spiOut: string; state: string; packetsIn?: number; packetsOut?: number }[];
  /** Exit code or signal once it has died. */
  exit?: string;
}

/** What the daemon's process takes of its machine. */
export interface PeerResources {
  /** Resident memory of the daemon. */
  octets: number;
  /** CPU time it has used since it began, in milliseconds. Not set: it has no process of its own. */
  cpuMs?: number;
  /** Open file descriptors. */
  descriptors?: number;
  threads?: number;
}

/** A verb that the peer has no means for. The test ends `unsupported` with this reason. */
export class DriverUnsupported extends Error {}

/** ESP echo requests of a peer, all of one probing session. */
export interface PingOptions {
  count: number;
  /** Outside of any SA; not set: through the newest Child SA. */
  plain?: boolean;
  /** What carries plain ones; not set: IP protocol 50. */
  over?: "udp" | "esp";
  /** Octets of Data. */
  size?: number;
  /** False: no reply is wanted. */
  reply?: boolean;
  /** Congestion-control payloads of RFC 9347 as requests. */
  congestion?: boolean;
}

/** The verbs of a peer that does group key management. */
export interface GroupDriver {
  /** As member: registers with the other end; on an IKE SA that stands already by GSA_REGISTRATION. */
  register(group: string, options?: { sender?: boolean; senderIds?: number }): Promise<void>;
  /** As member: leaves the group. */
  leave(group: string): Promise<void>;
  /** As member: application data to the group. */
  send(group: string, data: Uint8Array): Promise<void>;
  /** As member: what the application at the peer got out of data SAs since it was configured. */
  received(): Promise<{ group: string; data: Uint8Array }[]>;
  /** As controller: fresh keys for the data SAs, the Rekey SA, or both. */
  rekey(group: string, what: "data" | "rekey SA" | "both"): Promise<void>;
  /** As controller: excludes a member. */
  exclude(group: string, member: string): Promise<void>;
  /** As controller: deletes the data SAs, or with `all` everything, so that members must register anew. */
  delete(group: string, what: "data" | "all"): Promise<void>;
}

/** The verbs of a driver. Every one is bounded in time and rejects with a clear message; none of them judges. */
export interface Driver {
  /** Which test the verbs are for from now on. Absent where nobody asks. */
  begin?(test: string): void;
  /** Loads this configuration, replacing the one before. Existing SAs are dropped. */
  configure(config: PeerConfig): Promise<void>;
  /** Begins an IKE SA with its first Child SA, without waiting for it. */
  initiate(): Promise<void>;
  rekeyIke(): Promise<void>;
  rekeyChild(): Promise<void>;
  /** Deletes the Child SA or the IKE SA, with the Delete payloads that belong to it. */
  delete(what: "ike" | "child"): Promise<void>;
  /** Sends ICMP echo requests through the tunnel, without waiting for answers. */
  sendTraffic(options: { from: string; to: string; count: number; size?: number }): Promise<void>;
  status(): Promise<PeerStatus>;
  /** `exit` of the status alone, where that is told in less time. */
  exit?(): Promise<string | undefined>;
  /** True once the daemon's end has come to be known, without asking anybody. Absent where it must be asked for. */
  ended?(): boolean;
  /** Rejects once the daemon has ended. Absent for a peer that is no process of its own. */
  resources?(): Promise<PeerResources>;
  /** Forgets every SA silently and counts nothing against the peer: the state a fresh test starts from. */
  reset(): Promise<void>;
  /** The peer's own log since the last call of `markLog`. */
  logs(): Promise<string>;
  markLog(): Promise<void>;
  /** Sends ESP echo requests, without waiting for replies. Absent for a peer that cannot. */
  ping?(options: PingOptions): Promise<void>;
  /** Absent for a peer without group key management. */
  readonly groups?: GroupDriver | undefined;
}

/** A peer that runs. */
export interface RunningPeer {
  driver: Driver;
  /** Full version as the daemon states it, `strongSwan 6.1.0`. */
  version: string;
  /** Namespace in which our endpoint must run to reach the peer; absent where none is needed. */
  testerNamespace?: string;
  /** Addresses of the IKE traffic: ours and the peer's. */
  tester: string;
  peer: string;
  tester6?: string;
  peer6?: string;
  /** Whether ESP goes natively (IP protocol 50) as well as in UDP. */
  rawEsp: boolean;
  /** Kills and starts the daemon again after a crash or hang. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}
