/** Packets inside of ESP: reading them against the Child SA's selectors, and answering echo requests. */
import type { OpenedPacket } from "../esp/inbound.ts";
import { NEXT_HEADER } from "../esp/sa.ts";
import type { ChildSa } from "../ike/child.ts";
import { intersect } from "../ike/selectors.ts";
import { equal } from "../wire/bytes.ts";
import {
  buildEcho,
  buildEchoPacket,
  buildIp,
  type Echo,
  formatAddress,
  type IpPacket,
  isIpError,
  parseAddress,
  parseEcho,
  parseIp,
} from "../wire/ip.ts";
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { TrafficSelector } from "../wire/types.ts";

/** What an ESP packet carried. */
export interface InnerPacket {
  source: string;
  destination: string;
  protocol: number;
  payload: Uint8Array;
  echo?: Echo;
  /** Whether addresses and protocol lie within the SA's selectors (RFC 4301 section 5.2). */
  allowed: boolean;
}

export const echoPacket = (source: Uint8Array, destination: Uint8Array, echo: Echo): Uint8Array =>
  buildEchoPacket({ source, destination }, echo);

/** Undefined if it is no IP packet, or none this SA may carry. */
export function readInner(child: ChildSa, opened: OpenedPacket): InnerPacket | undefined {
  const packet = innerIp(child, opened);
  if (!packet || isIpError(packet)) return undefined;
  const echo = parseEcho(packet);
  return {
    source: formatAddress(packet.source),
    destination: formatAddress(packet.destination),
    protocol: packet.protocol,
    payload: packet.payload,
    echo: isIpError(echo) ? undefined : echo,
    allowed:
      within(child.remoteTs, packet.source, packet.protocol) &&
      within(child.localTs, packet.destination, packet.protocol),
  };
}

/** In transport mode the IP header is that of the outer packet. */
function innerIp(child: ChildSa, opened: OpenedPacket): IpPacket | ReturnType<typeof parseIp> | undefined {
  const { nextHeader, payload } = opened;
  if (child.mode === "tunnel") {
    const isIp = nextHeader === NEXT_HEADER.ipv4 || nextHeader === NEXT_HEADER.ipv6;
    return isIp ? parseIp(payload) : undefined;
  }
  const source = endOf(child, child.remoteTs, child.ike.remote.host);
  const destination = endOf(child, child.localTs, child.ike.local.host);
  if (!source || !destination || nextHeader === NEXT_HEADER.ipv4 || nextHeader === NEXT_HEADER.ipv6)
    return undefined;
  return parseIp(buildIp({ source, destination, protocol: nextHeader, payload }));
}

/** Through a NAT the selectors name the end as both sides agreed on it (RFC 7296 section 2.23.1), else IKE does. */
function endOf(child: ChildSa, selectors: TrafficSelector[], host: string): Uint8Array | undefined {
  const { nat } = child.ike;
  const [only] = selectors;
  const single = only !== undefined && equal(only.startAddress, only.endAddress);
  return (nat?.peer || nat?.us) && single ? only.startAddress : parseAddress(host);
}

function within(selectors: TrafficSelector[], address: Uint8Array, protocol: number): boolean {
  const tsType = address.length === 4 ? TS_TYPE.TS_IPV4_ADDR_RANGE : TS_TYPE.TS_IPV6_ADDR_RANGE;
  const point: TrafficSelector = {
    ...{ tsType, ipProtocol: protocol, startPort: 0, endPort: 65535 },
    ...{ startAddress: address, endAddress: address },
  };
  return selectors.some((ts) => intersect(ts, point) !== undefined);
}

/** The echo reply as this Child SA carries it. */
export function replyTo(child: ChildSa, inner: InnerPacket): { payload: Uint8Array; nextHeader: number } {
  const source = parseAddress(inner.destination) ?? new Uint8Array(4);
  const destination = parseAddress(inner.source) ?? new Uint8Array(4);
  const { identifier = 0, sequence = 0, data = new Uint8Array() } = inner.echo ?? {};
  const echo = { reply: true, identifier, sequence, data };
  const v4 = source.length === 4;
  if (child.mode === "tunnel") {
    return {
      payload: echoPacket(source, destination, echo),
      nextHeader: v4 ? NEXT_HEADER.ipv4 : NEXT_HEADER.ipv6,
    };
  }
  return {
    payload: buildEcho(source, destination, echo),
    nextHeader: v4 ? NEXT_HEADER.icmp : NEXT_HEADER.icmpv6,
  };
}
