/** PPKs in IKE_INTERMEDIATE: RFC 9867 section 3.1. */
import { mixPpk } from "../crypto/keys.ts";
import type { Core } from "../ike/core.ts";
import { installKeys } from "../ike/generation.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat } from "../wire/bytes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { IntermediateUser } from "./intermediate.ts";
import { type PpkNumbers, usesPpk, wayOf } from "./ppk-agreement.ts";
import { chosenPpk, matchingPpk, ppkOffers } from "./ppk-offer.ts";

interface State {
  /** Agreed on in the exchange that is going on. */
  chosen?: Ppk;
  /** Whether one is mixed in. */
  mixed: boolean;
}

const seedOf = ({ Ni, Nr, spiI, spiR }: IkeSa): Uint8Array => concat(Ni, Nr, spiI, spiR);

/** The part of {@link intermediate}: offers all PPKs in the last exchange, and mixes in the one that is chosen. */
export function ppkInIntermediate(numbers: PpkNumbers): IntermediateUser {
  const states = new WeakMap<IkeSa, State>();
  const stateOf = (sa: IkeSa): State => {
    const state = states.get(sa) ?? { mixed: false };
    states.set(sa, state);
    return state;
  };
  const agreed = (core: Core, sa: IkeSa): boolean => wayOf(core, sa, numbers) === "IKE_INTERMEDIATE";
  return {
    wants: (core, sa) => (sa.role === "responder" ? agreed(core, sa) : usesPpk(core, "IKE_INTERMEDIATE")),
    needs: (core, sa) => (agreed(core, sa) ? 1 : 0),
    request: (core, sa, { last }) =>
      last && sa.suite && agreed(core, sa)
        ? ppkOffers(numbers.PPK_IDENTITY_KEY, core.policy.ppks, sa.suite.prf, seedOf(sa))
        : [],
    take: (core, sa, { last }, response) => {
      if (!last || !agreed(core, sa)) return undefined;
      const chosen = chosenPpk(response, core.policy.ppks);
      if (typeof chosen === "string") return chosen;
      if (!chosen && core.policy.ppkRequired) return "the responder did not use a PPK";
      stateOf(sa).chosen = chosen;
      return undefined;
    },
    answer: (core, sa, _round, request) => {
      const offers = notifies(request, numbers.PPK_IDENTITY_KEY);
      if (offers.length === 0 || !sa.suite || !agreed(core, sa)) return [];
      const chosen = matchingPpk(offers, core.policy.ppks, sa.suite.prf, seedOf(sa));
      if (!chosen && core.policy.ppkRequired) return notify(NOTIFY.AUTHENTICATION_FAILED);
      stateOf(sa).chosen = chosen;
      return chosen ? [notify(NOTIFY.PPK_IDENTITY, chosen.id)] : [];
    },
    finish: (core, sa) => {
      const state = stateOf(sa);
      const { chosen } = state;
      state.chosen = undefined;
      if (!chosen || !sa.suite || !sa.keys) return;
      state.mixed = true;
      installKeys(core, sa, sa.suite, mixPpk(sa.suite.prf, chosen.secret, sa.keys.SK_d));
    },
    missing: (core, sa) =>
      agreed(core, sa) && core.policy.ppkRequired && !stateOf(sa).mixed
        ? "IKE_AUTH without a PPK"
        : undefined,
  };
}
