/** Lies about EAP packets, whatever the method (RFC 3748; RFC 7296 section 3.16). */
import { concat, EMPTY, fromHex, hex } from "../../harness/wire/bytes.ts";
import { EAP_CODE, EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { type EapRow, isType, ofEap, typeOf, withOctet, withTypeData } from "./eap-packet.ts";
import type { IkeOperator } from "./operator.ts";

/** Puts given octets into the place of the type data: with it whatever another lie said can be said in another packet. */
export const EAP_DATA_REPLACE = "eap-data-replace";

const TYPES = [0, 5, 15, 17, 43, 52, 255, ...Object.values(EAP_TYPE)];

const header: EapRow[] = [
  {
    name: "eap-code",
    effect: "Writes another code; what follows stays.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 2, 3, 4, 5, 6, 255], 256) }),
    becomes(eap, change) {
      const code = whole(change, 0, 255);
      return code === undefined || code === eap.code ? undefined : { ...eap, code };
    },
  },
  {
    name: "eap-identifier",
    effect: "Writes an identifier so far from the right one.",
    draw: (dice) => ({ value: numberOr(dice, [1, 2, 127, 128, 254, 255], 255) || 1 }),
    becomes(eap, change) {
      const by = whole(change, 1, 255);
      return by === undefined ? undefined : { ...eap, identifier: (eap.identifier + by) & 0xff };
    },
  },
  {
    name: "eap-length",
    effect: "Writes this length of the EAP packet.",
    draw: (dice, { data }) => ({
      value: numberOr(dice, [0, 1, 3, 4, 5, data.length + 3, data.length + 5, 0x7fff, 0xffff], 0x10000),
    }),
    becomes(eap, change) {
      const eapLength = whole(change, 0, 0xffff);
      return eapLength === undefined || eapLength === eap.data.length + 4 ? undefined : { ...eap, eapLength };
    },
  },
];

const ended = (eap: EapPayload, code: number): EapPayload => ({ ...eap, code, data: EMPTY });

const ends: EapRow[] = [
  {
    name: "eap-success",
    effect: "Sends Success in the place of what is due.",
    fits: ({ code }) => code !== EAP_CODE.SUCCESS,
    becomes: (eap) => ended(eap, EAP_CODE.SUCCESS),
  },
  {
    name: "eap-failure",
    effect: "Sends Failure in the place of what is due.",
    fits: ({ code }) => code !== EAP_CODE.FAILURE,
    becomes: (eap) => ended(eap, EAP_CODE.FAILURE),
  },
  {
    name: "eap-success-beside",
    effect: "Sends Success in the same message, behind what is due.",
    becomes: (eap) => [eap, ended(eap, EAP_CODE.SUCCESS)],
  },
  {
    name: "eap-end-data",
    effect: "Puts data into a Success or Failure, which have none.",
    fits: ({ code }) => code === EAP_CODE.SUCCESS || code === EAP_CODE.FAILURE,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 4, 255, 1000]))) }),
    becomes(eap, change) {
      const data = octetsIn(change);
      return data.length === 0 ? undefined : { ...eap, data };
    },
  },
  {
    name: "eap-twice",
    effect: "Sends the EAP payload twice in one message.",
    becomes: (eap) => [eap, eap],
  },
  {
    name: "eap-empty",
    effect: "Leaves out type and type data.",
    fits: ({ data }) => data.length > 0,
    becomes: (eap) => ({ ...eap, data: EMPTY }),
  },
];

const types: EapRow[] = [
  {
    name: "eap-type",
    effect: "Writes another type in front of the same type data.",
    fits: ({ data }) => data.length > 0,
    draw: (dice) => ({ value: numberOr(dice, TYPES, 256) }),
    becomes(eap, change) {
      const type = whole(change, 0, 255);
      return type === undefined || type === eap.data[0] ? undefined : withOctet(eap, 0, type);
    },
  },
  {
    name: "eap-nak",
    effect: "Sends a Nak for these types.",
    draw: (dice) => ({
      octets: hex(
        dice.chance(0.5)
          ? Uint8Array.from({ length: dice.number(8) }, () => dice.pick(TYPES))
          : anyOctets(dice, dice.pick([0, 1, 255, 1000])),
      ),
    }),
    becomes: (eap, change) => ({ ...eap, data: concat(Uint8Array.of(EAP_TYPE.NAK), octetsIn(change)) }),
  },
  {
    name: "eap-expanded",
    effect: "Sends an Expanded type with these octets: vendor, vendor type, data.",
    draw: (dice) => ({
      octets: dice.chance(0.6)
        ? dice.pick([
            "",
            "00",
            "000000",
            "00000000000003",
            "000000000000000d",
            "00013700000001",
            "ffffffffffffffff",
            "00372a00000001",
          ])
        : hex(anyOctets(dice, dice.number(40))),
    }),
    becomes: (eap, change) => ({ ...eap, data: concat(Uint8Array.of(EAP_TYPE.EXPANDED), octetsIn(change)) }),
  },
  {
    name: "eap-notification",
    effect: "Sends a Notification with this text.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([0, 1, 100, 1015, 5000]))) }),
    becomes: (eap, change) => ({
      ...eap,
      data: concat(Uint8Array.of(EAP_TYPE.NOTIFICATION), octetsIn(change)),
    }),
  },
];

const ascii = (text: string): string => hex(new TextEncoder().encode(text));

const IDENTITIES = [
  "",
  "00",
  ascii("@"),
  ascii("@example.org"),
  ascii("carol@"),
  ascii("carol@@example.org"),
  ascii("carol\0@example.org"),
  ascii("EXAMPLE\\carol"),
  ascii("%s%n%x"),
  ascii("0123456789012345@wlan.mnc001.mcc001.3gppnetwork.org"),
  ascii("a".repeat(253)),
  ascii("a".repeat(4000)),
  ascii(`${"a.".repeat(500)}@${"b.".repeat(500)}`),
  "fffefd",
  "c080",
];

/** First packets of methods, by name: flags, challenges and attributes as a method would begin, or answer, with. */
const methods: Readonly<Record<string, string>> = {
  md5: `0410${"11".repeat(16)}`,
  "md5 without value": "0400",
  otp: "05",
  gtc: `06${ascii("password")}`,
  tls: "0d20",
  "tls acknowledgement": "0d00",
  "tls alert": "0d0015030300020228",
  sim: "120a00000f02000200010000110100010a0100000c010000",
  "sim challenge": `120b000001 0d0000${"22".repeat(48)} 0b050000${"00".repeat(16)}`.replaceAll(" ", ""),
  ttls: "1520",
  "ttls with a version": "1527",
  aka: `17010000 01050000${"33".repeat(16)} 02050000${"44".repeat(16)} 0b050000${"00".repeat(16)}`.replaceAll(
    " ",
    "",
  ),
  "aka identity": "170500000d010000",
  "aka reject": "17020000",
  "aka synchronization failure": `170400000404${"55".repeat(14)}`,
  peap: "1920",
  mschapv2: `1a01010015 10${"66".repeat(16)}`.replaceAll(" ", ""),
  "mschapv2 success": `1a030100${"2e"}${ascii("S=0123456789ABCDEF0123456789ABCDEF01234567")}`,
  "mschapv2 failure": `1a04010012${ascii("E=691 R=1 C=0")}`,
  "aka'":
    `32010000 01050000${"33".repeat(16)} 02050000${"44".repeat(16)} 18010001 17020004${ascii("WLAN")}`.replaceAll(
      " ",
      "",
    ),
  fast: "2b21",
};

const contents: EapRow[] = [
  {
    name: "eap-identity",
    effect: "Sends an Identity of these octets.",
    draw: (dice) => ({
      octets: dice.chance(0.8) ? dice.pick(IDENTITIES) : hex(anyOctets(dice, dice.number(300))),
    }),
    becomes: (eap, change) => ({ ...eap, data: concat(Uint8Array.of(EAP_TYPE.IDENTITY), octetsIn(change)) }),
  },
  {
    name: "eap-method",
    effect: "Sends a packet of another method, as it would begin or go on.",
    draw: (dice) => ({ at: dice.pick(Object.keys(methods)) }),
    becomes: (eap, { at = "" }) =>
      Object.hasOwn(methods, at) ? { ...eap, data: fromHex(methods[at] ?? "") } : undefined,
  },
  {
    name: EAP_DATA_REPLACE,
    effect: "Writes these octets in the place of the type data.",
    fits: ({ data }) => data.length > 0,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([0, 1, 2, 3, 4, 5, 16, 255, 2000]))) }),
    becomes: (eap, change) => withTypeData(eap, octetsIn(change)),
  },
  {
    name: "eap-data-cut",
    effect: "Keeps so many of the first octets of the type data.",
    fits: ({ data }) => data.length > 1,
    draw: (dice, { data }) => ({ value: dice.number(data.length - 1) }),
    becomes(eap, change) {
      const octets = whole(change, 0, eap.data.length - 2);
      return octets === undefined ? undefined : { ...eap, data: eap.data.subarray(0, 1 + octets) };
    },
  },
  {
    name: "eap-data-more",
    effect: "Puts these octets behind the type data.",
    fits: ({ data }) => data.length > 0,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 2, 4, 255, 1000, 4096]))) }),
    becomes(eap, change) {
      const more = octetsIn(change);
      return more.length === 0 ? undefined : { ...eap, data: concat(eap.data, more) };
    },
  },
  {
    name: "eap-data-bit",
    effect: "Turns one bit of the type data.",
    fits: ({ data }) => data.length > 1,
    draw: (dice, { data }) => ({ value: dice.number(8 * (data.length - 1)) }),
    becomes(eap, change) {
      const bit = whole(change, 0, 2 ** 19);
      return bit === undefined ? undefined : withTypeData(eap, turnBit(eap.data.subarray(1), bit));
    },
  },
];

const md5: EapRow[] = [
  {
    name: "eap-md5-value-size",
    effect: "Writes another Value-Size into MD5-Challenge.",
    fits: isType(EAP_TYPE.MD5_CHALLENGE),
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 15, 17, 255], 256) }),
    becomes(eap, change) {
      const size = whole(change, 0, 255);
      return size === undefined || size === eap.data[1] ? undefined : withOctet(eap, 1, size);
    },
  },
  {
    name: "eap-md5-value",
    effect: "Sends this value in MD5-Challenge, its size right.",
    fits: isType(EAP_TYPE.MD5_CHALLENGE),
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([0, 1, 16, 17, 255]))) }),
    becomes(eap, change) {
      const value = octetsIn(change).subarray(0, 255);
      return withTypeData(eap, concat(Uint8Array.of(value.length), value));
    },
  },
  {
    name: "eap-gtc-text",
    effect: "Sends this text in GTC.",
    fits: (eap) => typeOf(eap) === EAP_TYPE.GTC,
    draw: (dice) => ({ octets: dice.pick([...IDENTITIES]) }),
    becomes: (eap, change) => withTypeData(eap, octetsIn(change)),
  },
];

export const eapOperators: readonly IkeOperator[] = [...header, ...ends, ...types, ...contents, ...md5].map(
  ofEap,
);
