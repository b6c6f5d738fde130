/** Lies about PPKs in CREATE_CHILD_SA (RFC 9867 section 3.2). */
import { mixPpk } from "../../../harness/crypto/keys.ts";
import { ppkOffer } from "../../../harness/extensions/ppk-offer.ts";
import type { Core } from "../../../harness/ike/core.ts";
import type { Extension, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notifies, payload } from "../../../harness/ike/payloads.ts";
import type { Policy } from "../../../harness/ike/policy.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { concat } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

/** Takes another SK_d than the one with the PPK, or without, for the keys of new SAs. */
const derives = (SK_d: (sa: IkeSa, mixed: Uint8Array) => Uint8Array): Omit<Extension, "name"> => ({
  childKeys: (inputs) => {
    inputs.SK_d = SK_d(inputs.sa, inputs.SK_d);
  },
  ikeKeys: (inputs) => {
    if (inputs.replaces && inputs.SK_d) inputs.SK_d = SK_d(inputs.replaces, inputs.SK_d);
  },
});

const withoutPpk = derives(({ keys }, mixed) => keys?.SK_d ?? mixed);

/** As if SK_d' took the place of SK_d for good. */
const forGood = derives((sa, mixed) => {
  if (sa.keys && sa.established) sa.keys = { ...sa.keys, SK_d: mixed };
  return mixed;
});

/** Knows one PPK, and has no SA without. */
function always(): LieBehaviour {
  let policy: Policy | undefined;
  const ike = derives((sa, mixed) => {
    const secret = policy?.ppks[0]?.secret;
    return secret && sa.established && sa.suite && sa.keys
      ? mixPpk(sa.suite.prf, secret, sa.keys.SK_d)
      : mixed;
  });
  return {
    ike,
    policy: (own) => {
      policy = own;
    },
  };
}

/** Changes the messages of this exchange type that go one way. */
const sends = (
  name: string,
  breaks: string,
  effect: string,
  which: "request" | "response",
  change: (message: OutgoingMessage, core: Core) => void,
): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      outgoing: (message, core) => {
        const { header, isResponse } = message;
        const matches = header.exchangeType === EXCHANGE.CREATE_CHILD_SA;
        if (matches && isResponse === (which === "response")) change(message, core);
      },
    },
  }));

function confirmsWithSwappedSpis({ sa, payloads }: OutgoingMessage, { policy }: Core): void {
  const Ni = payload(payloads, "Nonce")?.data;
  const suite = sa?.suite;
  if (!sa || !suite || !Ni) return;
  notifies(payloads, NOTIFY.PPK_IDENTITY_KEY).forEach((found, i) => {
    const ppk = policy.ppks[i];
    if (ppk) found.data = ppkOffer(suite.prf, ppk, concat(Ni, sa.spiR, sa.spiI));
  });
}

export const ppkChildLies: readonly Lie[] = [
  sends(
    "names-its-late-ppk-without-its-type",
    "PPKINT-28",
    "PPK_IDENTITY with the identifier alone",
    "response",
    ({ payloads }) => {
      for (const found of notifies(payloads, NOTIFY.PPK_IDENTITY)) found.data = found.data.subarray(1);
    },
  ),
  sends(
    "refuses-new-sas-for-another-reason",
    "PPKINT-31",
    "INVALID_SYNTAX in the place of NO_PROPOSAL_CHOSEN",
    "response",
    ({ payloads }) => {
      for (const found of notifies(payloads, NOTIFY.NO_PROPOSAL_CHOSEN))
        found.notifyType = NOTIFY.INVALID_SYNTAX;
    },
  ),
  sends(
    "confirms-late-ppks-with-swapped-spis",
    "PPKINT-27",
    "the confirmation is over Ni | SPIr | SPIi",
    "request",
    confirmsWithSwappedSpis,
  ),
  lie("mixes-no-ppk-into-new-sas", "PPKINT-32", "agrees on a PPK and has plain keys", () => ({
    ike: withoutPpk,
  })),
  lie("mixes-ppks-into-sk-d-of-the-ike-sa", "PPKINT-32", "SK_d' takes the place of SK_d for good", () => ({
    ike: forGood,
  })),
  lie("mixes-its-first-ppk-into-new-sas", "PPKINT-32", "its first PPK, whichever was chosen, if any", always),
];
