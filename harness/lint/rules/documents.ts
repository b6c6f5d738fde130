/** The rules of all documents but RFC 7296. */
import type { Rule } from "../rule.ts";
import { esp } from "./esp.ts";
import { espEcho } from "./esp-echo.ts";
import { espOffers } from "./esp-offers.ts";
import { followUp } from "./follow-up.ts";
import { fragmentation } from "./fragmentation.ts";
import { group } from "./group.ts";
import { groupKeys } from "./group-keys.ts";
import { groupPolicy } from "./group-policy.ts";
import { intermediate } from "./intermediate.ts";
import { kem } from "./kem.ts";
import { multipleKe } from "./multiple-ke.ts";
import { ppk } from "./ppk.ts";
import { sequenceNumbers } from "./sequence-numbers.ts";
import { signatures } from "./signatures.ts";
import { smallExtensions } from "./small-extensions.ts";

/** Of ESP and the extensions of IKEv2. */
export const documents: readonly Rule[] = [
  ...[
    ...esp,
    ...espOffers,
    ...espEcho,
    ...sequenceNumbers,
    ...fragmentation,
    ...signatures,
    ...smallExtensions,
  ],
  ...[...intermediate, ...multipleKe, ...followUp, ...kem, ...ppk],
  ...[...group, ...groupPolicy, ...groupKeys],
];
