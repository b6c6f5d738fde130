/** What is inside of ESP, in words and as trees of fields. */
import { hex } from "../harness/wire/bytes.ts";
import { formatAddress, type IpPacket, isIpError, parseEcho, parseIp } from "../harness/wire/ip.ts";
import type { FieldTree } from "./view.ts";

const NEXT_HEADER = { icmp: 1, ipv4: 4, ipv6: 41, icmpv6: 58, none: 59 } as const;

export interface InnerView {
  /** As in `next header 4 echo request 203.0.113.1 > 203.0.113.17`. */
  text: string;
  trees: FieldTree[];
}

/** `padding` is not set where it is not known. Never throws. */
export function espContent(nextHeader: number, payload: Uint8Array, padding?: Uint8Array): InnerView {
  const packet = innerPacket(nextHeader, payload);
  const trailer: FieldTree = {
    kind: "content",
    nextHeader,
    octets: payload.length,
    ...(padding && { padding: hex(padding) }),
  };
  const dummy = nextHeader === NEXT_HEADER.none ? " (dummy)" : "";
  if (!packet) {
    const echo = bareEcho(nextHeader, payload);
    return {
      text: `next header ${nextHeader}${dummy}${echo ? ` echo ${echo}` : ""}`,
      trees: [trailer, { kind: "payload", data: hex(payload) }],
    };
  }
  const [source, destination] = [formatAddress(packet.source), formatAddress(packet.destination)];
  const echo = parseEcho(packet);
  const what = isIpError(echo) ? `protocol ${packet.protocol}` : `echo ${echo.reply ? "reply" : "request"}`;
  return {
    text: `next header ${nextHeader} ${what} ${source} > ${destination}`,
    trees: [trailer, ipTree(packet, source, destination)],
  };
}

function innerPacket(nextHeader: number, payload: Uint8Array): IpPacket | undefined {
  if (nextHeader !== NEXT_HEADER.ipv4 && nextHeader !== NEXT_HEADER.ipv6) return undefined;
  const packet = parseIp(payload);
  return isIpError(packet) ? undefined : packet;
}

/** Of transport mode, where the IP header is outside. */
function bareEcho(nextHeader: number, [type]: Uint8Array): "request" | "reply" | undefined {
  if (nextHeader !== NEXT_HEADER.icmp && nextHeader !== NEXT_HEADER.icmpv6) return undefined;
  const [request, reply] = nextHeader === NEXT_HEADER.icmp ? [8, 0] : [128, 129];
  return type === request ? "request" : type === reply ? "reply" : undefined;
}

const ipTree = (packet: IpPacket, source: string, destination: string): FieldTree => ({
  kind: `IPv${packet.version}`,
  ...{ source, destination, protocol: packet.protocol, ttl: packet.ttl, data: hex(packet.payload) },
  ...(packet.trailing.length > 0 && { trailing: hex(packet.trailing) }),
});
