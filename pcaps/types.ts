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

/** Link types of pcap files that we know (registry of the tcpdump project). */
export const LINKTYPE = {
  ethernet: 1,
  raw: 101,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  linuxSll2: 276,
} as const;
