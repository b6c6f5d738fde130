/** Lies of a peer that is told nothing of IKE_INTERMEDIATE, additional key exchanges and ML-KEM. */
import { isAdditional } from "../../../harness/ike/additional-ke.ts";
import type { Extension, IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import { sendRequest } from "../../../harness/ike/send.ts";
import { EMPTY } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { AuthPayload, IdPayload, Payload, Proposal, Transform } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";
import { inMessage } from "./tools.ts";

const EXCHANGES: readonly number[] = [EXCHANGE.IKE_INTERMEDIATE, EXCHANGE.IKE_FOLLOWUP_KE];
const ML_KEM: readonly number[] = [35, 36, 37];
const UNKNOWN_TYPE = 200;
const [ECP256, X25519] = [19, 31];

const isDeafTo = (matches: (message: IncomingMessage) => boolean): LieBehaviour => ({
  ike: { incoming: (message) => (matches(message) ? "drop" : undefined) },
});

const proposalsIn = (payloads: Payload[]): Proposal[] =>
  payloads.flatMap((p) => (p.kind === "SA" ? p.proposals : []));

const someTransform = ({ payloads }: IncomingMessage, matches: (t: Transform) => boolean): boolean =>
  proposalsIn(payloads).some(({ transforms }) => transforms.some(matches));

/** Reads other transforms than those that came, in requests or in responses. */
function misreads(which: "request" | "response", change: (p: Proposal) => Transform[]): LieBehaviour {
  const incoming: Extension["incoming"] = ({ payloads, isResponse }) => {
    if (isResponse !== (which === "response")) return undefined;
    for (const p of payloads)
      if (p.kind === "SA") p.proposals = p.proposals.map((o) => ({ ...o, transforms: change(o) }));
    return undefined;
  };
  return { ike: { incoming } };
}

const ofMlKem = ({ type, id }: Transform): boolean => type === TRANSFORM.KE && ML_KEM.includes(id);

const asX25519 = (t: Transform): Transform => (ofMlKem(t) ? { ...t, id: X25519 } : t);

const withoutAdditional = ({ transforms }: Proposal): Transform[] =>
  transforms.filter(({ type }) => !isAdditional(type));

const withAdditional = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: [...proposal.transforms, { type: TRANSFORM.ADDKE1, id: ECP256, attributes: [] }],
});

const isNotify = (p: Payload, type: number): boolean => p.kind === "Notify" && p.notifyType === type;

function leaveOutAnnouncement(message: OutgoingMessage): void {
  message.payloads = message.payloads.filter((p) => !isNotify(p, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED));
}

/** Takes an exchange of key exchanges for another one, and says its own number in the answer. */
function takesFor(
  exchangeType: number,
  reads: (message: IncomingMessage) => Payload[] | undefined,
): LieBehaviour {
  let taken: number | undefined;
  const incoming: Extension["incoming"] = (message) => {
    const { header, isResponse } = message;
    if (isResponse || !EXCHANGES.includes(header.exchangeType)) return undefined;
    const payloads = reads(message);
    if (!payloads) return undefined;
    taken = header.exchangeType;
    header.exchangeType = exchangeType;
    message.payloads = payloads;
    return undefined;
  };
  const outgoing: Extension["outgoing"] = ({ header, isResponse }) => {
    if (!isResponse || header.exchangeType !== exchangeType || taken === undefined) return;
    header.exchangeType = taken;
    taken = undefined;
  };
  return { ike: { incoming, outgoing } };
}

/** On an established IKE SA, takes it for an INFORMATIONAL with these payloads. */
const takesForInformational = (...payloads: Payload[]): LieBehaviour =>
  takesFor(EXCHANGE.INFORMATIONAL, ({ sa }) => (sa?.established ? payloads : undefined));

const theIkeSa: Payload = {
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.IKE, spiSize: 0, spis: [] },
};

/** Says STATE_NOT_FOUND, and ends the IKE SA. */
function closesAtExchanges(): LieBehaviour {
  const { ike } = takesForInformational(theIkeSa);
  const outgoing: Extension["outgoing"] = (message, core) => {
    ike?.outgoing?.(message, core);
    if (message.isResponse && EXCHANGES.includes(message.header.exchangeType))
      message.payloads = [notify(NOTIFY.STATE_NOT_FOUND)];
  };
  return { ike: { ...ike, outgoing } };
}

const anyone: IdPayload = { kind: "ID", type: PAYLOAD.IDr, idType: ID_TYPE.ID_FQDN, data: EMPTY };
const unproven: AuthPayload = { kind: "AUTH", type: PAYLOAD.AUTH, method: 2, data: new Uint8Array(32) };

/** Takes a response for good, whatever STATE_NOT_FOUND in it says. */
const overlooksStateNotFound = (): LieBehaviour => ({
  ike: {
    decide: { "wrong AUTH": "accept", "wrong identity": "accept" },
    incoming: (message) => {
      if (!message.isResponse) return undefined;
      const rest = message.payloads.filter((p) => !isNotify(p, NOTIFY.STATE_NOT_FOUND));
      const nothingElse = rest.length === 0 && message.payloads.length > 0;
      message.payloads = nothingElse ? [anyone, unproven] : rest;
      return undefined;
    },
  },
});

const exchangeLies = [
  lie(
    "drops-messages-with-the-announcement-of-intermediate",
    "INT-L1",
    "does not ignore INTERMEDIATE_EXCHANGE_SUPPORTED",
    () => isDeafTo(({ payloads }) => hasNotify(payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED)),
  ),
  lie("begins-intermediate-unasked", "INT-05", "IKE_INTERMEDIATE after every IKE_SA_INIT", () => ({
    ike: {
      beforeAuth: (core, sa, done) => {
        sendRequest(core, sa, EXCHANGE.IKE_INTERMEDIATE, [], () => done());
        return true;
      },
    },
  })),
  lie(
    "answers-intermediate-unasked",
    "INT-L2",
    "an empty answer to exchanges 43 and 44 before IKE_AUTH",
    () => ({
      ike: {
        early: (_core, _sa, { header }) =>
          EXCHANGES.includes(header.exchangeType) ? { payloads: [] } : undefined,
      },
    }),
  ),
  lie("authenticates-by-exchanges-of-key-exchanges", "INT-L2", "takes exchanges 43 and 44 for IKE_AUTH", () =>
    takesFor(EXCHANGE.IKE_AUTH, ({ sa, payloads }) =>
      payloads.some((p) => p.kind === "AUTH") && !sa?.established ? payloads : undefined,
    ),
  ),
  lie(
    "answers-exchanges-of-key-exchanges",
    "MKE-L6",
    "an empty answer to exchanges 43 and 44 on an established IKE SA",
    () => takesForInformational(),
  ),
  lie(
    "closes-at-exchanges-of-key-exchanges",
    "MKE-L6",
    "exchanges 43 and 44 end an established IKE SA",
    closesAtExchanges,
  ),
];

const notifyLies = [
  lie(
    "drops-messages-with-notifies-of-key-exchanges",
    "MKE-L4",
    "does not ignore ADDITIONAL_KEY_EXCHANGE and STATE_NOT_FOUND",
    () =>
      isDeafTo(({ payloads }) =>
        [NOTIFY.ADDITIONAL_KEY_EXCHANGE, NOTIFY.STATE_NOT_FOUND].some((type) => hasNotify(payloads, type)),
      ),
  ),
  lie(
    "overlooks-state-not-found",
    "MKE-L5",
    "STATE_NOT_FOUND does not make a request fail",
    overlooksStateNotFound,
  ),
];

const offerLies = [
  lie("overlooks-additional-key-exchanges", "MKE-L1", "reads proposals without types 6 to 12", () =>
    misreads("request", withoutAdditional),
  ),
  lie(
    "drops-offers-with-additional-key-exchanges",
    "MKE-L1",
    "no answer to an offer with types 6 to 12",
    () =>
      isDeafTo((message) => !message.isResponse && someTransform(message, ({ type }) => isAdditional(type))),
  ),
  lie(
    "agrees-to-additional-key-exchanges-in-silence",
    "MKE-16",
    "chooses type 6 without returning the announcement",
    () => ({
      policy: (policy) => {
        policy.ike = policy.ike.map(withAdditional);
      },
      ike: { outgoing: inMessage(EXCHANGE.IKE_SA_INIT, leaveOutAnnouncement, "response") },
    }),
  ),
  lie("takes-any-additional-key-exchange", "MKE-L3", "reads choices without types 6 to 12", () =>
    misreads("response", withoutAdditional),
  ),
  lie("offers-additional-key-exchanges-unannounced", "MKE-15", "type 6 in all offers of IKE SAs", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        (message) => {
          leaveOutAnnouncement(message);
          for (const p of message.payloads)
            if (p.kind === "SA") p.proposals = p.proposals.map(withAdditional);
        },
        "request",
      ),
    },
  })),
];

const mlKemLies = [
  lie("refuses-proposals-with-ml-kem", "MLKEM-L1", "ML-KEM spoils its proposal", () =>
    misreads("request", ({ transforms }) => [
      ...transforms,
      ...transforms.filter(ofMlKem).map(({ id }) => ({ type: UNKNOWN_TYPE, id, attributes: [] })),
    ]),
  ),
  lie("drops-offers-with-ml-kem", "MLKEM-L1", "no answer to an offer with ML-KEM", () =>
    isDeafTo((message) => !message.isResponse && someTransform(message, ofMlKem)),
  ),
  lie("takes-a-choice-of-ml-kem-for-x25519", "MLKEM-L4", "goes on with a choice that it did not offer", () =>
    misreads("response", ({ transforms }) => transforms.map(asX25519)),
  ),
  lie("reads-ml-kem-as-x25519", "MLKEM-L3", "takes ML-KEM for a group of its own", () =>
    misreads("request", ({ transforms }) => transforms.map(asX25519)),
  ),
];

export const keFallbackLies = [...exchangeLies, ...notifyLies, ...offerLies, ...mlKemLies];
