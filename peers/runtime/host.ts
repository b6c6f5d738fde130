/** The seam between a runtime, which keeps a daemon running somewhere, and a driver, which speaks to it. */
import type { Duplex } from "node:stream";
import type { PeerDefinition, PeerResources, PeerVersion, RuntimeName } from "../contract.ts";
import type { LaneNetwork } from "./network.ts";
import type { CommandResult } from "./process.ts";
import type { Registry } from "./registry.ts";

/** A lane of a run: what is made for it carries both names. */
export interface LaneOptions {
  /** Letters, digits and hyphens, at most 20. */
  runId: string;
  lane: number;
  /** Where what is made is written down; a record of this process when not set. */
  registry?: Registry;
  /** Namespaces made beforehand, when this process itself runs in the tester's one. Who made them takes them away. */
  network?: LaneNetwork;
  /** strongSwan with userspace ESP: native ESP (IP protocol 50) where no NAT is found, in place of UDP always. 6.0 and later. */
  rawEsp?: boolean;
}

/** All a peer's starter needs to know. */
export interface StartContext {
  definition: PeerDefinition;
  version: PeerVersion;
  runtime: RuntimeName;
  rootfs: string;
  options: LaneOptions & { registry: Registry };
}

/** A daemon and the network it lives in, whatever the runtime. Files it shares with the runner are in its folder `/lane`. */
export interface DaemonHost {
  /** Starts the daemon; its configuration must be in place. Resolves at once: the driver finds out when it answers. */
  boot(): Promise<void>;
  /** Ends the daemon at once, with all it started. */
  halt(): Promise<void>;
  /** How the daemon ended, `exit 1` or `SIGSEGV`, with the end of what it wrote; undefined while it runs. */
  exit(): string | undefined;
  /** What the processes of these programs take. Rejects where there is none. */
  resources(programs: readonly string[]): Promise<PeerResources>;
  /** Runs a program of the peer's root file system in its network. */
  run(argv: string[], options?: RunOptions): Promise<CommandResult>;
  /** Connects to a Unix socket in `/lane`. */
  connect(name: string): Duplex;
  /** Writes a file of `/lane`; without text it is removed. */
  write(name: string, text?: string): Promise<void>;
  /** Size of a file of `/lane`, 0 where there is none. */
  size(name: string): Promise<number>;
  /** A file of `/lane` from this octet on; nothing where it is not there or shorter. */
  read(name: string, from: number): Promise<string>;
}

export interface RunOptions {
  stdin?: string;
  /** After this the command is killed and the call rejects; 10 s when not set. */
  timeoutMs?: number;
}
