/** A datagram as it was sent or received, with its time: what a capture is made of. */
export interface Captured {
  /** Milliseconds on the clock of the test; an epoch is added when a file is written. */
  timeMs: number;
  /**
   * `udp`: `data` is the UDP payload. `esp`: `data` is an ESP packet that travels as IP protocol 50; the ports are 0.
   * `tcp`: `data` is the content of one frame of RFC 9329, IKE with the non-ESP marker.
   */
  protocol: "udp" | "esp" | "tcp";
  source: { host: string; port: number };
  destination: { host: string; port: number };
  data: Uint8Array;
}

/** A packet of a capture file. `data` is a view of a buffer that is used again: copy what is kept longer. */
export interface CapturePacket {
  kind: "packet";
  /** Counted from 1, over all interfaces. */
  number: number;
  /** Octets from the start of the file to the packet's record or block. */
  offset: number;
  /** Milliseconds since 1970, with fractions. */
  timeMs: number;
  linkType: number;
  data: Uint8Array;
  /** Octets the packet had on the wire; more than `data` when it was cut. */
  originalLength: number;
}

/** A place where a file, or a packet in it, is not what it should be; with `end`, nothing can be read behind it. */
export interface CaptureFault {
  kind: "fault";
  /** Octets from the start of the file. */
  offset: number;
  /** Not set for what concerns the file. */
  packet?: number;
  reason: string;
  end?: true;
}

/** Keys that travel in the file itself: a Decryption Secrets Block of pcapng. A copy. */
export interface CaptureSecrets {
  kind: "secrets";
  offset: number;
  /** Secrets Type, as in 0x544c534b. */
  type: number;
  data: Uint8Array;
}

export type CaptureItem = CapturePacket | CaptureFault | CaptureSecrets;

/**
 * A datagram on a port of IKE, or an ESP packet, taken out of the packets of a capture. `data` is a view as that of the
 * packet is: copy what is kept longer than until the next one.
 */
export interface Datagram extends Captured {
  kind: "datagram";
  /** Number of the packet; of what was reassembled, of the one that completed it. */
  packet: number;
  /** Octets from the start of the file to that packet's record. */
  offset: number;
}

/** Link types of pcap files that we know (registry of the tcpdump project). */
export const LINKTYPE = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  linuxSll2: 276,
} as const;
