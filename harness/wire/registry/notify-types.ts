/** Both halves of the notify types: errors below 16384, status types from there. */
import { notifyErrors } from "./notify-errors.ts";
import { notifyStatus } from "./notify-status.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [...notifyErrors, ...notifyStatus] as const;

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
