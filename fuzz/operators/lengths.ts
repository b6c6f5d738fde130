/** Lengths and counts that lie, and fields of other sizes whose lengths are right. */
import { concat, equal } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import type { Dice } from "../dice.ts";
import {
  anyPayload,
  clamp,
  drawPattern,
  drawSize,
  kindOperator,
  MOST_OCTETS,
  otherThan,
  payloadOperator,
  repeat,
  resized,
  sizeOf,
} from "./build.ts";
import { grammarOf, isNumberField, kindOf, numberOf, read, setNumber, write } from "./grammar.ts";
import type { IkeOperator } from "./operator.ts";
import { drawPart } from "./parts.ts";

/** A wrong number in the place of this length: off by little, by much, or beyond everything. */
function lie(length: number, bits: number, dice: Dice): number {
  const most = 2 ** bits - 1;
  const near = [length - 1, length + 1, length - 4, length + 4, length * 2, length >> 1, length + 8];
  const far = [0, 1, 2, 3, 4, 5, 7, 8, most, most - 1, most >> 1, (most >> 1) + 1, most - 3];
  return otherThan(dice, dice.chance(0.5) ? near.map((number) => clamp(number, 0, most)) : far, length);
}

const LENGTHS = ["length"];
const COUNTS = ["transformCount", "spiCount", "count"];
const SPI_SIZES = ["spiSize"];

/** Lies about one of these fields, wherever a payload has it. */
function lying(name: string, effect: string, fields: readonly string[], inPart: boolean): IkeOperator {
  return payloadOperator({
    ...{ name, effect, fits: anyPayload },
    family: "length",
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice, inPart ? 0.7 : 0);
      if (fields === LENGTHS && inPart && under === "") return undefined;
      const { numbers } = grammarOf(part);
      const field = fields.find((one) => one in numbers && isNumberField(part, one));
      const bits = field && numbers[field];
      if (!field || !bits) return undefined;
      return { under: `${under}/${field}`, value: lie(numberOf(part, field), bits, dice) };
    },
    apply: ({ part, field = "" }, { value }) =>
      fields.includes(field) && numberOf(part, field) !== value && setNumber(part, field, value),
  });
}

/** What a field holds; the number of an attribute in TV format is two octets that may get another size as TLV. */
function octetsOf(part: object, field: string): Uint8Array | undefined {
  const present = read(part, field);
  if (present instanceof Uint8Array) return present;
  return typeof present === "number" ? Uint8Array.of(present >>> 8, present) : undefined;
}

/** What else holds octets and has a size of its own. */
function drawSized(part: object, dice: Dice): string | undefined {
  const fields = grammarOf(part).octets.filter(
    (field) => field !== "trailing" && octetsOf(part, field) !== undefined,
  );
  return fields.length === 0 ? undefined : dice.pick(fields);
}

/** Sets octets of another size, where they fit. */
function resize(part: object, field: string, size: number, pattern: Uint8Array): boolean {
  const present = octetsOf(part, field);
  if (!present || !grammarOf(part).octets.includes(field)) return false;
  const wanted = clamp(size, 0, MOST_OCTETS);
  if (wanted === present.length) return false;
  write(part, field, resized(present, wanted, pattern));
  return true;
}

/** Sizes about which RFC 7296 section 2.10 speaks, and others. */
const NONCE_SIZES = [0, 1, 4, 7, 8, 12, 15, 17, 31, 33, 64, 255, 256, 257, 512, 1024, 4096, 20_000];

export const lengthsOperators: readonly IkeOperator[] = [
  lying("payload-length", "Lies about the length of a payload.", LENGTHS, false),
  lying(
    "part-length",
    "Lies about the length of a proposal, transform, attribute, selector or policy.",
    LENGTHS,
    true,
  ),
  lying("part-count", "Lies about how many transforms, selectors or SPIs there are.", COUNTS, true),
  lying("spi-size", "Lies about the size of an SPI.", SPI_SIZES, true),
  payloadOperator({
    name: "field-size",
    family: "length",
    effect: "Makes a field of octets longer or shorter, with right lengths around it.",
    fits: anyPayload,
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice, 0.5);
      const field = drawSized(part, dice);
      if (field === undefined) return undefined;
      const size = octetsOf(part, field)?.length ?? 0;
      const near = [size - 1, size + 1, size * 2].filter((number) => number >= 0 && number !== size);
      const value = dice.chance(0.4) ? dice.pick(near) : drawSize(dice);
      if (value === size) return undefined;
      return { under: `${under}/${field}`, value, octets: drawPattern(dice) };
    },
    apply: ({ part, field = "" }, { value, octets }) => resize(part, field, value, octets),
  }),
  payloadOperator({
    name: "field-empty",
    family: "length",
    effect: "Leaves a field of octets empty, with right lengths around it.",
    fits: anyPayload,
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice, 0.5);
      const field = drawSized(part, dice);
      if (field === undefined) return undefined;
      return octetsOf(part, field)?.length ? { under: `${under}/${field}` } : undefined;
    },
    apply: ({ part, field = "" }) => resize(part, field, 0, new Uint8Array()),
  }),
  kindOperator("Nonce", {
    name: "nonce-size",
    family: "length",
    effect: "Sends a nonce of another size; the keys of an IKE SA are made of it.",
    draw: ({ data }, dice) => ({
      value: otherThan(dice, NONCE_SIZES, data.length),
      octets: dice.octets(8),
    }),
    apply({ payload }, { value, octets }, { message }) {
      const room = MOST_OCTETS - sizeOf(message.payloads);
      const size = clamp(value, 0, payload.data.length + room);
      if (size === payload.data.length) return false;
      const data = resized(payload.data, size, octets);
      const { sa, header } = message;
      const mine = message.isResponse ? "Nr" : "Ni";
      if (sa && header.exchangeType === EXCHANGE.IKE_SA_INIT && equal(sa[mine], payload.data))
        sa[mine] = data;
      payload.data = data;
      return true;
    },
  }),
  payloadOperator({
    name: "part-trailing",
    family: "length",
    effect: "Adds octets that belong to nothing behind a payload or a part; lengths are right.",
    fits: anyPayload,
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice, 0.6);
      if (!grammarOf(part).octets.includes("trailing")) return undefined;
      return { under, value: 1 + dice.number(dice.chance(0.8) ? 9 : 3000), octets: drawPattern(dice) };
    },
    apply({ part }, { value, octets }) {
      const size = clamp(value, 0, MOST_OCTETS);
      if (size === 0 || !grammarOf(part).octets.includes("trailing")) return false;
      const present = read(part, "trailing");
      const before = present instanceof Uint8Array ? present : new Uint8Array();
      write(part, "trailing", concat(before, repeat(octets, size)));
      return true;
    },
  }),
  kindOperator("Delete", {
    name: "delete-spi-size",
    family: "length",
    effect: "Sends every SPI of a Delete payload in another size, and says so.",
    draw: ({ spiSize }, dice) => ({
      value: otherThan(dice, [0, 1, 2, 3, 4, 5, 7, 8, 16, 255], spiSize),
      octets: drawPattern(dice),
    }),
    apply({ payload }, { value, octets }) {
      const size = clamp(value, 0, 255);
      if (size === payload.spiSize) return false;
      payload.spis = payload.spis.map((spi) => resized(spi, size, octets));
      payload.spiSize = size;
      return true;
    },
  }),
  kindOperator("TS", {
    name: "selector-size",
    family: "length",
    effect: "Sends a traffic selector whose addresses have another size, with right lengths.",
    draw(payload, dice) {
      if (payload.selectors.length === 0) return undefined;
      const under = `/${1 + dice.number(payload.selectors.length)}`;
      return {
        under,
        value: dice.pick([0, 1, 2, 3, 5, 8, 15, 17, 32, 255, 1000]),
        octets: drawPattern(dice),
      };
    },
    apply({ part }, { value, octets }) {
      if (kindOf(part) !== "selector") return false;
      const size = clamp(value, 0, 20_000);
      for (const field of ["startAddress", "endAddress"]) {
        if (!resize(part, field, size, octets)) return false;
      }
      return true;
    },
  }),
];
