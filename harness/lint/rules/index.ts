/** All rules, by document. Each file of rules is about one topic. */
import type { Rule } from "../rule.ts";
import { header } from "./header.ts";

export const RULES: readonly Rule[] = [...header];
