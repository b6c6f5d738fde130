/**
 * Lies inside of EAP-TTLS (RFC 5281 section 10): AVPs, and the EAP packets in them. TLS has encrypted them when a
 * message goes out, so these tell our end beforehand, in the TLS handshake, what to make of the AVPs that it will send.
 */
import { TLS_FLAG } from "../../harness/eap/tls-fragments.ts";
import { AVP_FLAG } from "../../harness/eap/ttls-avps.ts";
import { concat, EMPTY, equal, fromHex, hex, u16, u32 } from "../../harness/wire/bytes.ts";
import { EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { MOST_OCTETS } from "./build.ts";
import { eapOf, typeOf } from "./eap-packet.ts";
import type { Draft, IkeOperator } from "./operator.ts";

/** Which AVPs of ours: those with the identity or the first request, or the next. */
const TURNS: readonly string[] = ["first", "second"];
const APPLICATION_DATA = 23;
const AVP_HEADER = 8;

interface AvpRow extends Pick<IkeOperator, "name" | "effect"> {
  draw?(dice: Dice): Draft;
  /** What the AVPs become; undefined if the change does not fit. */
  becomes(avps: Uint8Array, change: Draft): Uint8Array | undefined;
}

/** A packet of TTLS behind which AVPs may come: no TLS, or a record that is none of application data. */
function isBeforeAvps(eap: EapPayload): boolean {
  if (typeOf(eap) !== EAP_TYPE.TTLS || eap.data.length < 2) return false;
  return eap.data[(eap.data[1] ?? 0) & TLS_FLAG.LENGTH ? 6 : 2] !== APPLICATION_DATA;
}

const ofAvps = ({ draw, becomes, ...row }: AvpRow): IkeOperator => ({
  ...row,
  on: "ike",
  family: "eap",
  draw(message, dice) {
    const eap = eapOf(message);
    return eap && isBeforeAvps(eap) ? { ...draw?.(dice), at: dice.pick(TURNS) } : undefined;
  },
  apply(message, change) {
    const eap = eapOf(message);
    const due = TURNS.indexOf(change.at ?? "");
    const manners = message.sa?.conversation?.manners;
    if (!eap || !isBeforeAvps(eap) || due < 0 || !manners) return false;
    const before = manners.bendInner;
    manners.bendInner = (avps, turn) => {
      const bent = before?.(avps, turn) ?? avps;
      return turn === due ? (becomes(bent, change)?.subarray(0, MOST_OCTETS) ?? bent) : bent;
    };
    return true;
  },
});

/** A copy with these octets written over what is there. */
function written(avps: Uint8Array, at: number, octets: Uint8Array): Uint8Array | undefined {
  if (at + octets.length > avps.length) return undefined;
  const copy = Uint8Array.from(avps);
  copy.set(octets, at);
  return equal(copy, avps) ? undefined : copy;
}

const padded = (octets: Uint8Array): Uint8Array => concat(octets, new Uint8Array(-octets.length & 3));

/** The same header of an AVP with other data, its length right. */
function withData(avps: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  if (avps.length < AVP_HEADER) return undefined;
  const length = u32(AVP_HEADER + data.length).subarray(1);
  return concat(avps.subarray(0, 5), length, padded(data));
}

const U24 = 0x1000000;
const CODES = [0, 1, 2, 11, 18, 24, 26, 79, 80, 256, 0x7fffffff, 0xffffffff];

const headers: AvpRow[] = [
  {
    name: "eap-ttls-avp-code",
    effect: "Writes another code into the first AVP.",
    draw: (dice) => ({ value: numberOr(dice, CODES, 0x10000) }),
    becomes(avps, change) {
      const code = whole(change, 0, 0xffffffff);
      return code === undefined ? undefined : written(avps, 0, u32(code));
    },
  },
  {
    name: "eap-ttls-avp-flags",
    effect: "Writes other flags into the first AVP; a vendor is not there.",
    draw: (dice) => ({
      value: numberOr(dice, [0, AVP_FLAG.VENDOR, AVP_FLAG.VENDOR | AVP_FLAG.MANDATORY, 0x3f, 0xff], 256),
    }),
    becomes(avps, change) {
      const flags = whole(change, 0, 0xff);
      return flags === undefined ? undefined : written(avps, 4, Uint8Array.of(flags));
    },
  },
  {
    name: "eap-ttls-avp-length",
    effect: "Writes another length into the first AVP.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 7, 8, 9, 11, 12, 0xffff, 0x10000, U24 - 1], U24) }),
    becomes(avps, change) {
      const length = whole(change, 0, U24 - 1);
      return length === undefined ? undefined : written(avps, 5, u32(length).subarray(1));
    },
  },
];

const lists: AvpRow[] = [
  {
    name: "eap-ttls-avp-twice",
    effect: "Sends the AVPs twice in one message.",
    becomes: (avps) => concat(avps, avps),
  },
  {
    name: "eap-ttls-avp-none",
    effect: "Sends no AVPs where some are due.",
    becomes: () => EMPTY,
  },
  {
    name: "eap-ttls-avp-cut",
    effect: "Keeps so many of the first octets of the AVPs.",
    draw: (dice) => ({ value: dice.number(24) }),
    becomes(avps, change) {
      const octets = whole(change, 0, avps.length - 1);
      return octets === undefined ? undefined : avps.subarray(0, octets);
    },
  },
  {
    name: "eap-ttls-avp-more",
    effect: "Puts these octets, an AVP or not, behind the others.",
    draw: (dice) => ({
      octets: dice.pick([
        "0000000100000009aa000000",
        "0000000140000009aa000000",
        "00000001c000000c00000137",
        "0000004f40000008",
        "0000004f00ffffff",
        "0000004f",
        hex(anyOctets(dice, dice.pick([1, 7, 8, 64, 3000]))),
      ]),
    }),
    becomes: (avps, change) => concat(avps, octetsIn(change)),
  },
  {
    name: "eap-ttls-avp-replace",
    effect: "Sends these octets in the place of the AVPs.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 4, 7, 8, 12, 255, 3000]))) }),
    becomes: (_, change) => octetsIn(change),
  },
  {
    name: "eap-ttls-avp-bit",
    effect: "Turns one bit of the AVPs.",
    draw: (dice) => ({ value: dice.number(8 * 32) }),
    becomes(avps, change) {
      const bit = whole(change, 0, 2 ** 19);
      return bit === undefined ? undefined : turnBit(avps, bit);
    },
  },
];

const named = (name: string): string => hex(new TextEncoder().encode(name));

/** EAP packets without their header's length: code and identifier, then type and type data. */
const PACKETS: readonly string[] = [
  "0300",
  "0400",
  "0200",
  "0100",
  "010001",
  "020001",
  `020001${named("a".repeat(2000))}`,
  "020003",
  "02000315",
  "020003ffffff",
  "0100041000",
  `0200041011${"11".repeat(16)}`,
  "01001520",
  "01000d20",
  `02001a0200003631${"00".repeat(49)}`,
  "0100fe00013700000001",
  "0500",
  "ff00ff",
];

const packets: AvpRow[] = [
  {
    name: "eap-ttls-eap",
    effect: "Puts this EAP packet (code, identifier, data) into the AVP; its length is right.",
    draw: (dice) => ({ octets: dice.pick(PACKETS) }),
    becomes(avps, change) {
      const eap = octetsIn(change);
      if (eap.length < 2) return undefined;
      return withData(avps, concat(eap.subarray(0, 2), u16((eap.length + 2) & 0xffff), eap.subarray(2)));
    },
  },
  {
    name: "eap-ttls-eap-length",
    effect: "Writes another length into the EAP packet in the AVP.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 3, 4, 5, 255, 0x7fff, 0xffff], 0x10000) }),
    becomes(avps, change) {
      const length = whole(change, 0, 0xffff);
      return length === undefined ? undefined : written(avps, AVP_HEADER + 2, u16(length));
    },
  },
  {
    name: "eap-ttls-eap-short",
    effect: "Puts an AVP around so few octets that no EAP packet can be in it.",
    draw: (dice) => ({ value: dice.number(4) }),
    becomes(avps, change) {
      const octets = whole(change, 0, 3);
      return octets === undefined ? undefined : withData(avps, fromHex("01000400").subarray(0, octets));
    },
  },
];

export const eapTtlsOperators: readonly IkeOperator[] = [...headers, ...lists, ...packets].map(ofAvps);
