/** How an ESP packet travels: as IP protocol 50, or in UDP port 4500 (RFC 3948). */
import { EMPTY } from "../wire/bytes.ts";
import { buildIp, buildUdpPacket, type IpError, isIpError, parseIp, parseUdp } from "../wire/ip.ts";
import { demultiplex } from "../wire/udp.ts";

export const ESP_PROTOCOL = 50;
export const NAT_T_PORT = 4500;

/** Ends of the outer packet. */
export interface OuterEnds {
  /** 4 or 16 octets each. */
  source: Uint8Array;
  destination: Uint8Array;
  /** Set for UDP encapsulation, not set for IP protocol 50. */
  udp?: { sourcePort: number; destinationPort: number };
}

/** The ESP packet in what a link delivers; undefined when that is IKE, a keepalive or too short. */
export function espOf(datagram: { protocol: "udp" | "esp"; data: Uint8Array }): Uint8Array | undefined {
  if (datagram.protocol === "esp") return datagram.data;
  const { kind, data } = demultiplex(datagram.data);
  return kind === "esp" ? data : undefined;
}

/** The whole outer IP packet, as a capture shows it. */
export function encapsulate(esp: Uint8Array, ends: OuterEnds): Uint8Array {
  const { source, destination, udp } = ends;
  if (udp) return buildUdpPacket({ source, destination }, { ...udp, payload: esp });
  return buildIp({ source, destination, protocol: ESP_PROTOCOL, payload: esp });
}

export interface Decapsulated extends OuterEnds {
  esp: Uint8Array;
}

/** Finds the ESP packet in an outer IP packet. A fragment is refused (RFC 4303 section 3.4.1). */
export function decapsulate(bytes: Uint8Array): Decapsulated | IpError {
  const ip = parseIp(bytes);
  if (isIpError(ip)) return ip;
  if (ip.fragment) return { error: "a fragment: ESP is processed after reassembly" };
  const { source, destination } = ip;
  if (ip.protocol === ESP_PROTOCOL) return { source, destination, esp: ip.payload };
  const udp = parseUdp(ip);
  if (isIpError(udp)) return udp;
  const { sourcePort, destinationPort, payload } = udp;
  const onNatPort = sourcePort === NAT_T_PORT || destinationPort === NAT_T_PORT;
  const esp = onNatPort ? (espOf({ protocol: "udp", data: payload }) ?? EMPTY) : EMPTY;
  if (esp.length === 0) return { error: `no ESP in UDP ${sourcePort} to ${destinationPort}` };
  return { source, destination, udp: { sourcePort, destinationPort }, esp };
}
