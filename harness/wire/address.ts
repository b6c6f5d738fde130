/** IP addresses between text and octets. */
import { isIPv4, isIPv6 } from "node:net";
import { readU16 } from "./bytes.ts";

/** 4 or 16 octets; undefined for a text that is no address. Zones (`%eth0`) are no part of an address here. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) {
    const out = new Uint8Array(4);
    for (const [index, part] of text.split(".").entries()) out[index] = Number(part);
    return out;
  }
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const [head = "", tail] = text.split("::");
  const left = groupOctets(head);
  const right = groupOctets(tail ?? "");
  const out = new Uint8Array(16);
  out.set(left, 0);
  out.set(right, 16 - right.length);
  return out;
}

/** Octets of groups such as `2001:db8` or `ffff:192.0.2.1`. */
function groupOctets(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}

/** Text of 4 or 16 octets, IPv6 in the form of RFC 5952; hex with a leading `0x` for any other size. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return `0x${Buffer.from(bytes).toString("hex")}`;
  const groups = Array.from({ length: 8 }, (_, i) => readU16(bytes, 2 * i));
  const gap = longestZeros(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (gap.length < 2) return text(0, 8);
  return `${text(0, gap.start)}::${text(gap.start + gap.length, 8)}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** A range of addresses, both ends included. */
export interface AddressRange {
  start: Uint8Array;
  end: Uint8Array;
}

/** First and last address of a prefix such as `203.0.113.0/28`, or of one address; undefined for any other text. */
export function parsePrefix(text: string): AddressRange | undefined {
  const [host = "", bits, ...more] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || more.length > 0) return undefined;
  if (bits === undefined) return { start: address, end: address };
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > address.length * 8) return undefined;
  const start = Uint8Array.from(address);
  const end = Uint8Array.from(address);
  for (let i = 0; i < address.length; i++) {
    const fixed = Math.min(8, Math.max(0, Number(bits) - 8 * i));
    const hostMask = 0xff >>> fixed;
    start[i] = address[i]! & ~hostMask;
    end[i] = address[i]! | hostMask;
  }
  return { start, end };
}

/** `10.1.0.0/24` where a range is a prefix, else `10.1.0.1-10.1.0.9`. */
export function formatRange(range: AddressRange): string {
  const { start, end } = range;
  for (let bits = start.length * 8; bits >= 0 && start.length === end.length; bits--) {
    const prefix = `${formatAddress(start)}/${bits}`;
    const candidate = parsePrefix(prefix);
    if (candidate === undefined) break;
    if (Buffer.compare(candidate.start, start) !== 0) break;
    if (Buffer.compare(candidate.end, end) === 0) return prefix;
  }
  return `${formatAddress(start)}-${formatAddress(end)}`;
}
