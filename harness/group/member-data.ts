/** Application data of a group in ESP: RFC 9838 section 4.4.2, RFC 5374. */

import type { DataPlane } from "../esp/hooks.ts";
import type { OpenedPacket } from "../esp/inbound.ts";
import { isSealRefusal } from "../esp/outbound.ts";
import { NEXT_HEADER } from "../esp/sa.ts";
import type { Datagram } from "../link/types.ts";
import { equal, readU32 } from "../wire/bytes.ts";
import {
  buildIp,
  buildUdpPacket,
  formatAddress,
  type IpPacket,
  isIpError,
  parseAddress,
  parseIp,
  parseUdp,
} from "../wire/ip.ts";
import type { TrafficSelector } from "../wire/types.ts";
import type { Decide } from "./hooks.ts";
import { senderIv } from "./member-data-sa.ts";
import type { JoinedGroup } from "./member-group.ts";
import type { PlannedSa } from "./member-policy.ts";
import type { DataSa } from "./member-types.ts";

const holds = ({ startAddress, endAddress }: TrafficSelector, address: Uint8Array): boolean =>
  address.length === startAddress.length &&
  Buffer.compare(startAddress, address) <= 0 &&
  Buffer.compare(address, endAddress) <= 0;

/** Whether a datagram went to where this SA is. */
export function isFor({ destination: ts }: PlannedSa, { destination }: Datagram): boolean {
  const address = parseAddress(destination.host);
  return (
    address !== undefined &&
    holds(ts, address) &&
    ts.startPort <= destination.port &&
    destination.port <= ts.endPort
  );
}

/** What came out of a packet of a group: application data, or why there is none. */
export type Delivery = { data: Uint8Array } | { finding: string } | "echo";

/** Opens a packet for the SA that its destination, source and SPI name; undefined if there is none. */
export function openFor(
  group: JoinedGroup,
  { source, destination, data: packet }: Datagram,
  decide: Decide,
): { sa: DataSa; delivery: Delivery } | undefined {
  const [from, to] = [parseAddress(source.host), parseAddress(destination.host)];
  if (!from || !to || packet.length < 4) return undefined;
  const sa = group.data.findLast(
    ({ planned, inbound }) =>
      inbound?.spi === readU32(packet, 0) && holds(planned.destination, to) && holds(planned.source, from),
  );
  if (!sa?.inbound) return undefined;
  if (group.wishes.sender && source.host === group.ike.local.host) {
    if (decide("echo of a sender", "dropped") === "dropped") return { sa, delivery: "echo" };
  }
  const opened = sa.inbound.open(packet);
  if (!opened.ok) return { sa, delivery: { finding: `ESP: ${opened.reason}, ${opened.detail}` } };
  if (opened.dummy) return { sa, delivery: "echo" };
  return { sa, delivery: delivered(group, opened, { source: from, destination: to }) };
}

function delivered(group: JoinedGroup, opened: OpenedPacket, outer: Ends): Delivery {
  const packet = inner(group, opened, outer);
  if (typeof packet === "string") return { finding: packet };
  const udp = parseUdp(packet);
  if (isIpError(udp)) return { finding: `inside ESP: ${udp.error}` };
  return udp.checksumOk ? { data: udp.payload.slice() } : { finding: "inside ESP: a wrong UDP checksum" };
}

interface Ends {
  source: Uint8Array;
  destination: Uint8Array;
}

/** The inner packet; tunnels preserve addresses. */
function inner({ mode }: JoinedGroup, { payload, nextHeader }: OpenedPacket, outer: Ends): IpPacket | string {
  const tunnelled = nextHeader === NEXT_HEADER.ipv4 || nextHeader === NEXT_HEADER.ipv6;
  if (tunnelled !== (mode === "tunnel")) return `Next Header ${nextHeader} in ${mode} mode`;
  const whole = tunnelled ? payload : buildIp({ ...outer, protocol: nextHeader, payload });
  const packet = parseIp(whole);
  if (isIpError(packet)) return packet.error;
  const preserved = equal(packet.source, outer.source) && equal(packet.destination, outer.destination);
  return preserved ? packet : "other addresses inside of the tunnel than outside";
}

/** The SA to send on now: the newest that is active, for the destination of the group's first one. */
function sendingSa(group: JoinedGroup, now: number): DataSa | undefined {
  const able = group.data.filter(({ outbound, activeAt }) => outbound && activeAt <= now);
  const [first] = able;
  const to = first?.planned.destination.startAddress;
  return to && able.findLast(({ planned }) => equal(planned.destination.startAddress, to));
}

/** Sends a UDP datagram with this payload to the group; false where nothing can be sent. */
export function sendTo(
  group: JoinedGroup,
  data: Uint8Array,
  plane: DataPlane,
  decide: Decide,
  port: number,
): boolean {
  const sa = sendingSa(group, plane.now());
  const source = parseAddress(group.ike.local.host);
  const destination = sa?.planned.destination.startAddress;
  if (!sa?.outbound || !source || !destination || source.length !== destination.length) return false;
  const preserves = decide("addresses in tunnel mode", "preserved") === "preserved";
  const from = preserves ? source : source.with(source.length - 1, (source.at(-1) ?? 0) ^ 0x40);
  const datagram = { sourcePort: port, destinationPort: port, payload: data };
  const packet = buildUdpPacket({ source: from, destination }, datagram);
  const tunnel = group.mode === "tunnel";
  const header = source.length === 4 ? 20 : 40;
  const nextHeader = !tunnel ? NEXT_HEADER.udp : source.length === 4 ? NEXT_HEADER.ipv4 : NEXT_HEADER.ipv6;
  const iv = ivOf(group, sa, decide);
  if (iv === "used up") return false;
  const sealed = sa.outbound.seal(tunnel ? packet : packet.subarray(header), nextHeader, iv);
  if (isSealRefusal(sealed)) return false;
  const ends = {
    source: { host: formatAddress(source), port: 0 },
    destination: { host: formatAddress(destination), port: 0 },
  };
  const wraps = group.ike.nat?.peer && decide("ESP behind a NAT", "as it is") === "in UDP";
  if (wraps) plane.send(inUdp({ protocol: "esp", ...ends, data: sealed.slice() }));
  else plane.send({ protocol: "esp", ...ends, data: sealed.slice() });
  return true;
}

/** What multicast never is: nothing tells its receivers of it (section 4.4.2). */
function inUdp({ source, destination, data }: Datagram): Datagram {
  const port = 4500;
  return { protocol: "udp", source: { ...source, port }, destination: { ...destination, port }, data };
}

/** Ciphers whose IVs count have the first Sender-ID in them (section 2.5.2). */
function ivOf(
  { senderIds, senderIdBits }: JoinedGroup,
  sa: DataSa,
  decide: Decide,
): { iv?: Uint8Array } | "used up" {
  const [id] = senderIds;
  const { randomIv, ivLength } = sa.planned.suite.encr;
  if (randomIv || ivLength === 0 || id === undefined || senderIdBits === undefined) return {};
  const place = decide("place of the Sender-ID", "top of the IV") === "top of the IV" ? "top" : "bottom";
  const iv = senderIv(sa, id, senderIdBits, place);
  return iv ? { iv } : "used up";
}
