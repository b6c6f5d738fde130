/** What a script, a draft or a lie may change in the data plane. */
import type { Datagram } from "../link/types.ts";
import type { EspReceiver, InboundOptions, OpenedPacket, OpenResult } from "./inbound.ts";
import type { EspSender, SealOptions } from "./outbound.ts";
import type { Pipe } from "./pipe.ts";

/** How an ESP packet is sent otherwise than ordinary. */
export interface EspSendOptions extends SealOptions {
  /** Changes the sealed octets; an empty list sends nothing. */
  octets?: (packet: Uint8Array) => Uint8Array[];
  /** In UDP or as IP protocol 50, whatever the IKE SA found. */
  over?: Datagram["protocol"];
}

/** An ESP packet before it is sealed. */
export interface OutgoingEsp {
  /** Our SPI of the pair, in hex; names the Child SA. */
  spiIn: string;
  /** The SA that is going to seal it. */
  sa?: EspSender;
  payload: Uint8Array;
  nextHeader: number;
  options: SealOptions;
  /** Set to change what is sent last of all; an empty list sends nothing. */
  octets?: (packet: Uint8Array) => Uint8Array[];
  /** Set to send the inner packet in clear, besides. */
  leak?: boolean;
}

/** What an extension has of the data plane it belongs to. */
export interface DataPlane {
  readonly pipes: readonly Pipe[];
  /** Milliseconds. */
  now(): number;
  /** Puts a datagram on the link as it is. */
  send(datagram: Datagram): void;
  /** Seals and sends; `payload` is what stands before the ESP trailer's padding. */
  sendEsp(pipe: Pipe, payload: Uint8Array, nextHeader: number, how?: EspSendOptions): void;
}

export interface EspExtension {
  name: string;
  /** Sees a pipe before its first packet, and may put other ends into it. */
  established?(pipe: Pipe, plane: DataPlane): void;
  outgoing?(packet: OutgoingEsp): void;
  /** May turn a drop into a delivery or the other way; `reopen` opens the packet again on a fresh SA with other options. */
  incoming?(
    result: OpenResult,
    reopen: (options: Partial<InboundOptions>) => OpenResult,
    came: { packet: Uint8Array; sa: EspReceiver; datagram: Datagram },
  ): OpenResult;
  /** Sees every packet that was opened and is to be delivered. */
  delivered?(came: { pipe: Pipe; packet: OpenedPacket; datagram: Datagram }, plane: DataPlane): void;
  /**
   * What is sent back for octets that belong to no SA of the host (an unknown SPI, a keepalive), the way they came.
   * Ordinary: nothing. `octets` is the ESP packet, or the whole UDP payload that is none; `datagram` is what it came in.
   */
  stray?(octets: Uint8Array, datagram: Datagram, plane: DataPlane): Uint8Array[];
}
