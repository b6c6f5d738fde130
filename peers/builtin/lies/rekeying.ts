/** Lies about CREATE_CHILD_SA and Delete. */
import type { Lie } from "./lie.ts";

export const rekeyingLies: readonly Lie[] = [];
