/** Keys that travel in the capture itself. */
import { addKeys, type ReadKeys } from "../key-files/read.ts";
import type { CaptureSecrets } from "../types.ts";

/** Adds the secrets of a block; those of a kind that is not ours are left aside, for TLS and others have theirs there. */
export function addSecrets(keys: ReadKeys, { data, offset }: CaptureSecrets): void {
  addKeys(keys, `the secrets at octet ${offset}`, Buffer.from(data).toString("utf8"));
}
