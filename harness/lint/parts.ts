/** Payloads with their places, and the ways rules look for them. */
import { readU16 } from "../wire/bytes.ts";
import { IKE_HEADER } from "../wire/message.ts";
import { notifyTypes } from "../wire/registry/notify-types.ts";
import { payloadTypes } from "../wire/registry/payload-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import type { LintMessage, Part } from "./rule.ts";
import type { SeenIke } from "./seen.ts";
import type { Breach } from "./types.ts";

const fieldOf = (payload: Payload): string =>
  payload.kind === "Notify"
    ? `N(${notifyTypes.nameOf(payload.notifyType)})`
    : payloadTypes.nameOf(payload.type);

function partsOf(payloads: readonly Payload[], octets: Uint8Array, start: number, inside: boolean): Part[] {
  let at = start;
  return payloads.map((payload) => {
    const field = fieldOf(payload);
    const part: Part = inside ? { payload, at, field, inside } : { payload, at, field };
    at += readU16(octets, at + 2);
    return part;
  });
}

/** The payloads of a message: in clear, and what it carries where that can be read. */
export function readParts(seen: SeenIke): Pick<LintMessage, "clear" | "content" | "protected" | "opened"> {
  const clear = partsOf(seen.message.payloads, seen.octets, IKE_HEADER, false);
  const isProtected = clear.some(({ payload }) => payload.kind === "SK" || payload.kind === "SKF");
  if (!isProtected) return { clear, content: clear, protected: false, opened: false };
  if (seen.opening !== "opened" || !seen.inner || !seen.plaintext)
    return { clear, protected: true, opened: false };
  const content = partsOf(seen.inner.payloads, seen.plaintext, 0, true);
  return { clear, content, protected: true, opened: true };
}

type OfKind<K extends Payload["kind"]> = Extract<Payload, { kind: K }>;

/** Narrows a part to its payload's kind. */
export const isKind = <K extends Payload["kind"]>(part: Part, kind: K): part is Part<OfKind<K>> =>
  part.payload.kind === kind;

/** The payloads of a kind that a message carries; none when it is closed. */
export function all<K extends Payload["kind"]>(message: LintMessage, kind: K): Part<OfKind<K>>[] {
  const found: Part<OfKind<K>>[] = [];
  for (const part of message.content ?? []) if (isKind(part, kind)) found.push(part);
  return found;
}

/** The first payload of a kind. */
export const first = <K extends Payload["kind"]>(
  message: LintMessage,
  kind: K,
): Part<OfKind<K>> | undefined => {
  for (const part of message.content ?? []) if (isKind(part, kind)) return part;
  return undefined;
};

/** The first payload of a type, decoded or not. */
export const ofType = (message: LintMessage, type: number): Part | undefined =>
  message.content?.find(({ payload }) => payload.type === type);

export const has = (message: LintMessage, type: number): boolean => ofType(message, type) !== undefined;

/** The notifies of a type. */
export const notifies = (message: LintMessage, type: number): Part<NotifyPayload>[] =>
  all(message, "Notify").filter(({ payload }) => payload.notifyType === type);

export const notify = (message: LintMessage, type: number): Part<NotifyPayload> | undefined =>
  notifies(message, type)[0];

/** A breach in a payload: `by` octets behind its generic header's first; `field` behind the payload's name. */
export const breachIn = (part: Part, reason: string, by = 0, field?: string): Breach => ({
  offset: part.at + by,
  ...(part.inside && { inside: true as const }),
  field: field === undefined ? part.field : `${part.field} > ${field}`,
  reason,
});

/** A breach in the IKE header. */
export const breachInHeader = (offset: number, field: string, reason: string): Breach => ({
  offset,
  field: `header > ${field}`,
  reason,
});

/** Offsets behind the generic payload header of a Notify. */
export const NOTIFY_FIELD = { protocolId: 4, spiSize: 5, type: 6, spi: 8 } as const;

/** Offset of the data of a Notify. */
export const notifyDataAt = ({ payload }: Part<NotifyPayload>): number =>
  NOTIFY_FIELD.spi + payload.spi.length;
