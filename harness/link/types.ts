/** An address as text (`192.0.2.1`, `2001:db8::1`) and a port. */
export interface Address {
  host: string;
  port: number;
  /** Set where IKE and ESP travel in a TCP connection (RFC 9329); not set: UDP, or IP protocol 50. */
  transport?: "tcp";
}

/**
 * What travels. `udp`: the UDP payload as on the wire (with the non-ESP marker on port 4500).
 * `esp`: an ESP packet as IP protocol 50; the ports are 0 then. `tcp`: one frame of RFC 9329 without its length,
 * IKE with the non-ESP marker; both addresses have `transport` set.
 */
export interface Datagram {
  protocol: "udp" | "esp" | "tcp";
  source: Address;
  destination: Address;
  data: Uint8Array;
}

/** How datagrams leave and enter the endpoint. */
export interface Link {
  send(datagram: Datagram): void;
  /** The handler is called with every datagram that arrives, in the place of the one before. */
  onReceive(handler: (datagram: Datagram) => void): void;
  /** Receives what is sent to this multicast group, too. Absent where the link has none. */
  join?(group: string): void;
  close(): Promise<void>;
}

/** Time in milliseconds: virtual in memory, monotonic on sockets. */
export interface Clock {
  now(): number;
  /** Runs `callback` at that time or soon after; returns a function that cancels it. */
  at(time: number, callback: () => void): () => void;
  /** Work that needs the event loop (TLS) has begun: virtual time stands still until it is done. It must not reject. */
  outside(work: Promise<void>): void;
}

/**
 * Where an endpoint lives: a clock, randomness from the seed, a link. In memory `until` runs the virtual world
 * forward; on sockets it waits.
 */
export interface World {
  clock: Clock;
  /** Resolves true as soon as `condition` holds, false when `timeoutMs` have passed without it. Checked after every event. */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean>;
}
