/** Key exchange methods under other numbers: IANA has none yet for those of FrodoKEM, and older peers took what they liked. */

import { isAdditional } from "../ike/additional-ke.ts";
import type { CodePointOverrides } from "../wire/documents/code-point.ts";
import { keMethods } from "../wire/registry/ke.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal } from "../wire/types.ts";

/** Our number of each method that these overrides name, and theirs. */
const renamed = (overrides: CodePointOverrides): [ours: number, theirs: number][] =>
  Object.entries(overrides).flatMap(([name, theirs]) => {
    const entry = keMethods.byName(name);
    return entry ? [[entry.value, theirs]] : [];
  });

/** The method behind each number that stands for another: `Policy.keIds`. */
export const keIdsFor = (overrides: CodePointOverrides = {}): ReadonlyMap<number, number> =>
  new Map(renamed(overrides).map(([ours, theirs]) => [theirs, ours]));

/** Puts their numbers into the transforms of key exchanges. */
export function withKeNumbers(overrides: CodePointOverrides = {}): (proposal: Proposal) => Proposal {
  const numbers = new Map(renamed(overrides));
  return (proposal) => ({
    ...proposal,
    transforms: proposal.transforms.map((t) =>
      t.type === TRANSFORM.KE || isAdditional(t.type) ? { ...t, id: numbers.get(t.id) ?? t.id } : t,
    ),
  });
}
