/** Whether a member can do what a group wants: the SAg payload (RFC 9838 section 2.3.3). */
import { keyLength } from "../ike/proposals.ts";
import { equal } from "../wire/bytes.ts";
import { TRANSFORM_ATTRIBUTE } from "../wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../wire/types.ts";
import type { Decide } from "./hooks.ts";

/** The transforms of one SA of the group. */
export interface Needed {
  protocolId: number;
  transforms: Transform[];
}

const KNOWN_TYPES: readonly number[] = [
  TRANSFORM.ENCR,
  TRANSFORM.INTEG,
  TRANSFORM.SN,
  TRANSFORM.KWA,
  TRANSFORM.GCAUTH,
];

/** The DER of attribute 18. */
const algorithmOf = (transform: Transform): Uint8Array | undefined => {
  const found = transform.attributes.find(
    (a) => a.type === TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER,
  );
  return found && typeof found.value !== "number" ? found.value : undefined;
};

/** Who names no signature algorithm takes any. */
function meansTheSame(offered: Transform, wanted: Transform): boolean {
  if (offered.type !== wanted.type || offered.id !== wanted.id) return false;
  if (wanted.type !== TRANSFORM.GCAUTH) return keyLength(offered) === keyLength(wanted);
  const [theirs, ours] = [algorithmOf(offered), algorithmOf(wanted)];
  return theirs === undefined || (ours !== undefined && equal(theirs, ours));
}

function allows(proposal: Proposal, { transforms }: Needed, decide: Decide): boolean {
  const strange = proposal.transforms.some(({ type }) => !KNOWN_TYPES.includes(type));
  if (strange && decide("unknown transform type in SAg", "ignore") === "refuse") return false;
  return transforms.every((wanted) => proposal.transforms.some((offered) => meansTheSame(offered, wanted)));
}

/** The numbers of the proposals with which a member can do all SAs of this protocol. */
function numbersFor(offers: Proposal[], protocolId: number, needed: Needed[], decide: Decide): number[] {
  const ours = needed.filter((sa) => sa.protocolId === protocolId);
  const theirs = offers.filter((offer) => offer.protocolId === protocolId);
  const able = (number: number) =>
    ours.every((sa) => theirs.some((offer) => offer.number === number && allows(offer, sa, decide)));
  return [...new Set(theirs.map(({ number }) => number))].filter(able);
}

/**
 * True if one choice of proposals, one number for each protocol, has everything. Proposals of several protocols under
 * one number go together: who takes one of them takes the others, as far as the group has SAs of their protocols.
 */
export function fits(offers: Proposal[], needed: Needed[], decide: Decide): boolean {
  const protocols = [...new Set(needed.map(({ protocolId }) => protocolId))];
  const numbers = protocols.map((protocolId) => numbersFor(offers, protocolId, needed, decide));
  if (decide("linked proposals in SAg", "together") === "each alone")
    return numbers.every((choices) => choices.length > 0);
  const there = new Set(offers.map(({ number, protocolId }) => `${number} ${protocolId}`));
  const has = (number: number, protocolId: number) => there.has(`${number} ${protocolId}`);
  const goTogether = (a: number, i: number, b: number, j: number) =>
    a === b || (!has(a, protocols[j] ?? 0) && !has(b, protocols[i] ?? 0));
  if (numbers.some((choices) => choices.length === 0)) return false;
  const extend = (chosen: number[]): boolean =>
    chosen.length === protocols.length ||
    (numbers[chosen.length] ?? []).some(
      (next) =>
        chosen.every((before, i) => goTogether(before, i, next, chosen.length)) && extend([...chosen, next]),
    );
  return extend([]);
}
