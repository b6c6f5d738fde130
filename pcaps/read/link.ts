/** Finds the IP packet behind the header of a link. */
import { readU16, readU32 } from "../../harness/wire/bytes.ts";
import { LINKTYPE } from "../types.ts";

/** There is another protocol on the link. */
export const NOT_IP = -1;
/** The header of the link, or its tags, are cut. */
export const LINK_CUT = -2;
/** The link's type is none that is read here. */
export const UNKNOWN_LINK = -3;

const [IPV4, IPV6] = [0x0800, 0x86dd];
/** Tags of IEEE 802.1Q and 802.1ad, and what was used before for the outer one. */
const isTag = (type: number): boolean => type === 0x8100 || type === 0x88a8 || type === 0x9100;
/** AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD and macOS. */
const isIpFamily = (family: number): boolean =>
  family === 2 || family === 10 || family === 24 || family === 28 || family === 30;

/** Octets in front of the IP packet, or a negative number that says why there is none. */
export function ipOffset(linkType: number, data: Uint8Array): number {
  switch (linkType) {
    case LINKTYPE.raw:
    case LINKTYPE.ipv4:
    case LINKTYPE.ipv6:
      return 0;
    case LINKTYPE.ethernet:
      return behindType(data, 12, 14);
    case LINKTYPE.linuxSll:
      return behindType(data, 14, 16);
    case LINKTYPE.linuxSll2:
      return behindType(data, 0, 20);
    case LINKTYPE.null:
    case LINKTYPE.loop:
      return behindFamily(data);
    default:
      return UNKNOWN_LINK;
  }
}

/** `typeAt`: place of the protocol's type, `header`: octets before the payload. */
function behindType(data: Uint8Array, typeAt: number, header: number): number {
  if (data.length < header) return LINK_CUT;
  let type = readU16(data, typeAt);
  let at = header;
  while (isTag(type)) {
    if (data.length < at + 4) return LINK_CUT;
    type = readU16(data, at + 2);
    at += 4;
  }
  return type === IPV4 || type === IPV6 ? at : NOT_IP;
}

/** Four octets of address family: in network order (`loop`), or in that of the machine that captured (`null`). */
function behindFamily(data: Uint8Array): number {
  if (data.length < 4) return LINK_CUT;
  const family = readU32(data, 0);
  const swapped = ((family >>> 24) | ((family >>> 8) & 0xff00)) >>> 0;
  const known = isIpFamily(family) || ((family & 0xffff) === 0 && isIpFamily(swapped));
  return known ? 4 : NOT_IP;
}
