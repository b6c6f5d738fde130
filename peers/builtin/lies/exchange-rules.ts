/** Lies about Message IDs, retransmission, versions, cookies and other rules of every exchange. */
import type { Lie } from "./lie.ts";

export const exchangeRuleLies: readonly Lie[] = [];
