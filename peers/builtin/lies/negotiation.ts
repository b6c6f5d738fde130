/** Lies about proposals and traffic selectors. */
import type { Lie } from "./lie.ts";

export const negotiationLies: readonly Lie[] = [];
