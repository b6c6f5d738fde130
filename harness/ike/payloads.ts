/** Short ways to make and find payloads. */
import { EMPTY } from "../wire/bytes.ts";
import { notifyTypes } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";

/** A Notify without SPI, or with the SPI of a Child SA. */
export function notify(
  notifyType: number,
  data: Uint8Array = EMPTY,
  sa?: { protocolId: number; spi: Uint8Array },
): NotifyPayload {
  return {
    kind: "Notify",
    type: PAYLOAD.NOTIFY,
    protocolId: sa?.protocolId ?? 0,
    spi: sa?.spi ?? EMPTY,
    notifyType,
    data,
  };
}

export function notifies(payloads: Payload[], notifyType: number): NotifyPayload[] {
  return payloads.filter((p): p is NotifyPayload => p.kind === "Notify" && p.notifyType === notifyType);
}

export const hasNotify = (payloads: Payload[], notifyType: number): boolean =>
  payloads.some((p) => p.kind === "Notify" && p.notifyType === notifyType);

/** The first notify of the error range (RFC 7296 section 3.10.1). */
export function errorNotify(payloads: Payload[]): NotifyPayload | undefined {
  return payloads.find((p): p is NotifyPayload => p.kind === "Notify" && p.notifyType < 16384);
}

/** An error for a reason: `notify 24 (AUTHENTICATION_FAILED)`. */
export function notifyText({ notifyType }: NotifyPayload): string {
  const name = notifyTypes.get(notifyType)?.name;
  return `notify ${notifyType}${name ? ` (${name})` : ""}`;
}

/** The first payload of this kind; for ID and TS also of this type number (IDi or IDr, TSi or TSr). */
export function payload<K extends Payload["kind"]>(
  payloads: Payload[],
  kind: K,
  type?: number,
): Extract<Payload, { kind: K }> | undefined {
  return payloads.find(
    (p): p is Extract<Payload, { kind: K }> => p.kind === kind && (type === undefined || p.type === type),
  );
}
