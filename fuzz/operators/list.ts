/** The operators as people read them. */
import { operators } from "./index.ts";
import type { Operator } from "./operator.ts";

/** A line for each: name, family, effect, and what must not come of it where a text says so. */
export function listOperators(all: readonly Operator[] = operators): string {
  const width = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const names = width(all.map(({ name }) => name));
  const families = width(all.map(({ family }) => family));
  const lines = all.map(({ name, family, effect, demand }) => {
    const never = demand ? ` (never ${demand.never}: ${demand.document} ${demand.requirement})` : "";
    return `${name.padEnd(names)}  ${family.padEnd(families)}  ${effect}${never}`;
  });
  return lines.map((line) => `${line}\n`).join("");
}
