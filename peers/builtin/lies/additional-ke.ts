/** Lies about additional key exchanges in IKE_SA_INIT and IKE_INTERMEDIATE: RFC 9370 sections 2.2.1 to 2.2.3. */
import { isAdditional } from "../../../harness/ike/additional-ke.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { payload } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { decodeMessage, isFrameError } from "../../../harness/wire/index.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import type { Payload, Proposal } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, eachPayload, inMessage } from "./tools.ts";

const isAnnouncement = (p: Payload): boolean =>
  p.kind === "Notify" && p.notifyType === NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;

const withoutAnnouncement = (message: OutgoingMessage): void => {
  message.payloads = message.payloads.filter((p) => !isAnnouncement(p));
};

/** A lie that changes the choice in IKE_SA_INIT responses. */
const choosing = (
  name: string,
  breaks: string,
  effect: string,
  change: (p: Proposal, offer: Proposal) => Proposal,
) =>
  lie(name, breaks, effect, () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        (message) =>
          eachPayload("SA", (sa) => {
            const offers = payload(message.request?.payloads ?? [], "SA")?.proposals ?? [];
            sa.proposals = sa.proposals.map((p) => {
              const offer = offers.find(({ number }) => number === p.number);
              return offer ? change(p, offer) : p;
            });
          })(message),
        "response",
      ),
    },
  }));

/** What follows on the first message with a COOKIE, or with a KE payload of the method that was asked for. */
function afterRestart(): (message: OutgoingMessage) => void {
  const begun = new WeakSet<IkeSa>();
  return (message) => {
    const { sa, header, isResponse, request, payloads } = message;
    if (!sa || header.exchangeType !== EXCHANGE.IKE_SA_INIT) return;
    const first = payload(request?.payloads ?? payloads, "SA")?.proposals[0];
    const preferred = first?.transforms.find(({ type }) => type === 4)?.id;
    const other = payload(request?.payloads ?? payloads, "KE")?.group !== preferred;
    const hasCookie = (request?.payloads ?? payloads).some(
      (p) => p.kind === "Notify" && p.notifyType === NOTIFY.COOKIE,
    );
    if (isResponse ? other || hasCookie : begun.has(sa)) withoutAnnouncement(message);
    begun.add(sa);
  };
}

const announcement: Lie[] = [
  lie(
    "offers-rounds-without-announcement",
    "MKE-15",
    "requests without INTERMEDIATE_EXCHANGE_SUPPORTED",
    () => ({
      ike: { outgoing: inMessage(EXCHANGE.IKE_SA_INIT, withoutAnnouncement, "request") },
    }),
  ),
  lie(
    "agrees-to-rounds-without-announcement",
    "MKE-16",
    "responses without INTERMEDIATE_EXCHANGE_SUPPORTED",
    () => ({
      ike: { outgoing: inMessage(EXCHANGE.IKE_SA_INIT, withoutAnnouncement, "response") },
    }),
  ),
  lie(
    "forgets-the-announcement-after-a-restart",
    "MKE-15",
    "no INTERMEDIATE_EXCHANGE_SUPPORTED after COOKIE or INVALID_KE_PAYLOAD",
    () => ({
      ike: { outgoing: afterRestart() },
    }),
  ),
  decides("takes-rounds-without-announcement", "MKE-17", "chooses ADDKE, and takes its choice, unannounced", {
    "ADDKE without INTERMEDIATE_EXCHANGE_SUPPORTED": "take",
  }),
];

/** Reads requests of IKE_SA_INIT as `change` makes them; "drop" loses them. */
const reading = (
  name: string,
  breaks: string,
  effect: string,
  change: (proposals: Proposal[]) => Proposal[] | "drop",
) =>
  lie(name, breaks, effect, () => ({
    ike: {
      incoming: ({ header, isResponse, payloads }) => {
        const sa = payload(payloads, "SA");
        if (!sa || isResponse || header.exchangeType !== EXCHANGE.IKE_SA_INIT) return undefined;
        const changed = change(sa.proposals);
        if (changed === "drop") return changed;
        sa.proposals = changed;
        return undefined;
      },
    },
  }));

const MANY_TRANSFORMS = 64;

const offers: Lie[] = [
  reading("overlooks-attributes-of-methods", "MKE-05", "reads additional methods without attributes", (all) =>
    all.map((p) => ({
      ...p,
      transforms: p.transforms.map((t) => (isAdditional(t.type) ? { ...t, attributes: [] } : t)),
    })),
  ),
  decides("reads-methods-of-any-size", "MKE-01", "overlooks what is wrong with the size of a transform", {
    "malformed message": "accept",
  }),
  lie(
    "dies-of-methods-of-odd-size",
    "MKE-01",
    "crashes where the size of a transform makes no sense",
    () => ({
      diesOf: (octets) => {
        if (octets[18] !== EXCHANGE.IKE_SA_INIT) return false;
        const message = decodeMessage(octets);
        return !isFrameError(message) && (message.findings ?? []).length > 0;
      },
    }),
  ),
  reading("drops-long-offers", "MKE-05", "no answer to more than 64 transforms", (all) =>
    all.some(({ transforms }) => transforms.length > MANY_TRANSFORMS) ? "drop" : all,
  ),
];

const choices: Lie[] = [
  choosing(
    "picks-every-method-of-a-type",
    "MKE-05",
    "all methods offered for each additional type",
    (p, offer) => ({
      ...p,
      transforms: [
        ...p.transforms.filter(({ type }) => !isAdditional(type)),
        ...offer.transforms.filter(({ type }) => isAdditional(type)),
      ],
    }),
  ),
  choosing(
    "leaves-a-type-out-of-its-choice",
    "MKE-05",
    "the last additional type is not in the choice",
    (p) => {
      const last = p.transforms.findLast(({ type }) => isAdditional(type))?.type;
      return { ...p, transforms: p.transforms.filter(({ type }) => type !== last) };
    },
  ),
  choosing("renumbers-additional-types", "MKE-14", "the choice has types 6, 7, ... without gaps", (p) => {
    let next = 6;
    return { ...p, transforms: p.transforms.map((t) => (isAdditional(t.type) ? { ...t, type: next++ } : t)) };
  }),
  decides("chooses-one-method-twice", "MKE-07", "the best method for every type", {
    "same additional method twice": "take",
  }),
  decides("accepts-one-method-twice", "MKE-09", "goes on with a choice that has one method twice", {
    "same additional method twice in a choice": "accept",
  }),
  decides("demands-each-additional-type", "MKE-14", "refuses offers without a type of its own", {
    "additional type left out of an offer": "refuse",
  }),
];

const rounds: Lie[] = [
  decides("does-rounds-in-reverse", "MKE-03", "the round of the last type comes first", {
    "order of additional key exchanges": "reversed",
  }),
  decides("does-a-round-for-none", "MKE-12", "an exchange for each NONE", {
    "NONE among additional key exchanges": "an exchange",
  }),
  decides(
    "does-the-rounds-of-its-first-offer",
    "MKE-19",
    "the rounds of its best hybrid proposal, whatever was chosen",
    {
      "rounds of additional key exchanges": "of our first proposal that has some",
    },
  ),
  decides("overlooks-bad-ke-in-rounds", "MKE-20", "goes on without a secret where KE is missing or no good", {
    "KE payload of a round that is no good": "overlook",
  }),
  decides("does-rounds-that-nobody-agreed-on", "MKE-19", "answers a KE payload after the last round", {
    "IKE_INTERMEDIATE beyond the last round": "answer",
  }),
  decides("authenticates-before-the-last-round", "MKE-03", "takes IKE_AUTH whenever it comes", {
    "IKE_AUTH before the last round": "accept",
  }),
  lie("begins-a-round-before-the-last-is-over", "MKE-04", "a second request beside the first", () => ({
    ike: { outgoing: inMessage(EXCHANGE.IKE_INTERMEDIATE, doubled, "request") },
  })),
];

/** Its datagrams go out again at once, under the next Message ID. */
function doubled(message: OutgoingMessage): void {
  message.octets = (datagram) => {
    const next = datagram.slice();
    next[23] = (next[23] ?? 0) + 1;
    return [datagram, next];
  };
}

/** Takes SK_d of the first keys for what comes after more of them. */
function firstSkD(): { keep(sa: IkeSa, SK_d: Uint8Array): void; of(sa: IkeSa): Uint8Array | undefined } {
  const known = new WeakMap<IkeSa, Uint8Array>();
  return {
    keep: (sa, SK_d) => {
      if (!known.has(sa)) known.set(sa, SK_d);
    },
    of: (sa) => known.get(sa),
  };
}

const keys: Lie[] = [
  decides("keeps-its-keys-after-a-round", "MKE-21", "the keys of IKE_SA_INIT for all that follows", {
    "keys after an additional key exchange": "keep",
  }),
  decides("changes-keys-before-its-answer", "MKE-22", "the response of a round is under its new keys", {
    "keys after an additional key exchange": "update before the response",
  }),
  decides("seals-its-repeats-anew", "MKE-22", "other octets in each retransmission", {
    retransmission: "sealed anew",
  }),
  lie("makes-all-generations-of-the-first", "MKE-21", "SK_d(0) in the place of SK_d(n-1)", () => {
    const first = firstSkD();
    return {
      ike: {
        afterIkeKeys: (sa, { SK_d }) => first.keep(sa, SK_d),
        ikeKeys: (inputs) => {
          inputs.SK_d = inputs.round === undefined ? inputs.SK_d : first.of(inputs.sa);
        },
      },
    };
  }),
  lie("swaps-the-nonces-of-later-generations", "MKE-21", "SK(n) | Nr | Ni in SKEYSEED(n)", () => ({
    ike: {
      ikeKeys: (inputs) => {
        if (inputs.round !== undefined) [inputs.Ni, inputs.Nr] = [inputs.Nr, inputs.Ni];
      },
    },
  })),
  lie("makes-child-sas-of-the-first-keys", "MKE-21", "KEYMAT from SK_d(0)", () => {
    const first = firstSkD();
    return {
      ike: {
        afterIkeKeys: (sa, { SK_d }) => first.keep(sa, SK_d),
        childKeys: (inputs) => {
          inputs.SK_d = first.of(inputs.sa) ?? inputs.SK_d;
        },
      },
    };
  }),
  lie("proves-itself-with-its-first-keys", "MKE-23", "AUTH with SK_p of generation 0", () => {
    const first = new WeakMap<IkeSa, Uint8Array>();
    return {
      ike: {
        afterIkeKeys: (sa, { SK_pi, SK_pr }) => {
          if (!first.has(sa)) first.set(sa, sa.role === "initiator" ? SK_pi : SK_pr);
        },
        authOctets: (inputs) => {
          if (inputs.of === inputs.sa.role) inputs.SK_p = first.get(inputs.sa) ?? inputs.SK_p;
        },
      },
    };
  }),
  lie("proves-itself-without-the-rounds", "MKE-23", "AUTH without IntAuth", () => ({
    ike: {
      authOctets: (inputs) => {
        if (inputs.of === inputs.sa.role) inputs.IntAuth = undefined;
      },
    },
  })),
];

export const additionalKeLies: readonly Lie[] = [...announcement, ...offers, ...choices, ...rounds, ...keys];
