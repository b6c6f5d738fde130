/** ESP of members, opened with the keys of their group (RFC 9838 sections 3.4, 4.4.2). */
import { InboundSa } from "../esp/inbound.ts";
import { NEXT_HEADER } from "../esp/sa.ts";
import type { DataSa } from "../group/controller-state.ts";
import { splitDataKeymat, suiteOf } from "../group/keys.ts";
import type { Datagram } from "../link/types.ts";
import { equal, readU32 } from "../wire/bytes.ts";
import { isIpError, parseAddress, parseIp, parseUdp } from "../wire/ip.ts";
import { Failure } from "./verdicts.ts";

/** What is inside of a packet of a tunnel. */
export interface InsideTunnel {
  /** The payload of the inner UDP datagram, as text. */
  text: string;
  /** True if the inner addresses are those outside. */
  preserved: boolean;
}

/** Opens tunnel mode ESP of a member; fails if it does not open with the keys of this SA, or holds no UDP datagram. */
export function insideTunnel(
  { policy, KEYMAT, spi }: DataSa,
  { source, destination, data }: Datagram,
): InsideTunnel {
  const transforms = suiteOf(policy.transforms);
  const keys = transforms && splitDataKeymat(KEYMAT, transforms);
  if (!transforms || !keys) throw new Error("the group has no ESP that we can open");
  const inbound = new InboundSa({
    spi: readU32(spi, 0),
    transforms,
    keys,
    esn: false,
    window: { enabled: false },
  });
  const opened = inbound.open(data);
  const expected = "ESP that opens with the keys of the group";
  if (!opened.ok) throw new Failure(expected, `${opened.reason}: ${opened.detail}`);
  if (opened.nextHeader !== NEXT_HEADER.ipv4 && opened.nextHeader !== NEXT_HEADER.ipv6)
    throw new Failure("an IP packet inside of ESP", `Next Header ${opened.nextHeader}`);
  const packet = parseIp(opened.payload);
  const udp = isIpError(packet) ? packet : parseUdp(packet);
  if (isIpError(packet) || isIpError(udp))
    throw new Failure("a UDP datagram inside of ESP", "something else");
  const [from, to] = [parseAddress(source.host), parseAddress(destination.host)];
  const preserved = !!from && !!to && equal(packet.source, from) && equal(packet.destination, to);
  return { text: new TextDecoder().decode(udp.payload), preserved };
}
