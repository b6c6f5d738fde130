/** Bad input of peers with post-quantum key exchanges, for tests: what it is, and how it must be answered. */
import type { PeerConfig } from "../../peers/contract.ts";
import type { Extension } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import type { Policy } from "../ike/policy.ts";
import type { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { KE } from "../wire/registry/ke.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { KePayload, Payload } from "../wire/types.ts";
import { SHARED } from "./ppk-lab.ts";

export const HYBRID: Partial<PeerConfig> = {
  ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_ecp384"],
  espProposals: ["aes256gcm16-x25519-ke1_mlkem768-ke2_ecp384"],
};
const FRODO: Partial<PeerConfig> = { ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_frodoa1"] };
const KEM_ALONE: Partial<PeerConfig> = { ikeProposals: ["aes256gcm16-prfsha256-mlkem768"] };
export const PLAIN: Partial<PeerConfig> = { ikeProposals: ["aes256gcm16-prfsha256-x25519"] };

export type Change = (payloads: Payload[]) => Payload[];

const changeKe =
  (change: (ke: KePayload) => KePayload[]): Change =>
  (payloads) =>
    payloads.flatMap((p): Payload[] => (p.kind === "KE" ? change(p) : [p]));
export const withData = (change: (data: Uint8Array) => Uint8Array): Change =>
  changeKe((ke) => [{ ...ke, data: change(Uint8Array.from(ke.data)) }]);

export const shorter = withData((data) => data.subarray(1));
export const longer = withData((data) => Uint8Array.of(...data, 0));
/** The first coefficient of an ML-KEM key is 4095 then, which is not below 3329. */
const offModulus = withData((data) => data.fill(0xff, 0, 2));
/** No point of the curve has these coordinates. */
const offCurve = withData((data) => data.fill(1));
export const ofOtherMethod = changeKe((ke) => [{ ...ke, group: KE.ML_KEM_1024 }]);
export const twice = changeKe((ke) => [ke, ke]);
export const leftOut = changeKe(() => []);
const critical: Change = (payloads) => [
  { kind: "raw", type: 99, critical: true, data: new Uint8Array(4) },
  ...payloads,
];

const changeNotify =
  (type: number, change: (data: Uint8Array) => Uint8Array[]): Change =>
  (payloads) =>
    payloads.flatMap((p): Payload[] =>
      p.kind === "Notify" && p.notifyType === type ? change(p.data).map((data) => notify(type, data)) : [p],
    );
export const changeLink = (change: (link: Uint8Array) => Uint8Array[]): Change =>
  changeNotify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, change);
export const flipped = (data: Uint8Array): Uint8Array => Uint8Array.from(data, (octet) => octet ^ 0xff);

/** Changes our message of this exchange, the `nth` of them from 0. */
export function spoils(exchangeType: number, change: Change, nth = 0): Extension {
  let count = 0;
  return {
    name: "bad input",
    outgoing: (message) => {
      if (message.header.exchangeType !== exchangeType || count++ !== nth) return;
      message.payloads = change(message.payloads);
    },
  };
}

export interface Row {
  what: string;
  /** Where the answer is written. */
  text: string;
  config?: Partial<PeerConfig>;
  /** Of both ends. */
  policy?: Partial<Policy>;
  /** In which of our messages, and there in the first of them unless told. */
  exchange: keyof typeof EXCHANGE;
  nth?: number;
  change: Change;
  /** The error the peer answers with; undefined if nothing may be said. */
  answer: keyof typeof NOTIFY | undefined;
}

const ROUND: Pick<Row, "text" | "exchange"> = {
  text: "RFC 9370 section 2.2.2, RFC 7296 section 2.21",
  exchange: "IKE_INTERMEDIATE",
};
const KEM: Pick<Row, "text" | "exchange" | "answer"> = {
  ...ROUND,
  text: "draft-ietf-ipsecme-ikev2-mlkem section 2.2",
  answer: "INVALID_SYNTAX",
};
const PPK: Pick<Row, "config" | "exchange" | "answer" | "policy"> = {
  ...{ config: PLAIN, exchange: "IKE_AUTH", answer: "AUTHENTICATION_FAILED" },
  policy: { ppks: [SHARED], ppkRequired: true },
};

/** What ends the IKE SA that is being set up. */
export const BEFORE: Row[] = [
  { ...KEM, what: "an ML-KEM key that is too short", change: shorter },
  { ...KEM, what: "an ML-KEM key that is too long", change: longer },
  { ...KEM, what: "an ML-KEM key off the modulus", change: offModulus },
  {
    ...KEM,
    what: "an ML-KEM key off the modulus, alone",
    config: KEM_ALONE,
    exchange: "IKE_SA_INIT",
    change: offModulus,
  },
  {
    ...KEM,
    what: "an ML-KEM key too short, alone",
    config: KEM_ALONE,
    exchange: "IKE_SA_INIT",
    change: shorter,
  },
  {
    ...ROUND,
    what: "a FrodoKEM key that is too short",
    config: FRODO,
    change: shorter,
    answer: "INVALID_SYNTAX",
  },
  {
    ...ROUND,
    what: "a FrodoKEM key that is too long",
    config: FRODO,
    change: longer,
    answer: "INVALID_SYNTAX",
  },
  { ...ROUND, what: "a point that is too short", nth: 1, change: shorter, answer: "INVALID_SYNTAX" },
  { ...ROUND, what: "a point off the curve", nth: 1, change: offCurve, answer: "INVALID_SYNTAX" },
  { ...ROUND, what: "a method that was not negotiated", change: ofOtherMethod, answer: "INVALID_SYNTAX" },
  { ...ROUND, what: "two KE payloads", change: twice, answer: "INVALID_SYNTAX" },
  { ...ROUND, what: "no KE payload", change: leftOut, answer: "INVALID_SYNTAX" },
  {
    ...ROUND,
    what: "an unknown critical payload",
    text: "RFC 7296 section 2.5",
    change: critical,
    answer: "UNSUPPORTED_CRITICAL_PAYLOAD",
  },
  {
    ...{
      what: "ADDKE without INTERMEDIATE_EXCHANGE_SUPPORTED",
      text: "RFC 9370 section 2.2.1",
      exchange: "IKE_SA_INIT",
    },
    change: changeNotify(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, () => []),
    answer: "NO_PROPOSAL_CHOSEN",
  },
  {
    ...{ what: "one method for two types", text: "RFC 9370 section 2.2.1", exchange: "IKE_SA_INIT" },
    change: (payloads) =>
      payloads.map((p) =>
        p.kind === "SA"
          ? {
              ...p,
              proposals: p.proposals.map((proposal) => ({
                ...proposal,
                transforms: proposal.transforms.map((t) => (t.type === 7 ? { ...t, id: KE.ML_KEM_768 } : t)),
              })),
            }
          : p,
      ),
    answer: "NO_PROPOSAL_CHOSEN",
  },
  {
    ...PPK,
    what: "no PPK_IDENTITY",
    text: "RFC 8784 section 3",
    change: changeNotify(NOTIFY.PPK_IDENTITY, () => []),
  },
  {
    ...PPK,
    what: "an empty PPK_IDENTITY",
    text: "RFC 8784 section 3",
    change: changeNotify(NOTIFY.PPK_IDENTITY, () => [new Uint8Array()]),
  },
  {
    ...PPK,
    what: "a PPK_ID of a type alone",
    text: "RFC 8784 section 5.1",
    change: changeNotify(NOTIFY.PPK_IDENTITY, (id) => [id.subarray(0, 1)]),
  },
  {
    ...PPK,
    what: "an unknown PPK_ID of 60,000 octets",
    text: "RFC 8784 section 3",
    change: changeNotify(NOTIFY.PPK_IDENTITY, () => [new Uint8Array(60_000)]),
  },
  {
    ...{
      ...PPK,
      policy: { ppks: [SHARED] },
      what: "a wrong NO_PPK_AUTH where the PPK is unknown",
      text: "RFC 8784 section 3",
    },
    change: (payloads) =>
      changeNotify(NOTIFY.NO_PPK_AUTH, (auth) => [flipped(auth)])(
        changeNotify(NOTIFY.PPK_IDENTITY, (id) => [flipped(id)])(payloads),
      ),
  },
  {
    ...{ ...PPK, what: "PPK_IDENTITY_KEY with a wrong confirmation", text: "RFC 9867 section 3.1" },
    policy: { ppks: [SHARED], ppkRequired: true, ppkIn: ["IKE_INTERMEDIATE"] },
    exchange: "IKE_INTERMEDIATE",
    change: changeNotify(NOTIFY.PPK_IDENTITY_KEY, (data) => [flipped(data)]),
  },
  {
    ...{ ...PPK, what: "PPK_IDENTITY_KEY of 8 octets", text: "RFC 9867 section 3.1" },
    policy: { ppks: [SHARED], ppkRequired: true, ppkIn: ["IKE_INTERMEDIATE"] },
    exchange: "IKE_INTERMEDIATE",
    change: changeNotify(NOTIFY.PPK_IDENTITY_KEY, (data) => [data.subarray(0, 8)]),
  },
];

const LINK = {
  text: "RFC 9370 section 2.2.4",
  exchange: "IKE_FOLLOWUP_KE",
  answer: "STATE_NOT_FOUND",
} as const;
const FOLLOW_UP = {
  ...LINK,
  text: "RFC 9370 section 2.2.4, RFC 7296 section 2.21.3",
  answer: "INVALID_SYNTAX",
} as const;

/** What comes in the rekeying of a Child SA. */
export const IN_A_SERIES: Row[] = [
  { ...LINK, what: "an altered link", change: changeLink((link) => [flipped(link)]) },
  { ...LINK, what: "a link cut short", change: changeLink((link) => [link.subarray(1)]) },
  { ...LINK, what: "a link with more octets", change: changeLink((link) => [Uint8Array.of(...link, 0)]) },
  { ...LINK, what: "an empty link", change: changeLink(() => [new Uint8Array()]) },
  { ...LINK, what: "a link of 60,000 octets", change: changeLink(() => [new Uint8Array(60_000)]) },
  { ...LINK, what: "no link", change: changeLink(() => []) },
  {
    ...LINK,
    what: "an altered link in the second exchange",
    nth: 1,
    change: changeLink((link) => [flipped(link)]),
  },
  { ...FOLLOW_UP, what: "a key that is too short", change: shorter },
  { ...FOLLOW_UP, what: "a key off the modulus", change: offModulus },
  { ...FOLLOW_UP, what: "a point off the curve in the second exchange", nth: 1, change: offCurve },
  { ...FOLLOW_UP, what: "a method that was not negotiated", change: ofOtherMethod },
  { ...FOLLOW_UP, what: "two KE payloads", change: twice },
  { ...FOLLOW_UP, what: "no KE payload", change: leftOut },
];
