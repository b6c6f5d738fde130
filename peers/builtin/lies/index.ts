/** All lies, in one list. */
import { findFault } from "../faults/index.ts";
import { additionalKeLies } from "./additional-ke.ts";
import { authenticationLies } from "./authentication.ts";
import { childlessLies } from "./childless.ts";
import { configurationLies } from "./configuration.ts";
import { eapLies } from "./eap.ts";
import { espLies } from "./esp.ts";
import { espEchoLies } from "./esp-echo.ts";
import { plainEchoLies } from "./esp-echo-plain.ts";
import { echoRequestLies } from "./esp-echo-requests.ts";
import { exchangeRuleLies } from "./exchange-rules.ts";
import { followUpLies } from "./follow-up.ts";
import { formatLies } from "./formats.ts";
import { fragmentationLies } from "./fragmentation.ts";
import { groupBadInputLies } from "./group-bad-input.ts";
import { groupBadKeyLies } from "./group-bad-keys.ts";
import { groupControllerLies } from "./group-controller.ts";
import { groupKeyLies } from "./group-controller-keys.ts";
import { groupPolicyLies } from "./group-controller-policy.ts";
import { groupRekeyLies } from "./group-controller-rekeys.ts";
import { groupDecisionLies } from "./group-decisions.ts";
import { groupForgedRekeyLies } from "./group-forged-rekeys.ts";
import { groupMemberLies } from "./group-member.ts";
import { groupRegistrationLies } from "./group-registration.ts";
import { halfOpenLies } from "./half-open.ts";
import { intAuthLies } from "./int-auth.ts";
import { intermediateLies } from "./intermediate.ts";
import { keFallbackLies } from "./ke-fallback.ts";
import { kemLies } from "./kem.ts";
import { keyLies } from "./keys.ts";
import { legacyLies } from "./legacy.ts";
import type { Lie, Planted } from "./lie.ts";
import { measureLies } from "./measure.ts";
import { negotiationLies } from "./negotiation.ts";
import { nullAuthenticationLies } from "./null-authentication.ts";
import { payloadLies } from "./payloads.ts";
import { ppkLies } from "./ppk.ts";
import { ppkChildLies } from "./ppk-child.ts";
import { ppkFallbackLies } from "./ppk-fallback.ts";
import { ppkIntermediateLies } from "./ppk-intermediate.ts";
import { rekeyingLies } from "./rekeying.ts";
import { replayStatusLies } from "./replay-status.ts";
import { sequenceNumberLies } from "./sequence-numbers.ts";
import { setupLies } from "./setup.ts";
import { subspaceLies } from "./subspaces.ts";
import { underIkeSaLies } from "./under-ike-sas.ts";

export const lies: readonly Lie[] = [
  ...authenticationLies,
  ...setupLies,
  ...underIkeSaLies,
  ...exchangeRuleLies,
  ...negotiationLies,
  ...rekeyingLies,
  ...keyLies,
  ...payloadLies,
  ...formatLies,
  ...fragmentationLies,
  ...measureLies,
  ...espLies,
  ...espEchoLies,
  ...plainEchoLies,
  ...echoRequestLies,
  ...groupBadInputLies,
  ...groupBadKeyLies,
  ...groupForgedRekeyLies,
  ...groupDecisionLies,
  ...groupRegistrationLies,
  ...childlessLies,
  ...configurationLies,
  ...eapLies,
  ...nullAuthenticationLies,
  ...sequenceNumberLies,
  ...replayStatusLies,
  ...subspaceLies,
  ...groupControllerLies,
  ...groupPolicyLies,
  ...groupKeyLies,
  ...groupRekeyLies,
  ...groupMemberLies,
  ...legacyLies,
  ...ppkFallbackLies,
  ...ppkIntermediateLies,
  ...ppkChildLies,
  ...keFallbackLies,
  ...followUpLies,
  ...kemLies,
  ...intermediateLies,
  ...halfOpenLies,
  ...intAuthLies,
  ...ppkLies,
  ...additionalKeLies,
];

/** A lie by its name, or a planted fault. */
export const findLie = (name: string): Planted | undefined =>
  lies.find((l) => l.name === name) ?? findFault(name);
