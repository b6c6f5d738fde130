/** Transforms for additional key exchanges: RFC 9370 section 2.2.1. */
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../wire/types.ts";
import type { Decisions } from "./hooks.ts";

export const isAdditional = (type: number): boolean => type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7;

/** The methods of a chosen proposal's additional key exchanges in the order in which they are done; NONE is left out. */
export const additionalMethods = ({ transforms }: Proposal): number[] =>
  transforms
    .filter(({ type, id }) => isAdditional(type) && id !== 0)
    .sort((a, b) => a.type - b.type)
    .map(({ id }) => id);

export const hasAdditional = ({ transforms }: Proposal): boolean =>
  transforms.some(({ type }) => isAdditional(type));

/** True if a method is there for two of the types; NONE may be. */
export function repeatsMethod(proposal: Proposal): boolean {
  const methods = additionalMethods(proposal);
  return new Set(methods).size < methods.length;
}

const idsOf = ({ transforms }: Proposal, type: number): number[] =>
  transforms.filter((t) => t.type === type && t.attributes.length === 0).map(({ id }) => id);

/** What both allow for a type, in our order. A type that an end leaves out is NONE there. */
function common(offer: Proposal, policy: Proposal, type: number): number[] {
  const offered = idsOf(offer, type);
  const allowed = idsOf(policy, type);
  return (allowed.length > 0 ? allowed : [0]).filter((id) =>
    offered.length > 0 ? offered.includes(id) : id === 0,
  );
}

type Decide = <P extends keyof Decisions>(point: P, ordinary: Decisions[P]) => Decisions[P];

/**
 * One method for each additional type of the offer, none twice, as our policy likes best; undefined if that cannot be. A
 * type with a transform that has attributes counts as if it had none, for no method has any.
 */
export function chooseAdditional(offer: Proposal, policy: Proposal, decide: Decide): Transform[] | undefined {
  const types = [...new Set([...offer.transforms, ...policy.transforms].map(({ type }) => type))];
  const wanted = types
    .filter(isAdditional)
    .map((type) => ({ type, ids: common(offer, policy, type) }))
    // With the fewest alternatives first, seven types take at most some thousand steps, whatever they hold.
    .sort((a, b) => a.ids.length - b.ids.length);
  const twice = decide("same additional method twice", "avoid") === "take";
  const chosen = assign(wanted, new Set(), twice);
  return chosen
    ?.filter(({ type }) => offer.transforms.some((t) => t.type === type))
    .sort((a, b) => a.type - b.type);
}

interface Wanted {
  type: number;
  ids: number[];
}

function assign([first, ...rest]: Wanted[], used: Set<number>, twice: boolean): Transform[] | undefined {
  if (!first) return [];
  for (const id of first.ids) {
    if (id !== 0 && used.has(id) && !twice) continue;
    const others = assign(rest, new Set([...used, id]), twice);
    if (others) return [{ type: first.type, id, attributes: [] }, ...others];
  }
  return undefined;
}
