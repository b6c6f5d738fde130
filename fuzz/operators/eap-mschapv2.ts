/** Lies inside of EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02). */
import { OPCODE } from "../../harness/eap/mschapv2.ts";
import { concat, hex, u16 } from "../../harness/wire/bytes.ts";
import { EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import { anyOctets, numberOr, octetsIn, whole } from "./bend.ts";
import { type EapRow, isType, ofEap, withOctet, withU16 } from "./eap-packet.ts";
import type { IkeOperator } from "./operator.ts";

/** Offsets behind the type: OpCode, MS-CHAPv2-ID, MS-Length, Value-Size. */
const AT = { opcode: 1, id: 2, length: 3, size: 5, value: 6 } as const;

const isMschap = isType(EAP_TYPE.MSCHAPV2);
const isOpcode = ({ data }: EapPayload, ...opcodes: number[]): boolean =>
  opcodes.includes(data[AT.opcode] ?? 0);

/** Challenge or Response, which have a value and a name. */
const hasValue = (eap: EapPayload): boolean =>
  isMschap(eap) && isOpcode(eap, OPCODE.CHALLENGE, OPCODE.RESPONSE) && eap.data.length > AT.size;

/** The packet with what follows MS-Length replaced, which is made right. */
const withRest = ({ data, ...eap }: EapPayload, rest: Uint8Array): EapPayload => ({
  ...eap,
  data: concat(data.subarray(0, AT.length), u16(rest.length + 4), rest),
});

const mschap: EapRow[] = [
  {
    name: "eap-mschapv2-opcode",
    effect: "Writes another OpCode.",
    fits: isMschap,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 2, 3, 4, 5, 6, 7, 255], 256) }),
    becomes(eap, change) {
      const opcode = whole(change, 0, 255);
      return opcode === undefined || opcode === eap.data[AT.opcode]
        ? undefined
        : withOctet(eap, AT.opcode, opcode);
    },
  },
  {
    name: "eap-mschapv2-id",
    effect: "Writes another MS-CHAPv2-ID.",
    fits: isMschap,
    draw: (dice) => ({ value: dice.number(256) }),
    becomes(eap, change) {
      const id = whole(change, 0, 255);
      return id === undefined || id === eap.data[AT.id] ? undefined : withOctet(eap, AT.id, id);
    },
  },
  {
    name: "eap-mschapv2-length",
    effect: "Writes another MS-Length.",
    fits: isMschap,
    draw: (dice, { data }) => ({
      value: numberOr(dice, [0, 1, 3, 4, 5, data.length - 2, data.length, 0xffff], 0x10000),
    }),
    becomes(eap, change) {
      const length = whole(change, 0, 0xffff);
      return length === undefined ? undefined : withU16(eap, AT.length, length);
    },
  },
  {
    name: "eap-mschapv2-value-size",
    effect: "Writes another Value-Size.",
    fits: hasValue,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 15, 16, 17, 48, 49, 50, 255], 256) }),
    becomes(eap, change) {
      const size = whole(change, 0, 255);
      return size === undefined || size === eap.data[AT.size] ? undefined : withOctet(eap, AT.size, size);
    },
  },
  {
    name: "eap-mschapv2-value",
    effect: "Sends this value, its size and MS-Length right, and the same name.",
    fits: hasValue,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([0, 16, 24, 49, 50, 255]))) }),
    becomes(eap, change) {
      const value = octetsIn(change).subarray(0, 255);
      const name = eap.data.subarray(AT.value + (eap.data[AT.size] ?? 0));
      return withRest(eap, concat(Uint8Array.of(value.length), value, name));
    },
  },
  {
    name: "eap-mschapv2-name",
    effect: "Sends this name behind the value, MS-Length right.",
    fits: hasValue,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([0, 1, 255, 256, 257, 5000]))) }),
    becomes: (eap, change) =>
      withRest(
        eap,
        concat(eap.data.subarray(AT.size, AT.value + (eap.data[AT.size] ?? 0)), octetsIn(change)),
      ),
  },
  {
    name: "eap-mschapv2-text",
    effect: "Sends this text in Success or Failure, MS-Length right.",
    fits: (eap) => isMschap(eap) && isOpcode(eap, OPCODE.SUCCESS, OPCODE.FAILURE),
    draw: (dice) => ({
      octets: dice.chance(0.7) ? hex(new TextEncoder().encode(dice.pick(TEXTS))) : hex(anyOctets(dice, 42)),
    }),
    becomes: (eap, change) => withRest(eap, octetsIn(change)),
  },
];

const TEXTS = [
  "",
  "S=",
  "S=0",
  `S=${"0".repeat(39)}`,
  `S=${"g".repeat(40)}`,
  `S=${"0".repeat(40)} M=${"x".repeat(3000)}`,
  `M=OK S=${"0".repeat(40)}`,
  "E=691 R=1 C= V=3 M=",
  `E=648 R=1 C=${"0".repeat(32)} V=3`,
  "E=999999999999999999999 R=9",
  `E=691 R=1 C=${"0".repeat(31)} V=3 M=x`,
  "E=",
];

export const eapMschapv2Operators: readonly IkeOperator[] = mschap.map(ofEap);
