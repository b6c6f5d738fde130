/** Lies of members of groups about how they register, and what they make of it. */
import type { Unwrap } from "../../../harness/group/key-path.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify } from "../../../harness/ike/payloads.ts";
import { concat, u32 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../../../harness/wire/registry/group-attributes.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { IdPayload, Payload, Proposal, TsPayload } from "../../../harness/wire/types.ts";
import { groupDecides } from "./group-tools.ts";
import { type Lie, lie } from "./lie.ts";

const REGISTERING: readonly number[] = [EXCHANGE.GSA_AUTH, EXCHANGE.GSA_REGISTRATION];

const isIdg = (p: Payload): p is IdPayload => p.kind === "ID" && p.type === PAYLOAD.IDg;

/** Changes its requests in registrations. */
const asks = (
  name: string,
  breaks: string,
  effect: string,
  change: (message: OutgoingMessage) => void,
): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      outgoing: (message) => {
        if (!message.isResponse && REGISTERING.includes(message.header.exchangeType)) change(message);
      },
    },
  }));

/** Changes its SAg. */
const offers = (
  name: string,
  breaks: string,
  effect: string,
  change: (proposal: Proposal) => Proposal,
): Lie =>
  asks(name, breaks, effect, ({ payloads }) => {
    for (const p of payloads) if (p.kind === "SA") p.proposals = p.proposals.map(change);
  });

/** Names its groups by this type. */
const names = (name: string, breaks: string, effect: string, idType: number): Lie =>
  asks(name, breaks, effect, (message) => {
    message.payloads = message.payloads.map((p) => (isIdg(p) ? { ...p, idType } : p));
  });

const withoutKeyWrap = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.filter(({ type }) => type !== TRANSFORM.KWA),
});

const exchanges = [
  lie("offers-no-key-wrap", "G-IKEV2-05", "SAi1 without transform type 13", () => ({
    policy: (policy) => {
      policy.ike = policy.ike.map(withoutKeyWrap);
    },
  })),
  asks("registers-in-ike-auth", "G-IKEV2-07", "exchange type 35", ({ header }) => {
    if (header.exchangeType === EXCHANGE.GSA_AUTH) header.exchangeType = EXCHANGE.IKE_AUTH;
  }),
  asks("adds-traffic-selectors-to-gsa-auth", "G-IKEV2-07", "TSi and TSr, too", ({ payloads }) => {
    const ts = (type: number): TsPayload => ({ kind: "TS", type, selectors: [] });
    payloads.push(ts(PAYLOAD.TSi), ts(PAYLOAD.TSr));
  }),
  lie(
    "registers-once-more-for-its-first-group",
    "G-IKEV2-07",
    "the IDg of its first request for ever",
    () => {
      let first: IdPayload | undefined;
      return {
        ike: {
          outgoing: (message) => {
            if (message.isResponse || !REGISTERING.includes(message.header.exchangeType)) return;
            first ??= message.payloads.find(isIdg);
            const named = first;
            message.payloads = message.payloads.map((p) => (named && isIdg(p) ? named : p));
          },
        },
      };
    },
  ),
  names("calls-every-group-a-name", "G-IKEV2-71", "IDg of type ID_FQDN", ID_TYPE.ID_FQDN),
  names("calls-every-group-a-key-id", "G-IKEV2-72", "IDg of type ID_KEY_ID", ID_TYPE.ID_KEY_ID),
];

/** Changes its GROUP_SENDER. */
const saysOfSending = (
  name: string,
  breaks: string,
  effect: string,
  change: (sender: ReturnType<typeof notify>) => void,
): Lie =>
  asks(name, breaks, effect, ({ payloads }) => notifies(payloads, NOTIFY.GROUP_SENDER).forEach(change));

const sender = [
  asks("omits-group-sender", "G-IKEV2-08", "no GROUP_SENDER", (message) => {
    message.payloads = message.payloads.filter(
      (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.GROUP_SENDER,
    );
  }),
  saysOfSending("writes-two-octets-of-group-sender", "G-IKEV2-104", "a number of two octets", (notice) => {
    notice.data = notice.data.slice(-2);
  }),
  saysOfSending("says-group-sender-for-esp", "G-IKEV2-103", "Protocol ID 3", (notice) => {
    notice.protocolId = PROTOCOL.ESP;
  }),
  asks("always-says-group-sender", "G-IKEV2-08", "GROUP_SENDER always", ({ payloads }) => {
    if (notifies(payloads, NOTIFY.GROUP_SENDER).length === 0)
      payloads.push(notify(NOTIFY.GROUP_SENDER, u32(1)));
  }),
  asks(
    "asks-for-aggfrag-with-congestion-control",
    "G-IKEV2-106",
    "USE_AGGFRAG with the C flag",
    ({ payloads }) => {
      payloads.push(notify(NOTIFY.USE_AGGFRAG, Uint8Array.of(2)));
    },
  ),
];

const sag = [
  offers("puts-spis-into-sag", "G-IKEV2-14", "SPIs of 4 octets", (proposal) => ({
    ...proposal,
    spi: Uint8Array.of(1, 2, 3, 4),
  })),
  offers("offers-no-key-wrap-in-sag", "G-IKEV2-102", "no transform type 13 for protocol 6", withoutKeyWrap),
];

const sas = [
  groupDecides("makes-a-child-sa-beside-its-group", "G-IKEV2-06", "CREATE_CHILD_SA once it has registered", {
    "IKE SA after registration": "make a Child SA",
  }),
  groupDecides("sends-as-a-receiver", "G-IKEV2-21", "ESP of who only receives", {
    "sending of a receiver": "anyway",
  }),
  groupDecides("delivers-its-own-traffic", "G-IKEV2-22", "a sender reads itself", {
    "echo of a sender": "delivered",
  }),
  groupDecides("sends-gsa-rekey-back", "G-IKEV2-23", "a GSA_REKEY of a member", {
    "GSA_REKEY that came": "send it back",
  }),
  groupDecides("takes-stale-initial-message-ids", "G-IKEV2-24", "goes back to old numbers", {
    "stale GSA_INITIAL_MESSAGE_ID": "take",
  }),
  groupDecides("keeps-old-sas-at-registration", "G-IKEV2-25", "SAs from before the last registration", {
    "old SAs at registration": "keep",
  }),
  lie("forgets-its-ike-sa-once-registered", "G-IKEV2-26", "silence on the IKE SA after GSA_AUTH", () => ({
    ike: {
      incoming: ({ header, isResponse }) =>
        header.exchangeType === EXCHANGE.INFORMATIONAL && !isResponse ? "drop" : undefined,
    },
  })),
  groupDecides("takes-the-end-of-the-ike-sa-for-exclusion", "G-IKEV2-27", "no membership without IKE SA", {
    "end of the IKE SA beside a Rekey SA": "excluded",
  }),
  groupDecides("goes-on-without-ike-sa", "G-IKEV2-27", "takes data of a group that it is out of", {
    "IKE SA without Rekey SA ends": "go on",
  }),
];

/** Changes what it reads of the answers to its registrations. */
const reads = (name: string, breaks: string, effect: string, change: (payloads: Payload[]) => void): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      incoming: ({ header, isResponse, payloads }) => {
        if (isResponse && REGISTERING.includes(header.exchangeType)) change(payloads);
        return undefined;
      },
    },
  }));

const senderIds = [
  saysOfSending("asks-for-no-sender-id", "G-IKEV2-56", "0 in GROUP_SENDER", (notice) => {
    notice.data = u32(0);
  }),
  saysOfSending("asks-for-one-sender-id", "G-IKEV2-56", "1 in GROUP_SENDER", (notice) => {
    notice.data = u32(1);
  }),
  groupDecides("writes-its-sender-id-at-the-end-of-the-iv", "G-IKEV2-60", "the counter is in front", {
    "place of the Sender-ID": "bottom of the IV",
  }),
  groupDecides("uses-sender-ids-that-are-too-large", "G-IKEV2-59", "cuts them off", {
    "Sender-ID too large": "use",
  }),
  lie("never-registers-a-second-time", "G-IKEV2-59", "no request after the first", () => {
    let first: OutgoingMessage | undefined;
    return {
      ike: {
        outgoing: (message) => {
          if (message.isResponse || !REGISTERING.includes(message.header.exchangeType)) return;
          first ??= message;
          if (message !== first) message.octets = () => [];
        },
      },
    };
  }),
  reads("counts-sender-ids-itself", "G-IKEV2-60", "sends with Sender-ID 0 always", (payloads) => {
    const bags = payloads.flatMap((p) => (p.kind === "KD" ? p.bags : []));
    for (const { attributes } of bags.filter(({ kind }) => kind === "member"))
      for (const attribute of attributes)
        if (attribute.type === MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID) attribute.value = u32(0);
  }),
];

const isFarewell = (payloads: Payload[]): boolean =>
  [NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.REGISTRATION_FAILED].some((type) => hasNotify(payloads, type));

const policies = [
  asks("leaves-without-naming-the-group", "G-IKEV2-11", "the error alone, without IDg", (message) => {
    if (isFarewell(message.payloads)) message.payloads = message.payloads.filter((p) => !isIdg(p));
  }),
];

/** Opens wrapped keys in its own way. */
const unwraps = (name: string, breaks: string, effect: string, unwrap: (own: Unwrap) => Unwrap): Lie =>
  lie(name, breaks, effect, () => ({ group: { unwrap } }));

/** What is in a wrapped key, with so many octets from the end in front. */
const turnedBy =
  (octets: number): ((own: Unwrap) => Unwrap) =>
  (own) =>
  (kek, wrapped) => {
    const key = own(kek, wrapped);
    return key && concat(key.subarray(-octets), key.subarray(0, -octets));
  };

const keys = [
  unwraps(
    "wraps-with-keys-of-16-octets-at-most",
    "G-IKEV2-65",
    "half of GSK_w",
    (own) => (kek, wrapped) => own(kek.subarray(0, 16), wrapped),
  ),
  unwraps(
    "wraps-with-keys-of-32-octets-only",
    "G-IKEV2-65",
    "GSK_w and zeros",
    (own) => (kek, wrapped) => own(concat(kek, new Uint8Array(32)).subarray(0, 32), wrapped),
  ),
  unwraps("takes-the-salt-first", "G-IKEV2-70", "the last four octets as key", turnedBy(4)),
  unwraps("takes-integrity-keys-first", "G-IKEV2-70", "the last 32 octets as key", turnedBy(32)),
];

export const groupRegistrationLies: readonly Lie[] = [
  ...exchanges,
  ...sender,
  ...sag,
  ...sas,
  ...senderIds,
  ...policies,
  ...keys,
];
