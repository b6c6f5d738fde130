/** Keys that travel in the capture itself. */
import { addKeys } from "../key-files/read.ts";
import type { KeyFault } from "../key-files/types.ts";
import type { CaptureSecrets } from "../types.ts";
import type { KeyRing } from "./key-ring.ts";

/**
 * Adds the secrets of a block, and gives what is wrong with them; those of a kind that is not ours are left aside, for
 * TLS and others have theirs there.
 */
export function addSecrets(ring: KeyRing, { data, offset }: CaptureSecrets): KeyFault[] {
  const faults: KeyFault[] = [];
  addKeys({ ring, faults }, `the secrets at octet ${offset}`, Buffer.from(data).toString("utf8"));
  return faults;
}
