/**
 * How much of one message is looked at. The wire layer reads whatever a datagram holds, tens of thousands of parts;
 * kept for each half-open SA, each response and each event, they would fill the memory, and comparing offers takes
 * time that grows with them. No limit is near what a peer needs: an offer of every transform there is has some
 * hundred parts.
 */
import type { Payload } from "../wire/types.ts";

export const MOST_PAYLOADS = 256;
/** Proposals, transforms, attributes, selectors and SPIs of a message together. */
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

/** Proposals, transforms, attributes, selectors and SPIs. */
export const countParts = (payloads: readonly Payload[]): number =>
  payloads.reduce((sum, payload) => sum + partsOf(payload), 0);

const over = (count: number, what: string, most: number): string =>
  `${count} ${what}, of which no more than ${most} are looked at`;

function partsOf(payload: Payload): number {
  switch (payload.kind) {
    case "SA": {
      const transforms = payload.proposals.flatMap((p) => p.transforms);
      return transforms.reduce((sum, t) => sum + 1 + t.attributes.length, payload.proposals.length);
    }
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
