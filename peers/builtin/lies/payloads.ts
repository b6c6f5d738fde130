/** Lies about payload formats. */
import type { Lie } from "./lie.ts";

export const payloadLies: readonly Lie[] = [];
