/** Probes that prove traffic: an ICMP echo or a UDP echo (RFC 862), as ESP carries them in either mode. */
import { concat, EMPTY, equal } from "../wire/bytes.ts";
import {
  buildEcho,
  buildIp,
  buildUdpPacket,
  formatAddress,
  type IpError,
  type IpPacket,
  isIpError,
  parseEcho,
  parseIp,
  parseUdp,
} from "../wire/ip.ts";
import { NEXT_HEADER } from "./sa.ts";

/** What `seal` takes and `open` gives. */
export interface InnerPacket {
  nextHeader: number;
  /** A whole IP packet (Next Header 4 or 41), else the upper-layer octets. */
  payload: Uint8Array;
}

/** The two ends of the inner packet; in transport mode those of the ESP packet itself. 4 or 16 octets each. */
export interface InnerAddresses {
  source: Uint8Array;
  destination: Uint8Array;
}

export interface Probe extends InnerAddresses {
  mode: "tunnel" | "transport";
  kind: "echo" | "udp";
  /** ICMP identifier, or the UDP source port (not 7). */
  identifier: number;
  /** ICMP sequence number; a UDP probe carries it in front of `data`. */
  sequence: number;
  data: Uint8Array;
}

const UDP_ECHO_PORT = 7;

/** The packet to seal for this probe. */
export function buildProbe(probe: Probe): InnerPacket {
  return inMode(probe.mode, probeIp(probe));
}

function probeIp(probe: Probe): Uint8Array {
  const { source, destination, kind, identifier, sequence, data } = probe;
  if (kind === "udp") {
    const payload = probeData(probe);
    return buildUdpPacket(probe, { sourcePort: identifier, destinationPort: UDP_ECHO_PORT, payload });
  }
  const echo = buildEcho(source, destination, { reply: false, identifier, sequence, data });
  const protocol = source.length === 4 ? NEXT_HEADER.icmp : NEXT_HEADER.icmpv6;
  return buildIp({ source, destination, protocol, payload: echo });
}

function probeData({ kind, sequence, data }: Probe): Uint8Array {
  return kind === "udp" ? concat(Uint8Array.of(sequence >> 8, sequence), data) : data;
}

/** A whole IP packet as ESP carries it in this mode. */
function inMode(mode: Probe["mode"], ip: Uint8Array): InnerPacket {
  const v4 = ip[0]! >> 4 === 4;
  if (mode === "tunnel") return { nextHeader: v4 ? NEXT_HEADER.ipv4 : NEXT_HEADER.ipv6, payload: ip };
  return v4
    ? { nextHeader: ip[9]!, payload: ip.subarray(20) }
    : { nextHeader: ip[6]!, payload: ip.subarray(40) };
}

function modeOf({ nextHeader }: InnerPacket): Probe["mode"] {
  return nextHeader === NEXT_HEADER.ipv4 || nextHeader === NEXT_HEADER.ipv6 ? "tunnel" : "transport";
}

/** The inner packet with its IP header; `outer` gives the addresses in transport mode. */
export function innerIp(inner: InnerPacket, outer: InnerAddresses): IpPacket | IpError {
  if (modeOf(inner) === "tunnel") return parseIp(inner.payload);
  return parseIp(buildIp({ ...outer, protocol: inner.nextHeader, payload: inner.payload }));
}

/**
 * The answer to an ICMP echo request or a UDP datagram to the echo port, in the mode it came in; undefined for
 * anything else. `outer` are the addresses of the packet that came in.
 */
export function answerEcho(inner: InnerPacket, outer: InnerAddresses): InnerPacket | undefined {
  const ip = innerIp(inner, outer);
  if (isIpError(ip) || ip.fragment) return undefined;
  const back = { source: ip.destination, destination: ip.source };
  const udp = parseUdp(ip);
  if (!isIpError(udp)) {
    // From the echo port itself comes an answer; to answer it would never end.
    const request = udp.destinationPort === UDP_ECHO_PORT && udp.sourcePort !== UDP_ECHO_PORT;
    if (!request || !udp.checksumOk) return undefined;
    const { sourcePort, destinationPort, payload } = udp;
    const answer = buildUdpPacket(back, {
      sourcePort: destinationPort,
      destinationPort: sourcePort,
      payload,
    });
    return inMode(modeOf(inner), answer);
  }
  const echo = parseEcho(ip);
  if (isIpError(echo) || echo.reply || !echo.checksumOk) return undefined;
  const payload = buildEcho(back.source, back.destination, { ...echo, reply: true });
  return inMode(modeOf(inner), buildIp({ ...back, protocol: ip.protocol, payload }));
}

/** True when this inner packet answers the probe; else the first thing that is different. */
export function matchReply(probe: Probe, inner: InnerPacket, outer: InnerAddresses): true | string {
  if (modeOf(inner) !== probe.mode) return `Next Header ${inner.nextHeader} in ${probe.mode} mode`;
  const ip = innerIp(inner, outer);
  if (isIpError(ip)) return ip.error;
  if (!ip.checksumOk) return "IP header checksum is wrong";
  if (!equal(ip.source, probe.destination) || !equal(ip.destination, probe.source)) {
    return `from ${formatAddress(ip.source)} to ${formatAddress(ip.destination)}`;
  }
  const reply = probe.kind === "udp" ? udpReply(ip) : echoReply(ip);
  if (typeof reply === "string") return reply;
  if (reply.identifier !== probe.identifier) return `identifier ${reply.identifier}`;
  if (reply.sequence !== undefined && reply.sequence !== probe.sequence) return `sequence ${reply.sequence}`;
  return equal(reply.data, probeData(probe)) || `${reply.data.length} octets of other data`;
}

interface Reply {
  identifier: number;
  sequence?: number;
  data: Uint8Array;
}

function echoReply(ip: IpPacket): Reply | string {
  const echo = parseEcho(ip);
  if (isIpError(echo)) return echo.error;
  if (!echo.reply) return "an echo request";
  return echo.checksumOk ? echo : "ICMP checksum is wrong";
}

function udpReply(ip: IpPacket): Reply | string {
  const udp = parseUdp(ip);
  if (isIpError(udp)) return udp.error;
  if (udp.sourcePort !== UDP_ECHO_PORT) return `UDP from port ${udp.sourcePort}`;
  return udp.checksumOk ? { identifier: udp.destinationPort, data: udp.payload } : "UDP checksum is wrong";
}

/** A dummy packet (RFC 4303 section 2.6): Next Header 59, any octets. */
export function dummyPacket(payload: Uint8Array = EMPTY): InnerPacket {
  return { nextHeader: NEXT_HEADER.none, payload };
}
