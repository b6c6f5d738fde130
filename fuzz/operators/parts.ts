/** Finding parts of payloads and their fields, by chance and by place. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { childrenOf, kindOf, listsOf } from "./grammar.ts";

export interface DrawnPart {
  part: object;
  /** The way to it behind the payload's place: empty for the payload itself. */
  under: string;
  /** What an honest sender writes into its Last Substruc. */
  last: number;
}

const MORE: { readonly [kind: string]: number } = { proposal: 2, transform: 3 };

/** The payload or any part of it, however deep. */
export function drawPart(payload: Payload, dice: Dice, deeper = 0.75): DrawnPart {
  let found: DrawnPart = { part: payload, under: "", last: 0 };
  for (;;) {
    const inner = childrenOf(found.part);
    if (inner.length === 0 || !dice.chance(deeper)) return found;
    const index = dice.number(inner.length);
    const part = inner[index] ?? found.part;
    const isLast = kindOf(inner[index + 1] ?? {}) !== kindOf(part) || index + 1 === inner.length;
    found = { part, under: `${found.under}/${index + 1}`, last: isLast ? 0 : (MORE[kindOf(part)] ?? 0) };
  }
}

/** A part of this kind; undefined if there is none. */
export function drawPartOf(payload: Payload, dice: Dice, kind: string): DrawnPart | undefined {
  const found: DrawnPart[] = [];
  const visit = (part: object, under: string, depth: number): void => {
    for (const [index, inner] of childrenOf(part).entries()) {
      const way = `${under}/${index + 1}`;
      if (kindOf(inner) === kind) found.push({ part: inner, under: way, last: 0 });
      else if (depth < 3) visit(inner, way, depth + 1);
    }
  };
  visit(payload, "", 0);
  return found.length === 0 ? undefined : dice.pick(found);
}

/** What an honest sender writes into the Next Payload of this payload. */
export function followingType({ payloads }: OutgoingMessage, payload: Payload): number {
  return payloads[payloads.indexOf(payload) + 1]?.type ?? 0;
}

/** The list in which a part stands inside the payload, and where in it. */
export function listWith(payload: object, part: object): { list: object[]; index: number } | undefined {
  for (const list of listsOf(payload)) {
    const index = list.indexOf(part);
    if (index >= 0) return { list, index };
    for (const inner of list) {
      const found = listWith(inner, part);
      if (found) return found;
    }
  }
  return undefined;
}
