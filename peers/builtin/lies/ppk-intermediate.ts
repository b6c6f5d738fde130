/** Lies about PPKs in IKE_INTERMEDIATE (RFC 9867 section 3.1). */
import { mixPpk } from "../../../harness/crypto/keys.ts";
import { ppkOffer } from "../../../harness/extensions/ppk-offer.ts";
import type { Core } from "../../../harness/ike/core.ts";
import type { Extension, IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify, payload } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { concat, EMPTY } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { decides, inMessage } from "./tools.ts";

type Change = (message: OutgoingMessage, core: Core) => void;

const inInit = (change: Change, which?: "request" | "response"): Extension["outgoing"] =>
  sent(EXCHANGE.IKE_SA_INIT, change, which);
const inRounds = (change: Change, which?: "request" | "response"): Extension["outgoing"] =>
  sent(EXCHANGE.IKE_INTERMEDIATE, change, which);

const sent =
  (exchangeType: number, change: Change, which?: "request" | "response"): Extension["outgoing"] =>
  (message, core) =>
    inMessage(exchangeType, (m) => change(m, core), which)(message);

const sends = (name: string, breaks: string, effect: string, outgoing: Extension["outgoing"]): Lie =>
  lie(name, breaks, effect, () => ({ ike: { ...(outgoing && { outgoing }) } }));

const omits =
  (...types: number[]): Change =>
  (message) => {
    message.payloads = message.payloads.filter((p) => p.kind !== "Notify" || !types.includes(p.notifyType));
  };

/** Writes other data into each notify of this type. */
const fills =
  (notifyType: number, data: (old: Uint8Array) => Uint8Array): Change =>
  ({ payloads }) => {
    for (const found of notifies(payloads, notifyType)) found.data = data(found.data);
  };

const required = (value: boolean): LieBehaviour => ({
  policy: (policy) => {
    if (policy.ppks.length > 0) policy.ppkRequired = value;
  },
});

/** Says another error than the one it means. */
const says =
  (said: number, meant: number): Change =>
  ({ payloads }) => {
    for (const found of notifies(payloads, meant)) found.notifyType = said;
  };

/** Does something with a message that came, before the core sees it. */
const reads = (read: (message: IncomingMessage, core: Core) => void): LieBehaviour => ({
  ike: {
    incoming: (message, core) => {
      read(message, core);
      return undefined;
    },
  },
});

/** Takes the same notify with data for another one. */
function mindsData({ payloads }: IncomingMessage): void {
  for (const found of notifies(payloads, NOTIFY.USE_PPK_INT))
    if (found.data.length > 0) found.notifyType = NOTIFY.USE_PPK_INT - 1;
}

const offers = ({ payloads }: IncomingMessage) => notifies(payloads, NOTIFY.PPK_IDENTITY_KEY);

/** As if all identifiers were of the type that it knows. */
function overlooksTypes(message: IncomingMessage): void {
  for (const found of offers(message)) found.data = concat(Uint8Array.of(2), found.data.subarray(1));
}

/** Says that it has the first PPK on offer, whatever that is. */
const claims: Change = ({ request, payloads }) => {
  const [first] = request ? offers(request) : [];
  if (first && !hasNotify(payloads, NOTIFY.PPK_IDENTITY))
    payloads.push(notify(NOTIFY.PPK_IDENTITY, first.data.subarray(0, -8)));
};

/** Computes confirmations over something else. */
const confirmsOver =
  (seed: (sa: IkeSa) => Uint8Array): Change =>
  ({ sa, payloads }, core) => {
    const suite = sa?.suite;
    if (!sa || !suite) return;
    notifies(payloads, NOTIFY.PPK_IDENTITY_KEY).forEach((found, i) => {
      const ppk = core.policy.ppks[i];
      if (ppk) found.data = ppkOffer(suite.prf, ppk, seed(sa));
    });
  };

/** Mixes the PPK in as RFC 8784 has it, after it was mixed in already. */
function mixesAgain(): LieBehaviour {
  const again = (core: Core, sa: IkeSa): void => {
    const { keys, suite } = sa;
    const [ppk] = core.policy.ppks;
    if (!keys || !suite || !ppk || !sa.announced.has(NOTIFY.USE_PPK_INT)) return;
    const mixed = (key: Uint8Array) => mixPpk(suite.prf, ppk.secret, key);
    sa.keys = { ...keys, SK_d: mixed(keys.SK_d), SK_pi: mixed(keys.SK_pi), SK_pr: mixed(keys.SK_pr) };
  };
  return {
    ike: {
      verifying: (core, sa) => void (sa.role === "responder" && again(core, sa)),
      proving: (core, sa) => {
        if (sa.role === "initiator") again(core, sa);
        return [];
      },
    },
  };
}

/** Offers that make a badly written parser stumble. */
function isOdd(message: IncomingMessage): boolean {
  const all = offers(message);
  return all.length > 100 || all.some(({ data }) => data.length < 10);
}

/** Is gone for good once offers or an answer came that are not as usual. */
function hangs(): LieBehaviour {
  let gone = false;
  let offered = false;
  return {
    ike: {
      incoming: (message) => {
        const { header, isResponse, payloads } = message;
        gone ||= !isResponse && isOdd(message);
        if (header.exchangeType === EXCHANGE.IKE_INTERMEDIATE && !isResponse) {
          gone ||= offered;
          offered = offers(message).length > 0;
        } else offered = false;
        gone ||=
          [NOTIFY.USE_PPK, NOTIFY.USE_PPK_INT].every((type) => hasNotify(payloads, type)) && isResponse;
        return gone ? "drop" : undefined;
      },
    },
  };
}

/** Is not used to an exchange that has nothing but PPKs, or takes it for one with a KE payload. */
const dropsLonePpks: Extension["incoming"] = (message) => {
  const lone = offers(message).length > 0 && !payload(message.payloads, "KE");
  return lone ? "drop" : undefined;
};

/** Does not repeat USE_PPK_INT in a second IKE_SA_INIT request. */
function forgets(): LieBehaviour {
  const begun = new WeakSet<IkeSa>();
  return {
    ike: {
      outgoing: inInit(({ sa, ...message }) => {
        if (!sa) return;
        if (begun.has(sa))
          message.payloads.splice(
            0,
            message.payloads.length,
            ...message.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.USE_PPK_INT),
          );
        begun.add(sa);
      }, "request"),
    },
  };
}

/** Mixes in the PPK that it likes best whichever is chosen. */
const readsItsFirst = ({ isResponse, header, payloads }: IncomingMessage, core: Core): void => {
  const [ppk] = core.policy.ppks;
  if (isResponse && header.exchangeType === EXCHANGE.IKE_INTERMEDIATE && ppk)
    for (const found of notifies(payloads, NOTIFY.PPK_IDENTITY)) found.data = ppk.id;
};

/** Names one PPK and uses another. */
const namesAnother: Change = ({ payloads }, core) => {
  for (const found of notifies(payloads, NOTIFY.PPK_IDENTITY)) {
    const other = core.policy.ppks.find(({ id }) => id.some((octet, i) => octet !== found.data[i]));
    if (other) found.data = other.id;
  }
};

/** Does not answer IKE_AUTH where it should refuse it. */
const hidesRefusal: Change = (message) => {
  if (hasNotify(message.payloads, NOTIFY.AUTHENTICATION_FAILED)) message.octets = () => [];
};

export const ppkIntermediateLies: readonly Lie[] = [
  sends(
    "returns-use-ppk-int-alone",
    "PPKINT-04",
    "no INTERMEDIATE_EXCHANGE_SUPPORTED in its response",
    inInit(omits(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED), "response"),
  ),
  sends(
    "offers-use-ppk-int-alone",
    "PPKINT-01",
    "no INTERMEDIATE_EXCHANGE_SUPPORTED in its request",
    inInit(omits(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED), "request"),
  ),
  sends(
    "puts-data-into-use-ppk-int",
    "PPKINT-02",
    "USE_PPK_INT has data",
    inInit(fills(NOTIFY.USE_PPK_INT, () => Uint8Array.of(1))),
  ),
  lie("minds-data-in-use-ppk-int", "PPKINT-03", "does not know USE_PPK_INT with data", () =>
    reads(mindsData),
  ),
  sends(
    "returns-both-ways-of-ppks",
    "PPKINT-07",
    "USE_PPK beside USE_PPK_INT in its response",
    inInit(({ payloads }) => {
      if (hasNotify(payloads, NOTIFY.USE_PPK_INT)) payloads.push(notify(NOTIFY.USE_PPK));
    }, "response"),
  ),
  lie("forgets-that-ppks-are-mandatory", "PPKINT-17", "does without a PPK that is mandatory", () =>
    required(false),
  ),
  lie("insists-on-optional-ppks", "PPKINT-20", "no SA without a PPK that is optional", () => required(true)),
  sends(
    "refuses-ike-sa-init-for-another-reason",
    "PPKINT-08",
    "INVALID_SYNTAX in the place of NO_PROPOSAL_CHOSEN",
    inInit(says(NOTIFY.INVALID_SYNTAX, NOTIFY.NO_PROPOSAL_CHOSEN), "response"),
  ),
  sends(
    "refuses-ppks-for-another-reason",
    "PPKINT-17",
    "NO_PROPOSAL_CHOSEN in the place of AUTHENTICATION_FAILED",
    inRounds(says(NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.AUTHENTICATION_FAILED), "response"),
  ),
  sends(
    "returns-an-empty-ppk-identity",
    "PPKINT-14",
    "PPK_IDENTITY without the PPK_ID",
    inRounds(
      fills(NOTIFY.PPK_IDENTITY, () => EMPTY),
      "response",
    ),
  ),
  sends(
    "returns-a-ppk-identity-without-its-type",
    "PPKINT-14",
    "PPK_IDENTITY with the identifier alone",
    inRounds(
      fills(NOTIFY.PPK_IDENTITY, (id) => id.subarray(1)),
      "response",
    ),
  ),
  sends(
    "names-another-ppk-than-it-uses",
    "PPKINT-14",
    "PPK_IDENTITY of another PPK",
    inRounds(namesAnother, "response"),
  ),
  sends(
    "claims-early-ppks-that-it-lacks",
    "PPKINT-13",
    "PPK_IDENTITY for whatever is on offer",
    inRounds(claims, "response"),
  ),
  decides("overlooks-ppk-confirmations", "PPKINT-13", "takes a PPK whose confirmation is wrong", {
    "PPK Confirmation": "overlook",
  }),
  lie("overlooks-the-type-of-offered-ppk-ids", "PPKINT-13", "takes all types of PPK_IDs for one", () =>
    reads(overlooksTypes),
  ),
  decides(
    "looks-at-the-first-offer-only",
    "PPKINT-15",
    "does without a PPK if the first on offer is not right",
    {
      PPK_IDENTITY_KEY: "the first one",
    },
  ),
  decides("mixes-no-ppk-into-early-keys", "PPKINT-23", "agrees on a PPK and keeps the old keys", {
    "a PPK in IKE_INTERMEDIATE": "into nothing",
  }),
  decides("mixes-the-ppk-into-three-keys", "PPKINT-23", "mixes the PPK in as in IKE_AUTH", {
    "a PPK in IKE_INTERMEDIATE": "into SK_d, SK_pi and SK_pr",
  }),
  decides("protects-the-choice-with-new-keys", "PPKINT-24", "its response is under keys with the PPK", {
    "keys with a PPK": "before the response",
  }),
  decides("mixes-the-ppk-in-before-the-key-exchange", "PPKINT-22", "the keys of the key exchange come last", {
    "order of new keys in IKE_INTERMEDIATE": "PPK first",
  }),
  lie("mixes-the-ppk-in-again", "PPKINT-25", "mixes the PPK in once more in IKE_AUTH", mixesAgain),
  sends(
    "names-the-ppk-again",
    "PPKINT-25",
    "PPK_IDENTITY in IKE_AUTH",
    sent(EXCHANGE.IKE_AUTH, ({ sa, payloads }, core) => {
      const [ppk] = core.policy.ppks;
      if (ppk && sa?.announced.has(NOTIFY.USE_PPK_INT)) payloads.push(notify(NOTIFY.PPK_IDENTITY, ppk.id));
    }),
  ),
  lie("drops-ppks-without-a-key-exchange", "PPKINT-18", "no answer to an exchange with PPKs alone", () => ({
    ike: { incoming: dropsLonePpks },
  })),
  lie("hangs-of-odd-ppks", "PPKINT-13", "is silent for ever after unusual notifies about PPKs", hangs),
  sends(
    "hides-that-it-refuses",
    "PPKINT-21",
    "no answer to IKE_AUTH",
    sent(EXCHANGE.IKE_AUTH, hidesRefusal, "response"),
  ),
  decides(
    "offers-ppks-in-the-first-exchange",
    "PPKINT-10",
    "PPK_IDENTITY_KEY in the first IKE_INTERMEDIATE",
    {
      "exchange of PPK_IDENTITY_KEY": "the first",
    },
  ),
  sends(
    "offers-no-early-ppks",
    "PPKINT-09",
    "IKE_INTERMEDIATE without PPK_IDENTITY_KEY",
    inRounds(omits(NOTIFY.PPK_IDENTITY_KEY), "request"),
  ),
  sends(
    "offers-early-ppks-that-nobody-takes",
    "PPKINT-09",
    "PPK_IDENTITY_KEY though USE_PPK_INT was not returned",
    inRounds(({ payloads }, core) => {
      const [ppk] = core.policy.ppks;
      if (ppk && notifies(payloads, NOTIFY.PPK_IDENTITY_KEY).length === 0)
        payloads.push(notify(NOTIFY.PPK_IDENTITY_KEY, concat(ppk.id, new Uint8Array(8))));
    }, "request"),
  ),
  sends(
    "confirms-with-swapped-nonces",
    "PPKINT-12",
    "the confirmation is over Nr | Ni",
    inRounds(
      confirmsOver(({ Ni, Nr, spiI, spiR }) => concat(Nr, Ni, spiI, spiR)),
      "request",
    ),
  ),
  sends(
    "confirms-without-spis",
    "PPKINT-12",
    "the confirmation is over the nonces alone",
    inRounds(
      confirmsOver(({ Ni, Nr }) => concat(Ni, Nr)),
      "request",
    ),
  ),
  lie(
    "forgets-use-ppk-int-when-it-asks-again",
    "PPKINT-12",
    "no USE_PPK_INT after COOKIE or INVALID_KE_PAYLOAD",
    forgets,
  ),
  lie("mixes-its-first-ppk-in", "PPKINT-23", "its first PPK, whichever was chosen", () =>
    reads(readsItsFirst),
  ),
  decides("takes-a-ppk-that-it-did-not-offer", "PPKINT-16", "goes on with a PPK of its own", {
    "PPK_IDENTITY that was not offered": "take the first",
  }),
  decides("overlooks-a-ppk-that-it-did-not-offer", "PPKINT-16", "goes on without a PPK", {
    "PPK_IDENTITY that was not offered": "ignore",
  }),
];
