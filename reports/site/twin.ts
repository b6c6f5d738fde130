/** The result to compare a result with: the same test on the nearest peer that passed it. */
import { outcomeOf } from "../results.ts";
import type { Entry, Site } from "./model.ts";

/**
 * The nearest passing one: in the same role before the other; then the same implementation, an honest peer before one
 * with a lie, the builtin peer, any other. Undefined for a test that passed, or that passed nowhere.
 */
export function twinOf(entry: Entry, { byId }: Pick<Site, "byId">): Entry | undefined {
  if (entry.test.verdict === "pass") return undefined;
  const others = (byId.get(entry.test.id) ?? []).filter((other) => other !== entry);
  const passing = others.filter(({ test }) => outcomeOf(test.verdict) === "passed" && test.evidence.events);
  return passing.sort((a, b) => distance(entry, a) - distance(entry, b))[0];
}

function distance(entry: Entry, other: Entry): number {
  const [name, otherName] = [nameOf(entry), nameOf(other)];
  return (
    (entry.test.role === other.test.role ? 0 : 32) +
    (other.test.lie === undefined ? 0 : 16) +
    (other.test.verdict === "pass" ? 0 : 8) +
    (name === otherName ? 0 : 4) +
    (name === otherName || otherName === "builtin" ? 0 : 2)
  );
}

const nameOf = ({ subject }: Entry): string => subject.info?.name ?? subject.peer.replace(/@.*/, "");
