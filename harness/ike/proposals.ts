/** Choosing a proposal and checking the peer's choice: RFC 7296 sections 2.7, 3.3.6. */
import { EMPTY } from "../wire/bytes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../wire/types.ts";
import { chooseAdditional, hasAdditional, isAdditional } from "./additional-ke.ts";
import type { Decisions } from "./hooks.ts";

const KEY_LENGTH = 14;
/** Transform ids from here on are unknown to us. */
const PRIVATE_USE = 1024;
/** Transform types of the core, which every implementation must understand. */
const KNOWN_TYPES = new Set<number>([
  TRANSFORM.ENCR,
  TRANSFORM.PRF,
  TRANSFORM.INTEG,
  TRANSFORM.KE,
  TRANSFORM.SN,
]);

/** The Key Length attribute in bits; undefined without one, NaN if the attributes are anything else. */
export function keyLength(transform: Transform): number | undefined {
  const { attributes } = transform;
  if (attributes.length === 0) return undefined;
  const first = attributes[0];
  if (attributes.length > 1 || first?.type !== KEY_LENGTH || typeof first.value !== "number")
    return Number.NaN;
  return first.value;
}

export const sameTransform = (a: Transform, b: Transform): boolean =>
  a.type === b.type && a.id === b.id && Object.is(keyLength(a), keyLength(b)) && !Number.isNaN(keyLength(a));

const ofType = (proposal: Proposal, type: number): Transform[] =>
  proposal.transforms.filter((t) => t.type === type);

/** NONE (id 0) of INTEG and of key exchanges means the same as leaving the type out; SN and the others have no such value. */
const optionalNone = (type: number): boolean =>
  type === TRANSFORM.INTEG || type === TRANSFORM.KE || isAdditional(type);

type Decide = <P extends keyof Decisions>(point: P, ordinary: Decisions[P]) => Decisions[P];

function common(
  offer: Proposal,
  policy: Proposal,
  type: number,
  decide: Decide,
): Transform | "none" | undefined {
  const offered = ofType(offer, type);
  const allowed = ofType(policy, type);
  if (offered.length === 0 && allowed.length === 0) return "none";
  const unusable = offered.some(
    (t) => t.id >= PRIVATE_USE || t.attributes.some((a) => a.type !== KEY_LENGTH),
  );
  if (unusable && decide("unknown transform", "skip transform") === "refuse proposal") return undefined;
  if (missesKeyLength(offered, allowed) && decide("missing Key Length", "refuse transform") === "take own")
    return allowed[0];
  for (const transform of allowed) {
    const match = offered.find((o) => sameTransform(o, transform));
    if (match) return match;
  }
  const missing = offered.length === 0 && !optionalNone(type);
  if (missing && decide("missing mandatory transform", "refuse proposal") === "take own") return allowed[0];
  const offerHasNone = offered.length === 0 || offered.some((t) => t.id === 0);
  const policyHasNone = allowed.length === 0 || allowed.some((t) => t.id === 0);
  if (!optionalNone(type) || !offerHasNone || !policyHasNone) return undefined;
  return offered.find((t) => t.id === 0) ?? "none";
}

/** A transform that we would take if its Key Length were there. */
const missesKeyLength = (offered: Transform[], allowed: Transform[]): boolean =>
  offered.some((o) => o.attributes.length === 0 && allowed.some((a) => a.id === o.id && keyLength(a)));

function match(offer: Proposal, policy: Proposal, decide: Decide): Proposal | undefined {
  if (offer.protocolId !== policy.protocolId) return undefined;
  const types = new Set([...offer.transforms, ...policy.transforms].map((t) => t.type));
  const transforms: Transform[] = [];
  // Who has none of them knows nothing of their types.
  const additional = hasAdditional(policy) ? chooseAdditional(offer, policy, decide) : [];
  if (!additional) return undefined;
  for (const type of types) {
    if (isAdditional(type) && hasAdditional(policy)) continue;
    if (!KNOWN_TYPES.has(type) && decide("unknown transform type", "refuse proposal") === "ignore") continue;
    const chosen = common(offer, policy, type, decide);
    if (chosen === undefined) return undefined;
    if (chosen !== "none") transforms.push({ type, id: chosen.id, attributes: chosen.attributes });
  }
  const { number, protocolId } = offer;
  return { number, protocolId, spi: EMPTY, transforms: [...transforms, ...additional] };
}

/** True for an SPI of this size that is not zero, which stands for none (section 3.1, RFC 4303 section 2.1). */
const namesSa = (spi: Uint8Array, spiLength: number): boolean =>
  spi.length === spiLength && (spiLength === 0 || spi.some((octet) => octet !== 0));

/** True if numbers and SPIs are those of a well-formed offer; of protocols that we do not want, nobody knows the SPI's size. */
const wellFormed = (offers: Proposal[], policies: Proposal[], spiLength: number): boolean =>
  offers.every((offer, i) => {
    const wanted = policies.some(({ protocolId }) => protocolId === offer.protocolId);
    return offer.number === i + 1 && (!wanted || namesSa(offer.spi, spiLength));
  });

/**
 * The first offered proposal that the policy allows, with one transform per type, or undefined.
 * `preferredGroup` is the group of the peer's KE payload: it is taken if the policy allows it at all. Offers that do not
 * count are left aside.
 */
export function choose(
  offers: Proposal[],
  policies: Proposal[],
  spiLength: number,
  decide: Decide,
  preferredGroup?: number,
  counts: (offer: Proposal) => boolean = () => true,
): Proposal | undefined {
  if (!wellFormed(offers, policies, spiLength)) return undefined;
  for (const offer of offers.filter(counts)) {
    for (const policy of policies) {
      const chosen =
        (preferredGroup !== undefined && match(offer, onlyGroup(policy, preferredGroup), decide)) ||
        undefined;
      const result = chosen ?? match(offer, policy, decide);
      if (result) return { ...result, spi: offer.spi };
    }
  }
  return undefined;
}

const onlyGroup = (policy: Proposal, group: number): Proposal => ({
  ...policy,
  transforms: policy.transforms.filter((t) => t.type !== TRANSFORM.KE || t.id === group),
});

/** The first offer with the first transform of each type, as a bad responder may take it unseen. */
export function firstOffer(offers: Proposal[]): Proposal | undefined {
  const [first] = offers;
  if (!first) return undefined;
  const types = [...new Set(first.transforms.map((t) => t.type))];
  const transforms = types.flatMap((type) => first.transforms.find((t) => t.type === type) ?? []);
  return { ...first, transforms };
}

/** True if the answer is one of the offered proposals with one offered transform per type (section 3.3.6). */
export function isChoiceOf(answer: Proposal[], offers: Proposal[], spiLength: number): boolean {
  const [chosen, ...more] = answer;
  if (!chosen || more.length > 0 || !namesSa(chosen.spi, spiLength)) return false;
  const offer = offers.find((o) => o.number === chosen.number && o.protocolId === chosen.protocolId);
  if (!offer) return false;
  const types = chosen.transforms.map((t) => t.type);
  if (new Set(types).size !== types.length) return false;
  if (!chosen.transforms.every((t) => offer.transforms.some((o) => sameTransform(o, t)))) return false;
  const needed = new Set(offer.transforms.filter((t) => !mayBeAbsent(offer, t.type)).map((t) => t.type));
  return [...needed].every((type) => types.includes(type));
}

const mayBeAbsent = (offer: Proposal, type: number): boolean =>
  optionalNone(type) && ofType(offer, type).some((t) => t.id === 0);

export const transformId = (proposal: Proposal, type: number): number | undefined =>
  ofType(proposal, type)[0]?.id;
