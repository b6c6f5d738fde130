/**
 * What is seen on a wire without taking part: the messages and packets of a capture, or of a live exchange, opened as
 * far as keys were at hand. It is what `lint` judges, `pcap show` prints and `pcap diff` compares.
 */
import type { Chain, Message } from "../wire/types.ts";

/** An end of a datagram: the address as text; port 0 where the protocol has none. */
export interface End {
  host: string;
  port: number;
}

/** Fields of everything that is seen. */
interface SeenBase {
  /** Numbers of the packets it came in, counted from 1; several for an IKE message in fragments. The last completed it. */
  packets: number[];
  /** Milliseconds since 1970; of the packet that completed it. */
  timeMs: number;
  source: End;
  destination: End;
  /** Number of the packet in which the same octets went the same way before; not set for the first copy. */
  repeats?: number;
}

/**
 * How much of the encrypted part could be read. `opened`; `no-keys`: none for these SPIs; `icv`: the keys of the SA
 * do not fit; `damaged`: too short, or padding longer than the content; `waiting`: a fragment of a message that is
 * not complete, or never will be.
 */
export type Opening = "opened" | "no-keys" | "icv" | "damaged" | "waiting";

/** An IKE message, or a fragment of one that did not become complete. */
export interface SeenIke extends SeenBase {
  kind: "ike";
  /** `udp`, or `tcp` (RFC 9329). */
  transport: "udp" | "tcp";
  /** The message as it travelled; of one in fragments, fragment 1. */
  octets: Uint8Array;
  /** `octets`, decoded. The payloads in clear and at their end SK or SKF, if there is one. */
  message: Message;
  /** Not set where nothing is encrypted. */
  opening?: Opening;
  /** Set when opened: the payloads inside SK. Offsets of findings count from the start of `plaintext`. */
  inner?: Chain;
  /** Set when opened: the octets of the inner chain, without padding; those of all fragments joined. */
  plaintext?: Uint8Array;
  /** Set for a message in fragments (RFC 7383): how many there are. */
  fragments?: number;
  /** Set for a fragment that waits though its message came before: the packet that completed that. */
  completeIn?: number;
  /** Set for a message in fragments: each as it travelled, by its number. */
  pieces?: readonly Uint8Array[];
}

/** An ESP packet. */
export interface SeenEsp extends SeenBase {
  kind: "esp";
  /** `ip`: protocol 50; `udp`: port 4500; `tcp`: RFC 9329. */
  transport: "ip" | "udp" | "tcp";
  /** The packet from SPI to ICV. */
  octets: Uint8Array;
  spi: number;
  /** The low 32 bits, as transmitted. */
  sequence: number;
  opening: Opening;
  /** Set when opened. */
  content?: { nextHeader: number; payload: Uint8Array; padding: Uint8Array };
}

/** A datagram on a port of IKE that is neither IKE nor ESP: a NAT keepalive, or octets without a readable header. */
export interface SeenOther extends SeenBase {
  kind: "keepalive" | "unreadable";
  octets: Uint8Array;
  /** Of the unreadable: why. */
  reason?: string;
}

export type Seen = SeenIke | SeenEsp | SeenOther;
