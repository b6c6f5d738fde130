/** Tells what a datagram carries: on port 4500 and in TCP by the non-ESP marker, on other ports by its looks. */
import { plain, readU32 } from "../../harness/wire/bytes.ts";
import { IKE_HEADER } from "../../harness/wire/index.ts";
import { demultiplex, NON_ESP_MARKER } from "../../harness/wire/udp.ts";
import type { Captured } from "../types.ts";

export interface Part {
  kind: "ike" | "esp" | "keepalive" | "unreadable";
  /** The IKE message, the ESP packet, or all octets. A view. */
  data: Uint8Array;
  /** Of the unreadable. */
  reason?: string;
}

/** What came; when does not matter. */
type Packet = Omit<Captured, "timeMs"> & Partial<Captured>;

const ESP_IN_UDP = 4500;
/** Ports where IKE travels without a marker: RFC 7296, RFC 9838. */
const BARE = new Set([500, 848]);

export function partOf({ protocol, source, destination, data }: Packet): Part {
  const octets = plain(data);
  if (protocol === "esp") return { kind: "esp", data: octets };
  const marked = protocol === "tcp" || source.port === ESP_IN_UDP || destination.port === ESP_IN_UDP;
  if (marked) return demultiplexed(octets);
  if (BARE.has(source.port) || BARE.has(destination.port)) return { kind: "ike", data: octets };
  return isIke(octets) ? { kind: "ike", data: octets } : demultiplexed(octets);
}

function demultiplexed(octets: Uint8Array): Part {
  const { kind, data } = demultiplex(octets);
  if (kind === "short") return { kind: "unreadable", data: octets, reason: `${octets.length} octets` };
  return { kind, data: kind === "keepalive" ? octets : data };
}

/** Whether octets on a port of no meaning begin with an IKE header: its version, and a Length that is theirs. */
function isIke(octets: Uint8Array): boolean {
  const marker = octets.subarray(0, NON_ESP_MARKER.length).every((octet) => octet === 0);
  return (
    !marker && octets.length >= IKE_HEADER && octets[17] === 0x20 && readU32(octets, 24) === octets.length
  );
}
