/** PPKs in IKE_INTERMEDIATE: RFC 9867 section 3.1. */
import { mixPpk } from "../crypto/keys.ts";
import { additionalMethods } from "../ike/additional-ke.ts";
import type { Core } from "../ike/core.ts";
import { installKeys } from "../ike/generation.ts";
import type { Extension } from "../ike/hooks.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat } from "../wire/bytes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import type { IntermediateUser, Round } from "./intermediate.ts";
import { perIkeSa } from "./per-ike-sa.ts";
import { type PpkNumbers, ppksFor, usesPpk, wayOf } from "./ppk-agreement.ts";
import { chosenPpk, matchingPpk, ppkOffers } from "./ppk-offer.ts";

interface State {
  /** Agreed on in the exchange that is going on. */
  chosen?: Ppk;
  /** Mixed in. */
  mixed?: Ppk;
}

/** The seed of a confirmation. */
const seedOf = ({ Ni, Nr, spiI, spiR }: IkeSa): Uint8Array => concat(Ni, Nr, spiI, spiR);

/** The PPKs that an initiator offers. */
const onOffer = (core: Core): Ppk[] => ppksFor(core, core.policy.remoteId);

/** Section 3.1: the offers go into the last exchange. */
const hasOffers = (core: Core, { number, last }: Round): boolean =>
  core.decide("exchange of PPK_IDENTITY_KEY", "the last") === "the first" ? number === 0 : last;

/**
 * The part of {@link intermediate}: offers all PPKs in the last exchange, and mixes in the one that is chosen.
 */
export function ppkInIntermediate(numbers: PpkNumbers): { user: IntermediateUser; extension: Extension } {
  const stateOf = perIkeSa<State>(() => ({}));
  const agreed = (core: Core, sa: IkeSa): boolean => wayOf(core, sa, numbers) === "IKE_INTERMEDIATE";
  const user: IntermediateUser = {
    wants: (core, sa) =>
      sa.role === "responder" ? agreed(core, sa) : usesPpk(core, "IKE_INTERMEDIATE", sa.role),
    needs: (core, sa) => (agreed(core, sa) ? exchanges(core, sa) : 0),
    request: (core, sa, round) =>
      hasOffers(core, round) && sa.suite && agreed(core, sa)
        ? ppkOffers(numbers.PPK_IDENTITY_KEY, onOffer(core), sa.suite.prf, seedOf(sa))
        : [],
    take: (core, sa, round, response) =>
      hasOffers(core, round) && agreed(core, sa) ? take(core, stateOf(sa), response) : undefined,
    answer: (core, sa, _round, request) => {
      const offers = notifies(request, numbers.PPK_IDENTITY_KEY);
      if (offers.length === 0 || !agreed(core, sa)) return [];
      const answer = choose(core, sa, stateOf(sa), offers);
      if (core.decide("keys with a PPK", "after the exchange") === "before the response")
        user.finish(core, sa);
      return answer;
    },
    finish: (core, sa) => {
      const state = stateOf(sa);
      const { chosen } = state;
      state.chosen = undefined;
      if (!chosen) return;
      state.mixed = chosen;
      mix(core, sa, chosen);
    },
    missing: (core, sa) =>
      agreed(core, sa) && core.policy.ppkRequired && !stateOf(sa).mixed
        ? "IKE_AUTH without a PPK"
        : undefined,
  };
  return { user, extension: ownership((sa) => stateOf(sa).mixed) };
}

/** Sees to it that a PPK is one of the peer's, once that has said who it is. */
const ownership = (mixedInto: (sa: IkeSa) => Ppk | undefined): Extension => ({
  name: "ppk-intermediate",
  verifying: (core, sa, { id }) => {
    const mixed = mixedInto(sa);
    const strange = mixed && !ppksFor(core, { type: id.idType, data: id.data }).includes(mixed);
    return strange ? "the PPK is not that of the peer" : undefined;
  },
});

/** The responder's part: the PPK that is right, or none. */
function choose(core: Core, sa: IkeSa, state: State, offers: NotifyPayload[]): Payload[] | NotifyPayload {
  const { ppks, ppkRequired } = core.policy;
  const chosen = sa.suite && matchingPpk(core, offers, ppks, sa.suite.prf, seedOf(sa));
  if (!chosen && ppkRequired) return notify(NOTIFY.AUTHENTICATION_FAILED);
  state.chosen = chosen;
  return chosen ? [notify(NOTIFY.PPK_IDENTITY, chosen.id)] : [];
}

/** One is enough, which another document may share. */
const exchanges = (core: Core, { role, proposal }: IkeSa): number => {
  const alone = core.decide("exchange of PPK_IDENTITY_KEY", "the last") === "one of its own";
  return role === "initiator" && alone && proposal ? additionalMethods(proposal).length + 1 : 1;
};

function take(core: Core, state: State, response: Payload[]): string | undefined {
  const chosen = chosenPpk(core, response, onOffer(core));
  if (typeof chosen === "string") return chosen;
  if (!chosen && core.policy.ppkRequired) return "the responder did not use a PPK";
  state.chosen = chosen;
  return undefined;
}

/** SKEYSEED' = prf+(PPK, SK_d), and all keys anew (section 3.1.1). */
function mix(core: Core, sa: IkeSa, { secret }: Ppk): void {
  const { suite, keys } = sa;
  if (!suite || !keys) return;
  const mixed = (key: Uint8Array) => mixPpk(suite.prf, secret, key);
  const into = core.decide("a PPK in IKE_INTERMEDIATE", "into all keys");
  if (into === "into all keys") return installKeys(core, sa, suite, mixed(keys.SK_d));
  if (into === "into SK_d, SK_pi and SK_pr")
    sa.keys = { ...keys, SK_d: mixed(keys.SK_d), SK_pi: mixed(keys.SK_pi), SK_pr: mixed(keys.SK_pr) };
}
