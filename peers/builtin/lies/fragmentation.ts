/** Lies about RFC 7383 fragmentation. */
import type { Lie } from "./lie.ts";

export const fragmentationLies: readonly Lie[] = [];
