/** IP packets: what travels inside ESP, and the frame of captures. Checksums are right when built and judged when parsed. */
import { concat, plain, readU16, readU32, u16, u32, view } from "./bytes.ts";

export { type AddressRange, formatAddress, formatRange, parseAddress, parsePrefix } from "./address.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 44;
/** IPv6 extension headers that carry their own length: hop-by-hop, routing, destination, mobility, HIP, shim6. */
const EXTENSION_HEADERS = new Set([0, 43, 60, 135, 139, 140]);

/** What an IP packet is made of; the family follows from the source address. */
export interface IpFields {
  /** 4 or 16 octets each. */
  source: Uint8Array;
  destination: Uint8Array;
  /** IP protocol or Next Header of the payload. */
  protocol: number;
  payload: Uint8Array;
  /** TTL or Hop Limit; 64 when not set. */
  ttl?: number;
  /** The whole TOS or Traffic Class octet. */
  trafficClass?: number;
  /** IPv4 only. */
  identification?: number;
  /** IPv4 only: the Don't Fragment bit. */
  dontFragment?: boolean;
  /** IPv6 only: 20 bits. */
  flowLabel?: number;
}

export interface IpPacket {
  version: 4 | 6;
  source: Uint8Array;
  destination: Uint8Array;
  /** Of the payload, behind IPv6 extension headers. */
  protocol: number;
  /** As far as the length fields reach. */
  payload: Uint8Array;
  ttl: number;
  trafficClass: number;
  /** What the packet's own length fields say; what is behind it is `trailing`. */
  totalLength: number;
  /** Octets behind the packet: TFC padding of ESP, padding of a link. */
  trailing: Uint8Array;
  /** True for any fragment but a whole datagram. */
  fragment: boolean;
  /** False when the IPv4 header checksum is wrong. */
  checksumOk: boolean;
}

export interface IpError {
  error: string;
}

export function isIpError(result: object): result is IpError {
  return "error" in result;
}

/** Sum of RFC 1071 over octets; an odd last octet counts as the high half. */
function sum16(bytes: Uint8Array, initial: number): number {
  let sum = initial;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (even < bytes.length) sum += bytes[even]! << 8;
  return sum;
}

/** The Internet checksum (RFC 1071) of the parts one after another; every part but the last has an even size. */
export function checksum(...parts: Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) sum = sum16(part, sum);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The pseudo header of UDP, TCP and ICMPv6 (RFC 8200 section 8.1; RFC 768). */
function pseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): Uint8Array {
  const tail =
    source.length === 4
      ? concat(Uint8Array.of(0, protocol), u16(length))
      : concat(u32(length), u32(protocol));
  return concat(source, destination, tail);
}

export function buildIp(fields: IpFields): Uint8Array {
  return fields.source.length === 4 ? buildIpv4(fields) : buildIpv6(fields);
}

function buildIpv4(fields: IpFields): Uint8Array {
  const out = new Uint8Array(IPV4_HEADER + fields.payload.length);
  out[0] = 0x45;
  out[1] = fields.trafficClass ?? 0;
  out.set(u16(out.length), 2);
  out.set(u16(fields.identification ?? 0), 4);
  out[6] = fields.dontFragment ? 0x40 : 0;
  out[8] = fields.ttl ?? 64;
  out[9] = fields.protocol;
  out.set(fields.source.subarray(0, 4), 12);
  out.set(fields.destination.subarray(0, 4), 16);
  out.set(u16(checksum(out.subarray(0, IPV4_HEADER))), 10);
  out.set(fields.payload, IPV4_HEADER);
  return out;
}

function buildIpv6(fields: IpFields): Uint8Array {
  const out = new Uint8Array(IPV6_HEADER + fields.payload.length);
  const trafficClass = fields.trafficClass ?? 0;
  const flowLabel = fields.flowLabel ?? 0;
  out[0] = 0x60 | ((trafficClass >>> 4) & 0x0f);
  out[1] = ((trafficClass & 0x0f) << 4) | ((flowLabel >>> 16) & 0x0f);
  out.set(u16(flowLabel), 2);
  out.set(u16(fields.payload.length), 4);
  out[6] = fields.protocol;
  out[7] = fields.ttl ?? 64;
  out.set(fields.source.subarray(0, 16), 8);
  out.set(fields.destination.subarray(0, 16), 24);
  out.set(fields.payload, IPV6_HEADER);
  return out;
}

/** Reads an IPv4 or IPv6 packet; the values are views of `bytes`. */
export function parseIp(bytes: Uint8Array): IpPacket | IpError {
  const octets = plain(bytes);
  const version = (octets[0] ?? 0) >>> 4;
  if (version === 4) return parseIpv4(octets);
  if (version === 6) return parseIpv6(octets);
  return { error: `IP version ${version} in ${octets.length} octets` };
}

function parseIpv4(bytes: Uint8Array): IpPacket | IpError {
  const headerLength = (bytes[0]! & 0x0f) * 4;
  if (headerLength < IPV4_HEADER || headerLength > bytes.length) {
    return { error: `IPv4 header of ${headerLength} octets in ${bytes.length}` };
  }
  const totalLength = readU16(bytes, 2);
  if (totalLength < headerLength || totalLength > bytes.length) {
    return { error: `IPv4 total length ${totalLength} in ${bytes.length} octets` };
  }
  return {
    version: 4,
    source: bytes.subarray(12, 16),
    destination: bytes.subarray(16, 20),
    protocol: bytes[9]!,
    payload: view(bytes, headerLength, totalLength),
    ttl: bytes[8]!,
    trafficClass: bytes[1]!,
    totalLength,
    trailing: view(bytes, totalLength, bytes.length),
    fragment: (readU16(bytes, 6) & 0x3fff) !== 0,
    checksumOk: checksum(bytes.subarray(0, headerLength)) === 0,
  };
}

function parseIpv6(bytes: Uint8Array): IpPacket | IpError {
  if (bytes.length < IPV6_HEADER) return { error: `IPv6 header in ${bytes.length} octets` };
  const totalLength = IPV6_HEADER + readU16(bytes, 4);
  if (totalLength > bytes.length) return { error: `IPv6 length ${totalLength} in ${bytes.length} octets` };
  const upper = skipExtensionHeaders(bytes, bytes[6]!, totalLength);
  if (upper === undefined) return { error: "IPv6 extension header leads past the end" };
  return {
    version: 6,
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    protocol: upper.protocol,
    payload: view(bytes, upper.at, totalLength),
    ttl: bytes[7]!,
    trafficClass: (readU16(bytes, 0) >>> 4) & 0xff,
    totalLength,
    trailing: view(bytes, totalLength, bytes.length),
    fragment: upper.fragment,
    checksumOk: true,
  };
}

interface UpperLayer {
  protocol: number;
  at: number;
  fragment: boolean;
}

/** Every header is at least 8 octets long, so the walk ends; undefined when one leads past the end. */
function skipExtensionHeaders(bytes: Uint8Array, first: number, end: number): UpperLayer | undefined {
  let protocol = first;
  let at = IPV6_HEADER;
  let fragment = false;
  while (EXTENSION_HEADERS.has(protocol) || protocol === FRAGMENT_HEADER) {
    if (end - at < 8) return undefined;
    const isFragment = protocol === FRAGMENT_HEADER;
    const size = isFragment ? 8 : 8 * (bytes[at + 1]! + 1);
    const offset = isFragment ? readU16(bytes, at + 2) & 0xfff8 : 0;
    if (isFragment && (readU16(bytes, at + 2) & 0xfff9) !== 0) fragment = true;
    protocol = bytes[at]!;
    at += size;
    if (at > end) return undefined;
    // What follows in a later fragment is no header but a piece of something.
    if (offset !== 0) break;
  }
  return { protocol, at, fragment };
}

/** A UDP datagram as IP payload, with its checksum. */
export interface UdpDatagram {
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

/** The whole IP packet of a UDP datagram. */
export function buildUdpPacket(
  addresses: Pick<IpFields, "source" | "destination">,
  datagram: UdpDatagram,
  options: Partial<IpFields> = {},
): Uint8Array {
  const length = 8 + datagram.payload.length;
  const udp = concat(
    u16(datagram.sourcePort),
    u16(datagram.destinationPort),
    u16(length),
    u16(0),
    datagram.payload,
  );
  const sum = checksum(pseudoHeader(addresses.source, addresses.destination, 17, length), udp);
  // A sum of zero would mean that there is none.
  udp.set(u16(sum === 0 ? 0xffff : sum), 6);
  return buildIp({ ...options, ...addresses, protocol: 17, payload: udp });
}

/** A TCP segment without options, as IP payload. */
export interface TcpSegment {
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  acknowledgment: number;
  /** The flags' octet: 0x10 is ACK, 0x08 PSH. */
  flags: number;
  payload: Uint8Array;
}

const TCP_HEADER = 20;

/** The whole IP packet of a TCP segment, with its checksum and the largest window. */
export function buildTcpPacket(
  addresses: Pick<IpFields, "source" | "destination">,
  segment: TcpSegment,
): Uint8Array {
  const { sourcePort, destinationPort, sequence, acknowledgment, flags, payload } = segment;
  const tcp = concat(
    ...[u16(sourcePort), u16(destinationPort), u32(sequence), u32(acknowledgment)],
    ...[Uint8Array.of((TCP_HEADER / 4) << 4, flags), u16(0xffff), u16(0), u16(0), payload],
  );
  tcp.set(u16(checksum(pseudoHeader(addresses.source, addresses.destination, 6, tcp.length), tcp)), 16);
  return buildIp({ ...addresses, protocol: 6, payload: tcp });
}

/** Reads the TCP segment in an IP packet; options are left out. */
export function parseTcp(packet: IpPacket): (TcpSegment & { checksumOk: boolean }) | IpError {
  const { payload } = packet;
  if (packet.protocol !== 6) return { error: `IP protocol ${packet.protocol} is not TCP` };
  const header = ((payload[12] ?? 0) >>> 4) * 4;
  if (header < TCP_HEADER || header > payload.length)
    return { error: `TCP header of ${header} octets in ${payload.length}` };
  const pseudo = pseudoHeader(packet.source, packet.destination, 6, payload.length);
  return {
    sourcePort: readU16(payload, 0),
    destinationPort: readU16(payload, 2),
    sequence: readU32(payload, 4),
    acknowledgment: readU32(payload, 8),
    flags: payload[13]!,
    payload: view(payload, header, payload.length),
    checksumOk: checksum(pseudo, payload) === 0,
  };
}

/** Reads the UDP datagram in an IP packet. `checksumOk` is true also where IPv4 carries none (0). */
export function parseUdp(packet: IpPacket): (UdpDatagram & { checksumOk: boolean }) | IpError {
  const { payload } = packet;
  if (packet.protocol !== 17) return { error: `IP protocol ${packet.protocol} is not UDP` };
  const length = readU16(payload, 4);
  if (payload.length < 8 || length < 8 || length > payload.length) {
    return { error: `UDP length ${length} in ${payload.length} octets` };
  }
  const datagram = view(payload, 0, length);
  const none = packet.version === 4 && readU16(payload, 6) === 0;
  const pseudo = pseudoHeader(packet.source, packet.destination, 17, length);
  return {
    sourcePort: readU16(payload, 0),
    destinationPort: readU16(payload, 2),
    payload: view(payload, 8, length),
    checksumOk: none || checksum(pseudo, datagram) === 0,
  };
}

/** An ICMP or ICMPv6 echo, the kind after the addresses' family. */
export interface Echo {
  reply: boolean;
  identifier: number;
  sequence: number;
  data: Uint8Array;
}

const ECHO_TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

/** The ICMP message of an echo, without an IP header: what ESP in transport mode carries. */
export function buildEcho(source: Uint8Array, destination: Uint8Array, echo: Echo): Uint8Array {
  const family = source.length === 4 ? 4 : 6;
  const types = ECHO_TYPES[family];
  const type = echo.reply ? types.reply : types.request;
  const icmp = concat(Uint8Array.of(type, 0, 0, 0), u16(echo.identifier), u16(echo.sequence), echo.data);
  const pseudo = family === 4 ? [] : [pseudoHeader(source, destination, 58, icmp.length)];
  icmp.set(u16(checksum(...pseudo, icmp)), 2);
  return icmp;
}

/** The whole IP packet of an echo. */
export function buildEchoPacket(
  addresses: Pick<IpFields, "source" | "destination">,
  echo: Echo,
  options: Partial<IpFields> = {},
): Uint8Array {
  const payload = buildEcho(addresses.source, addresses.destination, echo);
  return buildIp({ ...options, ...addresses, protocol: addresses.source.length === 4 ? 1 : 58, payload });
}

/** Reads the echo request or reply in an IP packet. */
export function parseEcho(packet: IpPacket): (Echo & { checksumOk: boolean }) | IpError {
  const { payload } = packet;
  const expected = packet.version === 4 ? 1 : 58;
  const types = ECHO_TYPES[packet.version];
  const type = payload[0];
  if (packet.protocol !== expected || payload.length < 8) return { error: "no ICMP message" };
  if (type !== types.request && type !== types.reply) return { error: `ICMP type ${type} is no echo` };
  const pseudo =
    packet.version === 4 ? [] : [pseudoHeader(packet.source, packet.destination, 58, payload.length)];
  return {
    reply: type === types.reply,
    identifier: readU16(payload, 4),
    sequence: readU16(payload, 6),
    data: view(payload, 8, payload.length),
    checksumOk: checksum(...pseudo, payload) === 0,
  };
}
