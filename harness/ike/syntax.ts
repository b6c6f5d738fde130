/** Which findings make a message malformed (RFC 7296 sections 2.21.3, 3.10.1 INVALID_SYNTAX). */
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload, Proposal, SaPayload, TrafficSelector, Transform } from "../wire/types.ts";

const KNOWN = new Set<number>([
  PAYLOAD.SA,
  PAYLOAD.KE,
  PAYLOAD.IDi,
  PAYLOAD.IDr,
  PAYLOAD.CERT,
  PAYLOAD.CERTREQ,
  PAYLOAD.AUTH,
  PAYLOAD.NONCE,
  PAYLOAD.NOTIFY,
  PAYLOAD.DELETE,
  PAYLOAD.VENDOR_ID,
  PAYLOAD.TSi,
  PAYLOAD.TSr,
  PAYLOAD.SK,
  PAYLOAD.CP,
  PAYLOAD.EAP,
  PAYLOAD.SKF,
]);

export const isKnown = (payload: Payload): boolean => KNOWN.has(payload.type);

/** The first unknown payload with the C bit; the whole message must then be refused (section 2.5). */
export const unknownCritical = (payloads: Payload[]): Payload | undefined =>
  payloads.find((p) => p.critical && !isKnown(p));

/** Why the chain is malformed, or undefined. Unknown payloads are judged by their length only. */
export function malformed(payloads: Payload[], trailing: Uint8Array): string | undefined {
  if (trailing.length > 0) return "octets behind the last payload";
  for (const payload of payloads) {
    const reason = malformedPayload(payload);
    if (reason) return `payload ${payload.type}: ${reason}`;
  }
  return undefined;
}

function malformedPayload(payload: Payload): string | undefined {
  if (payload.length !== undefined) return "length";
  if (payload.kind === "raw" && isKnown(payload)) return "body";
  if (payload.kind === "SA") return malformedSa(payload);
  if (payload.kind === "Nonce" && (payload.data.length < 16 || payload.data.length > 256))
    return "nonce size";
  if (payload.kind === "Notify" && payload.spiSize !== undefined) return "SPI size";
  if (payload.kind === "Delete" && (payload.trailing || payload.spiCount !== undefined)) return "SPI count";
  if (payload.kind === "CP" && (payload.trailing || payload.attributes.some((a) => a.length !== undefined))) {
    return "attributes";
  }
  if (payload.kind === "EAP" && payload.eapLength !== undefined) return "EAP length";
  if (payload.kind !== "TS") return undefined;
  if (payload.selectors.length === 0 || payload.count !== undefined || payload.trailing)
    return "selector count";
  return payload.selectors.some(malformedSelector) ? "selector" : undefined;
}

export const malformedSelector = (ts: TrafficSelector): boolean =>
  ts.length !== undefined || (ts.body !== undefined && (ts.tsType === 7 || ts.tsType === 8));

const malformedSa = (sa: SaPayload): string | undefined =>
  sa.trailing || sa.proposals.length === 0 || sa.proposals.some(malformedProposal) ? "proposals" : undefined;

const malformedProposal = (p: Proposal): boolean =>
  p.last !== undefined ||
  p.length !== undefined ||
  p.spiSize !== undefined ||
  p.transformCount !== undefined ||
  p.trailing !== undefined ||
  p.transforms.some(malformedTransform);

export const malformedTransform = (t: Transform): boolean =>
  t.last !== undefined || t.length !== undefined || t.trailing !== undefined;
