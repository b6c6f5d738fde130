/** Lies about the packet inside of ESP: lengths, addresses, options, what is nested in it. The ICV is right. */
import type { OutgoingEsp } from "../../harness/esp/hooks.ts";
import { NEXT_HEADER } from "../../harness/esp/sa.ts";
import { concat, EMPTY, equal, hex, u16 } from "../../harness/wire/bytes.ts";
import { buildEchoPacket, buildIp, checksum } from "../../harness/wire/ip.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { MOST_OCTETS } from "./build.ts";
import { type EspRow, ofEsp } from "./esp.ts";
import type { Demand, Draft, EspOperator } from "./operator.ts";

/** What is outside of the SA's selectors is discarded. */
const bySelectors: Demand = { document: "rfc4303", requirement: "ESP-48", never: "delivery" };

interface Row extends Omit<EspRow, "apply" | "draw"> {
  draw?: EspRow["draw"];
  /** What the inner packet becomes; undefined if the change does not fit. */
  becomes(inner: Uint8Array, change: Draft): Uint8Array | undefined;
  /** Not set: any packet. */
  family?: 4 | 6 | "ip";
}

const isIpv4 = ({ payload, nextHeader }: OutgoingEsp): boolean =>
  nextHeader === NEXT_HEADER.ipv4 && payload.length >= 20 && (payload[0] ?? 0) >> 4 === 4;
const isIpv6 = ({ payload, nextHeader }: OutgoingEsp): boolean =>
  nextHeader === NEXT_HEADER.ipv6 && payload.length >= 40;

function fits(packet: OutgoingEsp, family: Row["family"]): boolean {
  if (family === 4) return isIpv4(packet);
  if (family === 6) return isIpv6(packet);
  return family === undefined || isIpv4(packet) || isIpv6(packet);
}

const ofInner = ({ becomes, family, draw, ...row }: Row): EspOperator =>
  ofEsp({
    ...row,
    draw: (dice, packet) => (fits(packet, family) ? (draw ? draw(dice, packet) : {}) : undefined),
    apply(packet, change) {
      const inner = fits(packet, family) ? becomes(packet.payload, change) : undefined;
      if (!inner || inner.length > MOST_OCTETS - 1000) return false;
      packet.payload = inner;
      return true;
    },
  });

const version = (inner: Uint8Array): number => (inner[0] ?? 0) >> 4;

/** A copy with these octets written; an IPv4 header gets its checksum. */
function written(inner: Uint8Array, at: number, octets: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(inner);
  if (at + octets.length > copy.length) return copy;
  copy.set(octets, at);
  if (version(inner) !== 4) return copy;
  copy.set([0, 0], 10);
  copy.set(u16(checksum(copy.subarray(0, Math.min(copy.length, 4 * Math.max(5, (copy[0] ?? 0) & 15))))), 10);
  return copy;
}

/** A row that writes the change's number, of so many octets, at this offset. */
const numberAt = (
  name: string,
  effect: string,
  place: { at: number; octets: 1 | 2; family: 4 | 6 },
  numbers: readonly number[],
): Row => {
  const most = place.octets === 1 ? 255 : 0xffff;
  return {
    name,
    effect,
    family: place.family,
    draw: (dice) => ({ value: numberOr(dice, numbers, most + 1) }),
    becomes(inner, change) {
      const value = whole(change, 0, most);
      if (value === undefined) return undefined;
      const changed = written(inner, place.at, place.octets === 1 ? Uint8Array.of(value) : u16(value));
      return equal(changed, inner) ? undefined : changed;
    },
  };
};

const LENGTHS = [0, 1, 19, 20, 21, 39, 40, 0x7fff, 0x8000, 0xffff];
const PROTOCOLS = [0, 1, 2, 4, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 255];

const fields: Row[] = [
  numberAt(
    "esp-inner-first",
    "Writes another version and header length into an IPv4 packet.",
    { at: 0, octets: 1, family: 4 },
    [0x40, 0x41, 0x44, 0x46, 0x4f, 0x05, 0x55, 0x65, 0xff],
  ),
  numberAt(
    "esp-inner-length",
    "Writes another length into an IPv4 packet.",
    { at: 2, octets: 2, family: 4 },
    LENGTHS,
  ),
  numberAt(
    "esp-inner-fragment",
    "Writes other flags and another Fragment Offset into an IPv4 packet.",
    { at: 6, octets: 2, family: 4 },
    [0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff, 0x8000, 0xffff],
  ),
  numberAt(
    "esp-inner-protocol",
    "Writes another protocol into an IPv4 packet.",
    { at: 9, octets: 1, family: 4 },
    PROTOCOLS,
  ),
  numberAt(
    "esp-inner-length-6",
    "Writes another length into an IPv6 packet.",
    { at: 4, octets: 2, family: 6 },
    LENGTHS,
  ),
  numberAt(
    "esp-inner-protocol-6",
    "Writes another Next Header into an IPv6 packet.",
    { at: 6, octets: 1, family: 6 },
    PROTOCOLS,
  ),
  {
    name: "esp-inner-checksum",
    effect: "Turns a bit of the header's checksum in an IPv4 packet.",
    family: 4,
    becomes: (inner) => turnBit(inner, 8 * 11),
  },
];

/** Outside of every tunnel of the lab, by family. */
const STRANGER = {
  4: Uint8Array.of(203, 0, 113, 199),
  6: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 199),
} as const;

const addressed = (inner: Uint8Array, which: "source" | "destination"): Uint8Array => {
  const v4 = version(inner) === 4;
  const [from, to] = v4 ? [12, 16] : [8, 24];
  return written(inner, which === "source" ? from : to, v4 ? STRANGER[4] : STRANGER[6]);
};

const addresses: Row[] = [
  {
    name: "esp-inner-source",
    effect: "Writes a source address outside of the traffic selectors.",
    demand: bySelectors,
    family: "ip",
    becomes: (inner) => addressed(inner, "source"),
  },
  {
    name: "esp-inner-destination",
    effect: "Writes a destination address outside of the traffic selectors.",
    demand: bySelectors,
    family: "ip",
    becomes: (inner) => addressed(inner, "destination"),
  },
];

const wrapped = (inner: Uint8Array): Uint8Array =>
  version(inner) === 4
    ? buildIp({
        source: inner.subarray(12, 16),
        destination: inner.subarray(16, 20),
        protocol: 4,
        payload: inner,
      })
    : buildIp({
        source: inner.subarray(8, 24),
        destination: inner.subarray(24, 40),
        protocol: 41,
        payload: inner,
      });

function nested(inner: Uint8Array, depth: number): Uint8Array {
  let packet = inner;
  for (let level = 0; level < depth && packet.length < 30_000; level++) packet = wrapped(packet);
  return packet;
}

const shapes: Row[] = [
  {
    name: "esp-inner-empty",
    effect: "Encrypts no inner packet at all.",
    becomes: (inner) => (inner.length > 0 ? EMPTY : undefined),
  },
  {
    name: "esp-inner-cut",
    effect: "Keeps so many of the first octets of the inner packet.",
    draw: (dice, { payload }) => (payload.length > 0 ? { value: dice.number(payload.length) } : undefined),
    becomes(inner, change) {
      const octets = whole(change, 0, inner.length - 1);
      return octets === undefined ? undefined : inner.subarray(0, octets);
    },
  },
  {
    name: "esp-inner-replace",
    effect: "Encrypts these octets in the place of the inner packet.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 3, 4, 20, 40, 1000]))) }),
    becomes(_inner, change) {
      const octets = octetsIn(change);
      return octets.length === 0 ? undefined : octets;
    },
  },
  {
    name: "esp-inner-bit",
    effect: "Turns one bit of the inner packet.",
    draw: (dice, { payload }) =>
      payload.length > 0 ? { value: dice.number(8 * Math.min(80, payload.length)) } : undefined,
    becomes(inner, change) {
      const bit = whole(change, 0, 8 * inner.length - 1);
      return bit === undefined ? undefined : turnBit(inner, bit);
    },
  },
  {
    name: "esp-inner-options",
    effect: "Puts these octets, up to 40, behind the IPv4 header as its options.",
    family: 4,
    draw: (dice) => ({
      octets: dice.pick([
        "00000000",
        "01010101",
        "0701ffff",
        "83030400",
        "8900ffff",
        "9404000094040000",
        "ff".repeat(40),
        "0727040000000000".padEnd(80, "0"),
      ]),
    }),
    becomes(inner, change) {
      const options = octetsIn(change).subarray(0, 40);
      const words = Math.floor(options.length / 4);
      if (words === 0 || ((inner[0] ?? 0) & 15) !== 5) return undefined;
      const longer = concat(inner.subarray(0, 20), options.subarray(0, 4 * words), inner.subarray(20));
      longer.set(u16(longer.length), 2);
      return written(longer, 0, Uint8Array.of(0x45 + words));
    },
  },
  {
    name: "esp-inner-nested",
    effect: "Wraps the inner packet in so many more IP headers.",
    family: "ip",
    draw: (dice) => ({ value: dice.pick([1, 2, 10, 100]) }),
    becomes(inner, change) {
      const depth = whole(change, 1, 1000);
      return depth === undefined ? undefined : nested(inner, depth);
    },
  },
  {
    name: "esp-inner-other-family",
    effect: "Encrypts an IPv6 echo request under the Next Header of IPv4.",
    family: 4,
    becomes: () =>
      buildEchoPacket(
        { source: STRANGER[6], destination: STRANGER[6] },
        { reply: false, identifier: 1, sequence: 1, data: new Uint8Array(8) },
      ),
  },
];

export const espInnerOperators: readonly EspOperator[] = [...fields, ...addresses, ...shapes].map(ofInner);
