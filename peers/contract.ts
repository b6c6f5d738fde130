/**
 * What a peer is to the rest of the program: a definition (data), a runtime that starts it somewhere, and a
 * driver that speaks to it while it runs.
 */
import type { Address } from "../harness/link/types.ts";

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
}

export interface PeerVersion {
  version: string;
  /** Debian suite the package comes from (`forky`); absent for the builtin peer. */
  suite?: string;
  /** Runtimes of this version, when they differ from the definition's. */
  runtimes?: RuntimeName[];
}

/** `memory` and `process` are for the builtin peer; `netns` a network namespace with userspace ESP; `uml` a user-mode Linux guest with kernel ESP. */
export type RuntimeName = "memory" | "process" | "netns" | "uml" | "address";

/** What a peer must do in the tests of a lane; a driver turns it into the daemon's own configuration. */
export interface PeerConfig {
  /** Addresses of the IKE packets. */
  local: Address;
  remote: Address;
  localId: string;
  remoteId: string;
  psk: string;
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

/** A verb that the peer has no means for. The test ends `unsupported` with this reason. */
export class DriverUnsupported extends Error {}

/** The verbs of a driver. Every one is bounded in time and rejects with a clear message; none of them judges. */
export interface Driver {
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
  /** Forgets every SA silently and counts nothing against the peer: the state a fresh test starts from. */
  reset(): Promise<void>;
  /** The peer's own log since the last call of `markLog`. */
  logs(): Promise<string>;
  markLog(): Promise<void>;
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
