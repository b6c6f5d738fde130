/** Numbers and octets of fields, each in the width that it has. */
import { equal } from "../../harness/wire/bytes.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { anyPayload, type Drawn, drawPattern, otherThan, payloadOperator, repeat } from "./build.ts";
import { grammarOf, isNumberField, numberFieldsOf, numberOf, read, setNumber, write } from "./grammar.ts";
import { boundaries, numbersIn, registeredFields, registryOf } from "./numbers.ts";
import type { IkeOperator } from "./operator.ts";
import { drawPart, followingType } from "./parts.ts";

/** Sets the number field at the end of the place. */
const setField: Parameters<typeof payloadOperator<Payload>>[0]["apply"] = ({ part, field = "" }, { value }) =>
  numberOf(part, field) !== value && setNumber(part, field, value);

/** Fields that a part has when it is odd: the two that need to know what follows are told apart. */
const HINTS = new Set(["next", "last"]);

const isReserved = (field: string): boolean => field.startsWith("reserved");

export const fieldsOperators: readonly IkeOperator[] = [
  payloadOperator({
    name: "field-boundary",
    family: "field",
    effect: "Sets a number of a payload, or of a part of one, to one at or near a boundary.",
    fits: anyPayload,
    draw(payload, dice, message) {
      const { part, under, last } = drawPart(payload, dice);
      const field = dice.pick(numberFieldsOf(part));
      if (!isNumberField(part, field)) return undefined;
      const hint = field === "next" ? followingType(message, payload) : last;
      const present = HINTS.has(field) ? hint : numberOf(part, field);
      const all = boundaries(grammarOf(part).numbers[field] ?? 8);
      return { under: `${under}/${field}`, value: otherThan(dice, all, present) };
    },
    apply: setField,
  }),
  registered("field-registered", "Sets a registered number to another assigned one.", "assigned"),
  registered(
    "field-unassigned",
    "Sets a registered number to one that is unassigned, reserved or private.",
    "unassigned",
  ),
  payloadOperator({
    name: "critical-bit",
    family: "field",
    effect: "Turns the critical bit of a payload.",
    fits: anyPayload,
    apply({ payload }) {
      payload.critical = !payload.critical;
      return true;
    },
  }),
  payloadOperator({
    name: "reserved-bits",
    family: "field",
    effect: "Sets reserved bits of a payload or of a part of one.",
    fits: anyPayload,
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice);
      const fields = numberFieldsOf(part).filter(isReserved);
      if (fields.length === 0) return undefined;
      const field = dice.pick(fields);
      const all = boundaries(grammarOf(part).numbers[field] ?? 8);
      return { under: `${under}/${field}`, value: otherThan(dice, all, numberOf(part, field)) };
    },
    apply: (spot, said, more) => isReserved(spot.field ?? "") && setField(spot, said, more),
  }),
  payloadOperator({
    name: "field-octets",
    family: "field",
    effect: "Fills a field of octets with a pattern, in the size that it has.",
    fits: anyPayload,
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice);
      const field = drawOctetsField(part, dice);
      return field === undefined ? undefined : { under: `${under}/${field}`, octets: drawPattern(dice) };
    },
    apply({ part, field = "" }, { octets }) {
      const present = grammarOf(part).octets.includes(field) ? read(part, field) : undefined;
      if (!(present instanceof Uint8Array)) return false;
      const filled = repeat(octets, present.length);
      if (equal(filled, present)) return false;
      write(part, field, filled);
      return true;
    },
  }),
];

/** A field that holds octets; undefined if none does. */
function drawOctetsField(part: object, dice: Dice): string | undefined {
  const fields = grammarOf(part).octets.filter((field) => {
    const content = read(part, field);
    return content instanceof Uint8Array && content.length > 0;
  });
  return fields.length === 0 ? undefined : dice.pick(fields);
}

function registered(name: string, effect: string, which: "assigned" | "unassigned"): IkeOperator {
  const drawField = (part: object, under: string, dice: Dice): Drawn | undefined => {
    const fields = registeredFields(part);
    if (fields.length === 0) return undefined;
    const field = dice.pick(fields);
    const registry = registryOf(part, field);
    const numbers = registry ? numbersIn(registry)[which] : [];
    if (numbers.length < 2) return undefined;
    return { under: `${under}/${field}`, value: otherThan(dice, numbers, numberOf(part, field)) };
  };
  return payloadOperator({
    ...{ name, effect, fits: anyPayload },
    family: "field",
    draw(payload, dice) {
      const { part, under } = drawPart(payload, dice, 0.9);
      return drawField(part, under, dice);
    },
    apply: setField,
  });
}
