/** Which parts payloads have, how often, and in which order. */
import type { Dice } from "../dice.ts";
import { anyPayload, clamp, type Drawn, MOST_OCTETS, payloadOperator } from "./build.ts";
import { wireSize } from "./grammar.ts";
import type { IkeOperator } from "./operator.ts";
import { drawPart, listWith } from "./parts.ts";

type ListChange = (list: object[], index: number, value: number) => object[] | undefined;

/** An operator on a part of a payload and the list in which it stands. */
const onPart = (
  name: string,
  effect: string,
  change: ListChange,
  value?: (dice: Dice) => number,
): IkeOperator =>
  payloadOperator({
    ...{ name, effect, family: "structure" },
    fits: anyPayload,
    draw(payload, dice): Drawn | undefined {
      const { part, under } = drawPart(payload, dice, 0.85);
      const place = under === "" ? undefined : listWith(payload, part);
      const drawn = value ? { value: value(dice) } : {};
      return place && change(place.list, place.index, drawn.value ?? 0) && { under, ...drawn };
    },
    apply({ payload, part }, said) {
      const place = part === payload ? undefined : listWith(payload, part);
      const changed = place && change(place.list, place.index, said.value);
      if (place && changed) place.list.splice(0, place.list.length, ...changed);
      return changed !== undefined;
    },
  });

/** How often a part is sent, of the many times that a change may ask for: the message keeps its bounds. */
const times = (part: object, wanted: number): number =>
  clamp(wanted, 0, Math.floor(MOST_OCTETS / Math.max(4, wireSize(part))));

export const partsOperators: readonly IkeOperator[] = [
  onPart(
    "part-omit",
    "Leaves out a part of a payload: proposal, transform, attribute, selector or policy.",
    (list, index) => list.toSpliced(index, 1),
  ),
  onPart("part-duplicate", "Sends a part of a payload twice.", (list, index) =>
    list.toSpliced(index, 0, ...list.slice(index, index + 1)),
  ),
  onPart("part-alone", "Leaves out all parts beside one.", (list, index) =>
    list.length < 2 ? undefined : list.slice(index, index + 1),
  ),
  onPart("part-reverse", "Reverses the order of a part and those beside it.", (list) =>
    list.length < 2 ? undefined : list.toReversed(),
  ),
  onPart(
    "part-flood",
    "Sends a part of a payload up to thousands of times.",
    (list, index, value) => {
      const part = list[index];
      const copies = part ? times(part, value) : 0;
      return part && copies > 0 ? list.toSpliced(index, 0, ...Array(copies).fill(part)) : undefined;
    },
    (dice) => dice.pick([2, 7, 8, 16, 64, 127, 128, 254, 255, 256, 257, 1000, 4000, 15_000]),
  ),
];
