/** What tshark 4.0 reads otherwise than we do, and why: each rule as narrow as its reason. */
import type { Difference } from "./tshark-comparison.ts";

export interface Rule {
  name: string;
  reason: string;
  explains: (difference: Difference) => boolean;
}

export const RULES: readonly Rule[] = [];
