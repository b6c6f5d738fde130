/** All rules, by document. Each file of rules is about one topic. */
import type { Rule } from "../rule.ts";
import { auth } from "./auth.ts";
import { cp } from "./cp.ts";
import { deletes } from "./delete.ts";
import { documents } from "./documents.ts";
import { exchanges } from "./exchanges.ts";
import { header } from "./header.ts";
import { init } from "./init.ts";
import { ke } from "./ke.ts";
import { notifyRules } from "./notifies.ts";
import { payloads } from "./payloads.ts";
import { rekey } from "./rekey.ts";
import { saAnswer } from "./sa-answer.ts";
import { saOffer } from "./sa-offer.ts";
import { sk } from "./sk.ts";
import { ts } from "./ts.ts";

/** Of RFC 7296 itself. */
export const RFC7296_RULES: readonly Rule[] = [
  ...[...header, ...payloads, ...exchanges, ...init, ...saOffer, ...saAnswer, ...ke],
  ...[...notifyRules, ...deletes, ...ts, ...auth, ...cp, ...rekey, ...sk],
];

export const RULES: readonly Rule[] = [...RFC7296_RULES, ...documents];
