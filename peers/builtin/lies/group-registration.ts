/** Lies of members of groups about how they register, and what they make of it. */
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notifies, notify } from "../../../harness/ike/payloads.ts";
import { u32 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { IdPayload, Payload, Proposal, TsPayload } from "../../../harness/wire/types.ts";
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

const withoutKeyWrap = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.filter(({ type }) => type !== TRANSFORM.KWA),
});

const exchanges = [
  lie("offers-no-key-wrap-algorithm", "G-IKEV2-05", "SAi1 without transform type 13", () => ({
    policy: (policy) => {
      policy.ike = policy.ike.map(withoutKeyWrap);
    },
  })),
  asks("registers-by-ike-auth", "G-IKEV2-07", "exchange type 35", ({ header }) => {
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
  asks("names-every-group-by-id-null", "G-IKEV2-71", "IDg of type 13 without data", ({ payloads }) => {
    for (const p of payloads.filter(isIdg))
      Object.assign(p, { idType: ID_TYPE.ID_NULL, data: new Uint8Array(0) });
  }),
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
  saysOfSending("writes-group-sender-in-one-octet", "G-IKEV2-104", "a number in one octet", (notice) => {
    notice.data = notice.data.slice(-1);
  }),
  saysOfSending("gives-group-sender-a-protocol", "G-IKEV2-103", "Protocol ID 3", (notice) => {
    notice.protocolId = PROTOCOL.ESP;
  }),
  asks("says-that-it-sends-though-it-does-not", "G-IKEV2-08", "GROUP_SENDER always", ({ payloads }) => {
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
  offers("writes-spis-into-sag", "G-IKEV2-14", "SPIs of 4 octets", (proposal) => ({
    ...proposal,
    spi: Uint8Array.of(1, 2, 3, 4),
  })),
  offers(
    "names-no-key-wrap-algorithm-in-sag",
    "G-IKEV2-102",
    "no transform type 13 for protocol 6",
    withoutKeyWrap,
  ),
];

export const groupRegistrationLies: readonly Lie[] = [...exchanges, ...sender, ...sag];
