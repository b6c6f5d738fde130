/** Lies about ESP. */
import type { Lie } from "./lie.ts";

export const espLies: readonly Lie[] = [];
