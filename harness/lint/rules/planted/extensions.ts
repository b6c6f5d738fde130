/** Planted breaches: fragments, signatures, IKE_INTERMEDIATE, and the small extensions. */
import { concat, fromHex, u16 } from "../../../wire/bytes.ts";
import { EXCHANGE } from "../../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../wire/registry/payload-types.ts";
import type { Payload } from "../../../wire/types.ts";
import type { Seen } from "../../seen.ts";
import {
  announcing,
  authenticating,
  capture,
  espProposal,
  exchange,
  id,
  init,
  type Planted,
  type Said,
  sa,
} from "./by-hand.ts";
import { auth, ke, notify, octets } from "./payloads.ts";

const FRAGMENTED = announcing(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED);
const request: Said = { exchange: EXCHANGE.IKE_AUTH, id: 1, payloads: [id(), auth()] };

const inFragments = (fragments: Said["fragments"] = [{}, {}], over: Partial<Said> = {}): Seen[] =>
  capture(...FRAGMENTED, { ...request, fragments, ...over });

const whole = inFragments();
const synchronising = { payloads: [notify(NOTIFY.IKEV2_MESSAGE_ID_SYNC, octets(8))] };

/** The same message in so many fragments, one time after the other. */
const again = (...totals: number[]): Seen[] =>
  capture(
    ...FRAGMENTED,
    ...totals.map((total) => ({ ...request, fragments: Array.from({ length: total }, () => ({})) })),
  );

const withNotify = (type: number, data?: Uint8Array, over = {}): Seen[] =>
  capture(...init([notify(type, data, over)]));
const FRAGMENTATION = NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED;

const fragmentation: Planted[] = [
  [
    "fragment-before-keys",
    "IKEFRAG-01",
    capture({ ...request, exchange: EXCHANGE.IKE_SA_INIT, id: 0, fragments: [{}, {}] }),
    whole,
  ],
  [
    "fragmentation-notify-not-empty",
    "IKEFRAG-04",
    withNotify(FRAGMENTATION, octets(1)),
    withNotify(FRAGMENTATION),
  ],
  ["fragments-not-negotiated", "IKEFRAG-06", capture(...init(), { ...request, fragments: [{}, {}] }), whole],
  ["payload-behind-fragment", "IKEFRAG-15", inFragments([{ length: 100 }, {}]), whole],
  ["fragment-number-out-of-range", "IKEFRAG-18", inFragments([{ fragmentNumber: 0 }]), whole],
  ["first-fragment-names-no-payload", "IKEFRAG-16", inFragments([{ innerType: 0 }, {}]), whole],
  ["later-fragment-names-payload", "IKEFRAG-17", inFragments([{}, { innerType: 35 }]), whole],
  ["clear-payload-in-later-fragment", "IKEFRAG-29", inFragments([{}, { before: notify(1) }]), whole],
  ["fragment-headers-differ", "IKEFRAG-19", inFragments([{}, { flags: 0x18 }]), whole],
  [
    "synchronisation-in-fragments",
    "IKEFRAG-44",
    inFragments(undefined, synchronising),
    capture({ ...request, ...synchronising }),
  ],
  [
    "fragments-share-iv",
    "IKEFRAG-14",
    inFragments([{ data: octets(160, 1) }, { data: octets(160, 1) }]),
    whole,
  ],
  ["fewer-fragments-than-before", "IKEFRAG-25", again(3, 2), again(2, 3, 2)],
];

const SHA256 = u16(2);
const HASHES = NOTIFY.SIGNATURE_HASH_ALGORITHMS;
const listing = (initiator: Uint8Array, responder = initiator): Said[] =>
  init([notify(HASHES, initiator)], [notify(HASHES, responder)]);

const signed = (identifier: string, signature = 64): Payload => {
  const der = fromHex(identifier);
  return auth(14, concat(Uint8Array.of(der.length), der, octets(signature, 3)));
};

const RSA_SHA256 = "300d06092a864886f70d01010b0500";
const RSA_SHA1 = "300d06092a864886f70d0101050500";
const ED25519 = "300506032b6570";
const proving = (by: Payload, init_: Said[] = listing(SHA256)): Seen[] =>
  capture(...init_, ...authenticating([by]));
const rsa = proving(signed(RSA_SHA256));
const eddsa = proving(signed(ED25519), listing(concat(SHA256, u16(5))));
const PSS_SHA512 =
  "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140";

const signatures: Planted[] = [
  ["signature-method-not-announced", "SIGAUTH-01", proving(signed(RSA_SHA256), init()), rsa],
  ["old-signature-method", "SIGAUTH-02", proving(auth(1)), proving(auth(1), init())],
  ["old-signature-method", "SIGAUTH-02", proving(auth(1)), proving(auth(1), listing(SHA256, octets(3)))],
  ["signature-data-malformed", "SIGAUTH-03", proving(auth(14, fromHex("0f300c06092a86"))), rsa],
  [
    "signature-hash-not-listed",
    "SIGAUTH-11",
    proving(signed(PSS_SHA512)),
    proving(signed(PSS_SHA512), listing(u16(4))),
  ],
  ["signature-hash-not-listed", "SIGAUTH-21", proving(signed(ED25519)), eddsa],
  ["eddsa-used-and-not-listed", "SIGAUTH-24", proving(signed(ED25519), listing(SHA256, u16(5))), eddsa],
  ["eddsa-identifier-with-parameters", "SIGAUTH-27", proving(signed("300706032b65700500")), eddsa],
  ["eddsa-signature-of-wrong-length", "SIGAUTH-03", proving(signed(ED25519, 65)), eddsa],
  ["signature-with-sha1", "SIGAUTH-30", proving(signed(RSA_SHA1), listing(u16(1))), rsa],
  ["sha1-listed", "SIGAUTH-30", capture(...listing(concat(SHA256, u16(1)))), capture(...listing(SHA256))],
  ["hash-list-malformed", "SIGAUTH-09", capture(...listing(octets(3))), capture(...listing(SHA256))],
  ["hash-list-outside-of-ike-sa-init", "SIGAUTH-09", proving(notify(HASHES, SHA256)), rsa],
];

const SUPPORTED = NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;
const INTERMEDIATE = announcing(SUPPORTED);
const round = (messageId: number, over: Partial<Said> = {}): Said => ({
  ...{ exchange: EXCHANGE.IKE_INTERMEDIATE, id: messageId, payloads: [notify(NOTIFY.COOKIE)] },
  ...over,
});
const oneRound = capture(
  ...INTERMEDIATE,
  round(1),
  round(1, { response: true }),
  ...authenticating(undefined, undefined, 2),
);

const intermediate: Planted[] = [
  [
    "intermediate-notify-not-empty",
    "INT-03",
    withNotify(SUPPORTED, undefined, { protocolId: 1 }),
    withNotify(SUPPORTED),
  ],
  ["intermediate-not-negotiated", "INT-05", capture(...init([notify(SUPPORTED)]), round(1)), oneRound],
  ["intermediate-in-clear", "INT-13", capture(...INTERMEDIATE, round(1, { inClear: true })), oneRound],
  [
    "key-exchange-in-front-of-sk",
    "INT-14",
    capture(...INTERMEDIATE, round(1, { before: [ke(31)] })),
    oneRound,
  ],
  ["intermediate-message-id-skipped", "INT-10", capture(...INTERMEDIATE, round(0)), oneRound],
  [
    "ike-auth-with-used-message-id",
    "INT-10a",
    capture(...INTERMEDIATE, round(1), ...authenticating()),
    oneRound,
  ],
  [
    "intermediate-after-ike-auth",
    "INT-08",
    capture(...INTERMEDIATE, ...authenticating(), round(2)),
    oneRound,
  ],
];

const CHILDLESS = NOTIFY.CHILDLESS_IKEV2_SUPPORTED;
const INVITED = init([], [notify(CHILDLESS)]);
const childless = capture(...INVITED, ...authenticating([auth()], [auth()]));
const anonymous = (data: Uint8Array): Seen[] =>
  capture(...exchange(EXCHANGE.IKE_AUTH, 1, [id(PAYLOAD.IDi, 13, data), auth(13)]));
const ts = (type: number): Payload => ({ kind: "TS", type, selectors: [] });
const ASKING: Payload[] = [auth(), sa(espProposal()), ts(PAYLOAD.TSi), ts(PAYLOAD.TSr)];
const EAP_ONLY = NOTIFY.EAP_ONLY_AUTHENTICATION;
const eap: Payload = { kind: "EAP", type: PAYLOAD.EAP, code: 1, identifier: 1, data: octets(1, 4) };

const small: Planted[] = [
  ["eap-only-notify-not-empty", "EAPONLY-02", withNotify(EAP_ONLY, octets(1)), withNotify(EAP_ONLY)],
  [
    "childless-notify-malformed",
    "CHILDLESS-08",
    withNotify(CHILDLESS, undefined, { spi: octets(4) }),
    withNotify(CHILDLESS),
  ],
  ["childless-not-announced", "CHILDLESS-04", capture(...init(), ...authenticating([auth()])), childless],
  [
    "childless-with-child-payloads",
    "CHILDLESS-10",
    capture(...INVITED, ...authenticating([auth(), notify(NOTIFY.USE_TRANSPORT_MODE)])),
    childless,
  ],
  [
    "childless-answered-with-sa",
    "CHILDLESS-05",
    capture(...INVITED, ...authenticating([auth()], [auth(), sa(espProposal())])),
    childless,
  ],
  [
    "answered-childless",
    "CHILDLESS-06",
    capture(...INVITED, ...authenticating(ASKING, [auth()])),
    capture(...INVITED, ...authenticating(ASKING, [auth(), notify(NOTIFY.NO_PROPOSAL_CHOSEN)])),
  ],
  ["id-null-with-data", "NULLAUTH-06", anonymous(octets(1)), anonymous(octets(0))],
  [
    "null-beside-eap",
    "NULLAUTH-02",
    capture(...init(), ...authenticating([], [auth(13), eap])),
    capture(...init(), ...authenticating([], [auth(1), eap])),
  ],
];

export const plantedInExtensions: readonly Planted[] = [
  ...fragmentation,
  ...signatures,
  ...intermediate,
  ...small,
];
