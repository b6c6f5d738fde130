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

/** The ids of a type, NONE alone where it is left out. No method has attributes: a transform with some is unknown. */
function idsOf({ transforms }: Proposal, type: number): number[] {
  const all = transforms.filter((t) => t.type === type);
  return all.length === 0 ? [0] : all.filter((t) => t.attributes.length === 0).map(({ id }) => id);
}

/** What both allow for a type, in our order. */
function common(offer: Proposal, policy: Proposal, type: number): number[] {
  const offered = new Set(idsOf(offer, type));
  return [...new Set(idsOf(policy, type))].filter((id) => offered.has(id));
}

type Decide = <P extends keyof Decisions>(point: P, ordinary: Decisions[P]) => Decisions[P];

const offersType = ({ transforms }: Proposal, type: number): boolean =>
  transforms.some((t) => t.type === type);

/** One method for each additional type of the offer, none twice, as our policy likes best; undefined if that cannot be. */
export function chooseAdditional(offer: Proposal, policy: Proposal, decide: Decide): Transform[] | undefined {
  const types = [...new Set([...offer.transforms, ...policy.transforms].map(({ type }) => type))];
  const wanted = types
    .filter(isAdditional)
    .map((type) => ({ type, ids: common(offer, policy, type) }))
    // With the fewest alternatives first, seven types take at most some thousand steps, whatever they hold.
    .sort((a, b) => a.ids.length - b.ids.length);
  const demands = decide("additional type left out of an offer", "NONE") === "refuse";
  if (demands && wanted.some(({ type }) => !offersType(offer, type))) return undefined;
  const twice = decide("same additional method twice", "avoid") === "take";
  const chosen = assign(wanted, new Set(), twice);
  return chosen?.filter(({ type }) => offersType(offer, type)).sort((a, b) => a.type - b.type);
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
