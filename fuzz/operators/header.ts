/** Lies in the IKE header, told before the message is sealed: the ICV is right over them (RFC 7296 section 3.1). */
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import { FLAG, type Header } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { numberOr, turnBit, whole } from "./bend.ts";
import type { Draft, IkeOperator, LieContext } from "./operator.ts";

interface Row extends Pick<IkeOperator, "name" | "effect" | "demand"> {
  /** Not set: a change without values. */
  draw?(dice: Dice, message: OutgoingMessage): Draft | undefined;
  /** What the header becomes; undefined if the change does not fit. */
  becomes(
    header: Header,
    change: Draft,
    context: LieContext,
    message: OutgoingMessage,
  ): Partial<Header> | undefined;
}

const ofHeader = ({ draw, becomes, ...row }: Row): IkeOperator => ({
  ...row,
  on: "ike",
  family: "sequence",
  draw: (message, dice) => (draw ? draw(dice, message) : {}),
  apply(message, change, context) {
    const changes = becomes(message.header, change, context, message);
    if (changes) message.header = { ...message.header, ...changes };
    return changes !== undefined;
  },
});

type NumberField = "version" | "exchangeType" | "messageId" | "nextPayload" | "length";

/** Writes the change's number, at most `most`, into this field. */
const ofField = (
  name: string,
  effect: string,
  field: NumberField,
  most: number,
  numbers: readonly number[],
): Row => ({
  name,
  effect,
  draw: (dice) => ({ value: numberOr(dice, numbers, most + 1) }),
  becomes(header, change) {
    const value = whole(change, 0, most);
    return value === undefined || value === header[field] ? undefined : { [field]: value };
  },
});

const FAR = 2 ** 16;

const fields: Row[] = [
  ofField(
    "header-version",
    "Writes another version octet.",
    "version",
    255,
    [0, 0x10, 0x1f, 0x21, 0x2f, 0xf0, 0xff],
  ),
  ofField(
    "header-exchange",
    "Writes another exchange type, with the payloads of this one.",
    "exchangeType",
    255,
    [0, 1, 2, 4, 5, 33, 240, 255, ...Object.values(EXCHANGE)],
  ),
  ofField("header-next", "Writes another type of the first payload.", "nextPayload", 255, [
    0,
    1,
    255,
    ...Object.values(PAYLOAD).filter((type) => type < 256),
  ]),
  ofField(
    "header-length",
    "Writes another length of the message.",
    "length",
    0xffffffff,
    [0, 1, 27, 28, 29, 32, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff],
  ),
  ofField(
    "message-id",
    "Writes this Message ID.",
    "messageId",
    0xffffffff,
    [0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
  ),
  {
    name: "header-major",
    effect: "Writes a higher major version.",
    demand: { document: "rfc7296", requirement: "IKEV2-090", never: "answer" },
    draw: (dice) => ({ value: dice.pick([3, 4, 15]) }),
    becomes(_header, change) {
      const major = whole(change, 3, 15);
      return major === undefined ? undefined : { version: major << 4 };
    },
  },
  {
    name: "message-id-shift",
    effect: "Writes a Message ID so far from the right one.",
    draw: (dice) => ({ value: dice.pick([-2, -1, 1, 2, 100]) }),
    becomes({ messageId }, change) {
      const by = whole(change, -0xffff, 0xffff);
      return by ? { messageId: (messageId + by) >>> 0 } : undefined;
    },
  },
  {
    name: "message-id-beyond",
    effect: "Writes a Message ID of a request far above any window.",
    demand: { document: "rfc7296", requirement: "IKEV2-074", never: "answer" },
    draw: (dice, message) =>
      message.protected && !message.isResponse ? { value: dice.pick([FAR, 2 ** 24, 2 ** 31]) } : undefined,
    becomes({ messageId }, change, _context, { isResponse, protected: sealed }) {
      const by = whole(change, FAR, 2 ** 31);
      return by === undefined || isResponse || !sealed ? undefined : { messageId: (messageId + by) >>> 0 };
    },
  },
  {
    name: "header-flags",
    effect: "Turns these bits of the flags.",
    draw: (dice) => ({
      value:
        numberOr(dice, [FLAG.initiator, FLAG.response, FLAG.version, 0x28, 1, 0x40, 0x80, 0xff], 255) || 1,
    }),
    becomes({ flags }, change) {
      const bits = whole(change, 1, 255);
      return bits === undefined ? undefined : { flags: flags ^ bits };
    },
  },
  {
    name: "header-response-bit",
    effect: "Says of a request that it is a response.",
    demand: { document: "rfc7296", requirement: "IKEV2-230", never: "answer" },
    draw: (_dice, { isResponse }) => (isResponse ? undefined : {}),
    becomes: ({ flags }) => ((flags & FLAG.response) === 0 ? { flags: flags | FLAG.response } : undefined),
  },
];

const END = { i: "spiI", r: "spiR" } as const;
const endOf = ({ at }: Draft): "spiI" | "spiR" | undefined =>
  at === "i" || at === "r" ? END[at] : undefined;
const anEnd = (dice: Dice): "i" | "r" => dice.pick(["i", "r"] as const);

const another = (core: Core, { sa }: OutgoingMessage): Partial<Header> | undefined => {
  const other = [...core.sas.values()].find((candidate) => candidate !== sa);
  return other && { spiI: other.spiI, spiR: other.spiR };
};

const spis: Row[] = [
  {
    name: "header-spi-zero",
    effect: "Makes the SPI of the initiator (`i`) or the responder (`r`) zero.",
    draw: (dice) => ({ at: anEnd(dice) }),
    becomes(header, change) {
      const end = endOf(change);
      return end && header[end].some((octet) => octet !== 0) ? { [end]: new Uint8Array(8) } : undefined;
    },
  },
  {
    name: "header-spi-bit",
    effect: "Turns one bit of the SPI of the initiator (`i`) or the responder (`r`).",
    draw: (dice) => ({ at: anEnd(dice), value: dice.number(64) }),
    becomes(header, change) {
      const [end, bit] = [endOf(change), whole(change, 0, 63)];
      return end && bit !== undefined ? { [end]: turnBit(header[end], bit) } : undefined;
    },
  },
  {
    name: "header-spi-swap",
    effect: "Puts either SPI in the place of the other.",
    becomes: ({ spiI, spiR }) => ({ spiI: spiR, spiR: spiI }),
  },
  {
    name: "header-spi-same",
    effect: "Makes both SPIs that of the initiator (`i`) or the responder (`r`).",
    draw: (dice) => ({ at: anEnd(dice) }),
    becomes(header, change) {
      const end = endOf(change);
      return end && { spiI: header[end], spiR: header[end] };
    },
  },
  {
    name: "header-spi-other",
    effect: "Takes the SPIs of another IKE SA.",
    becomes: (_header, _change, { core }, message) => another(core, message),
  },
];

export const headerOperators: readonly IkeOperator[] = [...fields, ...spis].map(ofHeader);
