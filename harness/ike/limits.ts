/**
 * How much of one message is looked at. The wire layer reads whatever a datagram holds, tens of thousands of parts;
 * kept for each half-open SA, each response and each event, they would fill the memory, and comparing offers takes
 * time that grows with them. No limit is near what a peer needs: an offer of every transform there is has some
 * hundred parts.
 */
import type { Payload, Transform } from "../wire/types.ts";

export const MOST_PAYLOADS = 256;
/** Proposals, policies, transforms, key bags, attributes, selectors and SPIs of a message together. */
export const MOST_PARTS = 2000;
/** A path has a handful of certificates; each that comes may cost a signature to verify. */
export const MOST_CERTIFICATES = 32;

/** What is too much in the message; undefined if nothing is. */
export function excess(payloads: readonly Payload[]): string | undefined {
  const certificates = payloads.filter(({ kind }) => kind === "CERT").length;
  if (certificates > MOST_CERTIFICATES) return over(certificates, "certificates", MOST_CERTIFICATES);
  if (payloads.length > MOST_PAYLOADS) return over(payloads.length, "payloads", MOST_PAYLOADS);
  const parts = countParts(payloads);
  return parts > MOST_PARTS ? over(parts, "parts of payloads", MOST_PARTS) : undefined;
}

export const countParts = (payloads: readonly Payload[]): number =>
  payloads.reduce((sum, payload) => sum + partsOf(payload), 0);

const over = (count: number, what: string, most: number): string =>
  `${count} ${what}, of which no more than ${most} are looked at`;

const partsOfTransforms = (transforms: readonly Transform[]): number =>
  transforms.reduce((sum, transform) => sum + 1 + transform.attributes.length, 0);

function partsOf(payload: Payload): number {
  switch (payload.kind) {
    case "SA":
      return payload.proposals.length + partsOfTransforms(payload.proposals.flatMap((p) => p.transforms));
    case "GSA":
      return payload.policies.reduce((sum, policy) => {
        const transforms = policy.kind === "SA" ? partsOfTransforms(policy.transforms) : 0;
        return sum + 1 + policy.attributes.length + transforms;
      }, 0);
    case "KD":
      return payload.bags.reduce((sum, bag) => sum + 1 + bag.attributes.length, 0);
    case "TS":
      return payload.selectors.length;
    case "CP":
      return payload.attributes.length;
    case "Delete":
      return payload.spis.length;
    default:
      return 0;
  }
}
