/** How many octets of payload fit into one packet of a path. */
import { ESP_HEADER, ESP_TRAILER, icvLengthOf } from "../esp/sa.ts";
import type { ChildSa } from "../ike/child.ts";
import type { Datagram } from "../link/types.ts";
import { MOST_CONTENT } from "../wire/tcp-encap.ts";

const UDP_HEADER = 8;
/** A stream has no packets, but frames. */
const MOST = MOST_CONTENT;

/** Octets that a path with this MTU leaves for the ESP packet, without IP options. */
export function roomForEsp(mtu: number, host: string, protocol: Datagram["protocol"]): number {
  if (protocol === "tcp") return MOST;
  const ip = host.includes(":") ? 40 : 20;
  return Math.max(0, mtu - ip - (protocol === "udp" ? UDP_HEADER : 0));
}

/** Octets of payload in front of the least padding, in an ESP packet of at most `room` octets. */
export function roomForPayload({ encr, integ }: ChildSa, room: number): number {
  const left = room - ESP_HEADER - encr.ivLength - icvLengthOf({ encr, integ });
  const align = Math.max(4, encr.blockSize);
  return Math.max(0, Math.floor(left / align) * align - ESP_TRAILER);
}

/** The same for a packet outside of SAs, with or without a trailer. */
export const roomForPlain = (room: number, trailer: boolean): number =>
  trailer
    ? Math.max(0, Math.floor((room - ESP_HEADER) / 4) * 4 - ESP_TRAILER)
    : Math.max(0, room - ESP_HEADER);
