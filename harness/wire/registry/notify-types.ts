/** Both halves of the notify types: errors below 16384, status types from there; and those of the drafts. */
import { antiReplayNotification } from "../documents/anti-replay-notification.ts";
import { antiReplaySubspaces } from "../documents/anti-replay-subspaces.ts";
import { espPing } from "../documents/esp-ping.ts";
import { gIkev2 } from "../documents/g-ikev2.ts";
import { rfc8784 } from "../documents/rfc8784.ts";
import { rfc9242 } from "../documents/rfc9242.ts";
import { rfc9370 } from "../documents/rfc9370.ts";
import { rfc9867 } from "../documents/rfc9867.ts";
import { notifyErrors } from "./notify-errors.ts";
import { notifyStatus } from "./notify-status.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  ...notifyErrors,
  ...notifyStatus,
  ...rfc8784.codePoints.NOTIFY,
  ...rfc9242.codePoints.NOTIFY,
  ...rfc9370.codePoints.NOTIFY,
  ...rfc9867.codePoints.NOTIFY,
  ...gIkev2.codePoints.NOTIFY,
  ...espPing.codePoints.NOTIFY,
  ...antiReplayNotification.codePoints.NOTIFY,
  ...antiReplaySubspaces.codePoints.NOTIFY,
] as const;

/** IKEv2 Notify Message Types. */
export const notifyTypes = defineRegistry<RegistryEntry>(
  "IKEv2 Notify Message Types",
  table,
  [8192, 16383],
  [40960, 65535],
);

export const NOTIFY = constants(table);

/** True for a type that says that a request failed (RFC 7296 section 3.10.1). */
export function isErrorType(notifyType: number): boolean {
  return notifyType < 16384;
}
