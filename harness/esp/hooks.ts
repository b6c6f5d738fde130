/** What a script, a draft or a lie may change in the data plane. */
import type { Datagram } from "../link/types.ts";
import type { InboundOptions, InboundSa, OpenResult } from "./inbound.ts";
import type { SealOptions } from "./outbound.ts";

/** An ESP packet before it is sealed. */
export interface OutgoingEsp {
  /** Our SPI of the pair, in hex; names the Child SA. */
  spiIn: string;
  payload: Uint8Array;
  nextHeader: number;
  options: SealOptions;
  /** Set to change what is sent last of all; an empty list sends nothing. */
  octets?: (packet: Uint8Array) => Uint8Array[];
  /** Set to send the inner packet in clear, besides. */
  leak?: boolean;
}

export interface EspExtension {
  name: string;
  outgoing?(packet: OutgoingEsp): void;
  /** May turn a drop into a delivery or the other way; `reopen` opens the packet again on a fresh SA with other options. */
  incoming?(
    result: OpenResult,
    reopen: (options: Partial<InboundOptions>) => OpenResult,
    came: { packet: Uint8Array; sa: InboundSa; datagram: Datagram },
  ): OpenResult;
  /** What is sent back for octets that belong to no SA (an unknown SPI, a keepalive). Ordinary: nothing. */
  stray?(octets: Uint8Array): Uint8Array[];
}
