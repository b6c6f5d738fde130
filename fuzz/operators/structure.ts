/** Which payloads there are, how often, and in which order. */
import type { IkeOperator } from "./operator.ts";
import { drawPayload, findPlace, replaceAt } from "./place.ts";

export const structureOperators: readonly IkeOperator[] = [
  {
    name: "payload-omit",
    family: "structure",
    on: "ike",
    effect: "leaves a payload out",
    draw: (message, dice) => {
      const drawn = drawPayload(message, dice);
      return drawn && { at: drawn.at };
    },
    apply(message, { at }) {
      const place = findPlace(message.payloads, at);
      return place !== undefined && place.steps.length === 0 && replaceAt(message, place.index);
    },
  },
  {
    name: "payload-duplicate",
    family: "structure",
    on: "ike",
    effect: "sends a payload twice, one behind the other",
    draw: (message, dice) => {
      const drawn = drawPayload(message, dice);
      return drawn && { at: drawn.at };
    },
    apply(message, { at }) {
      const place = findPlace(message.payloads, at);
      const payload = place && message.payloads[place.index];
      return payload !== undefined && replaceAt(message, place?.index ?? 0, payload, payload);
    },
  },
];
