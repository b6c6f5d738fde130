/** Planted breaches: additional key exchanges, ML-KEM and FrodoKEM, preshared keys. */
import { concat } from "../../../wire/bytes.ts";
import { EXCHANGE } from "../../../wire/registry/exchange-types.ts";
import { KE } from "../../../wire/registry/ke.ts";
import { NOTIFY } from "../../../wire/registry/notify-types.ts";
import { TRANSFORM } from "../../../wire/registry/transform-types.ts";
import type { NotifyPayload, Payload, Proposal } from "../../../wire/types.ts";
import type { Seen } from "../../seen.ts";
import {
  announcing,
  authenticating,
  capture,
  espProposal,
  exchange,
  ikeProposal,
  init,
  type Planted,
  type Said,
  sa,
  transform,
} from "./by-hand.ts";
import { auth, ke, notify, octets } from "./payloads.ts";

const SUPPORTED = notify(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
const { ADDKE1, ADDKE2 } = TRANSFORM;

/** The proposal of an IKE SA with these additional key exchanges. */
const hybrid = (...methods: (readonly [type: number, id: number])[]): Proposal =>
  ikeProposal(...methods.map(([type, method]) => transform(type, method)));

/** IKE_SA_INIT with an offer and a choice. */
function agreeing(
  offer: Proposal,
  choice = offer,
  request: Payload[] = [SUPPORTED],
  response = request,
): Said[] {
  const [asked, answered] = init(request, response, offer);
  if (!asked || !answered) throw new Error("IKE_SA_INIT has two messages");
  return [asked, { ...answered, payloads: [sa(choice), ...answered.payloads.slice(1)] }];
}

const TWO = hybrid([ADDKE1, KE.ECP256], [ADDKE2, KE.ECP384]);
const round = (messageId: number, method: number, answer = method): Said[] =>
  exchange(EXCHANGE.IKE_INTERMEDIATE, messageId, [ke(method)], [ke(answer)]);
const honest = capture(
  ...agreeing(TWO),
  ...round(1, KE.ECP256),
  ...round(2, KE.ECP384),
  ...authenticating(undefined, undefined, 3),
);

const negotiation: Planted[] = [
  ["additional-key-exchange-offered-unannounced", "MKE-15", capture(...agreeing(TWO, TWO, [])), honest],
  [
    "additional-key-exchange-chosen-unannounced",
    "MKE-16",
    capture(...agreeing(TWO, TWO, [SUPPORTED], [])),
    honest,
  ],
  [
    "additional-key-exchange-not-negotiable",
    "MKE-17",
    capture(...agreeing(TWO, TWO, [], [SUPPORTED])),
    honest,
  ],
  [
    "additional-type-not-chosen-once",
    "MKE-05",
    capture(...agreeing(TWO, hybrid([ADDKE1, KE.ECP256]))),
    capture(
      ...agreeing(
        hybrid([ADDKE1, KE.ECP256], [ADDKE2, KE.ECP384], [ADDKE2, KE.NONE]),
        hybrid([ADDKE1, KE.ECP256]),
      ),
    ),
  ],
  ["additional-type-not-offered", "MKE-14", capture(...agreeing(hybrid([ADDKE1, KE.ECP256]), TWO)), honest],
  [
    "additional-method-chosen-twice",
    "MKE-07",
    capture(...agreeing(hybrid([ADDKE1, KE.ECP256], [ADDKE2, KE.ECP256]))),
    honest,
  ],
  [
    "intermediate-on-repeated-choice",
    "MKE-10",
    capture(...agreeing(hybrid([ADDKE1, KE.ECP256], [ADDKE2, KE.ECP256])), ...round(1, KE.ECP256)),
    honest,
  ],
  [
    "authentication-before-last-round",
    "MKE-03",
    capture(...agreeing(TWO), ...authenticating(undefined, undefined, 2)),
    honest,
  ],
  ["round-not-as-agreed", "MKE-03", capture(...agreeing(TWO), ...round(1, KE.ECP384)), honest],
  ["round-not-as-agreed", "MKE-20", capture(...agreeing(TWO), ...round(1, KE.ECP256, KE.ECP521)), honest],
  [
    "round-not-as-agreed",
    "MKE-19",
    capture(...agreeing(hybrid([ADDKE1, KE.ECP256])), ...round(1, KE.ECP256), ...round(2, KE.ECP384)),
    honest,
  ],
];

const link = (...octetsOfIt: number[]): NotifyPayload =>
  notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, Uint8Array.from(octetsOfIt));
const lost = (data?: Uint8Array): Payload => notify(NOTIFY.STATE_NOT_FOUND, data);
const WITH_TWO = espProposal([
  ...espProposal().transforms,
  transform(ADDKE1, KE.ECP256),
  transform(ADDKE2, KE.ECP384),
]);

/** A Child SA with two additional key exchanges is asked for, and then: */
const series = (first: Payload[], ...more: Said[]): Seen[] =>
  capture(
    ...[...announcing(), ...authenticating()],
    ...exchange(EXCHANGE.CREATE_CHILD_SA, 2, [sa(WITH_TWO)], [sa(WITH_TWO), ...first]),
    ...more,
  );
const step = (messageId: number, request: Payload[], response?: Payload[]): Said[] =>
  exchange(EXCHANGE.IKE_FOLLOWUP_KE, messageId, request, response);

const whole = series(
  [link(1)],
  ...step(3, [ke(KE.ECP256), link(1)], [ke(KE.ECP256), link(2)]),
  ...step(4, [ke(KE.ECP384), link(2)], [ke(KE.ECP384)]),
);

const seriesCases: Planted[] = [
  ["link-with-protocol-or-spi", "MKE-30", series([{ ...link(1), protocolId: 3 }]), whole],
  [
    "state-not-found-with-data",
    "MKE-33a",
    series([link(1)], ...step(3, [link(1)], [lost(octets(1))])),
    whole,
  ],
  ["follow-up-not-as-agreed", "MKE-29", series([link(1)], ...step(3, [ke(KE.ECP256), link(9)])), whole],
  ["follow-up-not-as-agreed", "MKE-25", series([link(1)], ...step(3, [link(1)])), whole],
  ["follow-up-not-as-agreed", "MKE-27", series([]), whole],
  [
    "follow-up-not-as-agreed",
    "MKE-28",
    series(
      [link(1)],
      ...step(3, [ke(KE.ECP256), link(1)], [ke(KE.ECP256), link(2)]),
      ...step(4, [ke(KE.ECP384), link(2)], [ke(KE.ECP384), link(3)]),
    ),
    whole,
  ],
  ["follow-up-not-as-agreed", "MKE-31", series([link(1)], ...step(3, [ke(KE.ECP384), link(1)])), whole],
  [
    "follow-up-not-as-agreed",
    "MKE-35",
    series([link(1)], ...step(3, [ke(KE.ECP256), link(1)], [lost()]), ...step(4, [ke(KE.ECP256), link(1)])),
    whole,
  ],
];

const KEM = hybrid([ADDKE1, KE.ML_KEM_512]);
const FRODO = hybrid([ADDKE1, KE.FRODOKEM_976_AES]);
const exchanged = (suite: Proposal, method: number, request: Uint8Array, response: Uint8Array): Said[] => [
  ...agreeing(suite),
  ...exchange(EXCHANGE.IKE_INTERMEDIATE, 1, [ke(method, request)], [ke(method, response)]),
];
const kem = (request = octets(800), response = octets(768, 2)): Said[] =>
  exchanged(KEM, KE.ML_KEM_512, request, response);
/** A second key exchange behind the first. */
const second = (key: Uint8Array, ciphertext: Uint8Array): Said[] => [
  ...kem(),
  ...exchange(EXCHANGE.CREATE_CHILD_SA, 2, [ke(KE.ML_KEM_512, key)], [ke(KE.ML_KEM_512, ciphertext)]),
];

const kems: Planted[] = [
  [
    "modp-value-of-round-not-padded",
    "IKEV2-253",
    capture(...exchanged(hybrid([ADDKE1, KE.MODP2048]), KE.MODP2048, octets(255), octets(256))),
    capture(...exchanged(hybrid([ADDKE1, KE.MODP2048]), KE.MODP2048, octets(256), octets(256))),
  ],
  ["ml-kem-value-of-wrong-length", "MLKEM-03", capture(...kem(octets(802))), capture(...kem())],
  [
    "ml-kem-key-not-reduced",
    "MLKEM-01",
    capture(...kem(octets(800, 0xff))),
    capture(...kem(octets(800, 0x0c))),
  ],
  [
    "ml-kem-value-used-again",
    "MLKEM-16",
    capture(...second(octets(800), octets(768, 3))),
    capture(...second(octets(800, 1), octets(768, 3))),
  ],
  [
    "ml-kem-value-used-again",
    "MLKEM-16a",
    capture(...second(octets(800, 1), octets(768, 2))),
    capture(...second(octets(800, 1), octets(768, 3))),
  ],
  [
    "frodokem-ciphertext-of-wrong-length",
    "FRODO-04",
    capture(...exchanged(FRODO, KE.FRODOKEM_976_AES, octets(15632), octets(15790))),
    capture(...exchanged(FRODO, KE.FRODOKEM_976_AES, octets(15632), octets(15792))),
  ],
];

const { USE_PPK, PPK_IDENTITY, NO_PPK_AUTH, USE_PPK_INT, PPK_IDENTITY_KEY } = NOTIFY;
const ID = Uint8Array.of(2, 0x61);
const named = notify(PPK_IDENTITY, ID);
const mixing = (
  request: Payload[],
  response: Payload[] = [auth(), notify(PPK_IDENTITY)],
  announced: Said[] = announcing(USE_PPK),
): Seen[] => capture(...announced, ...authenticating(request, response));
const mixed = mixing([auth(), named, notify(NO_PPK_AUTH, octets(32, 1))]);
const withNotify = (type: number, data?: Uint8Array): Seen[] => capture(...init([notify(type, data)]));

/** A request, and the same again with a cookie and without a notify. */
const withCookie = (type: number, ...kept: Payload[]): Seen[] => {
  const [first] = init([notify(type)]);
  const [again] = init([notify(NOTIFY.COOKIE, octets(8)), ...kept]);
  if (!first || !again) throw new Error("IKE_SA_INIT has a request");
  return capture(first, again);
};

const ppks: Planted[] = [
  ["use-ppk-not-empty", "PPK-03", withNotify(USE_PPK, octets(1)), withNotify(USE_PPK)],
  ["no-ppk-auth-malformed", "PPK-13", mixing([auth(), named, notify(NO_PPK_AUTH)]), mixed],
  ["use-ppk-lost-with-cookie", "PPK-02", withCookie(USE_PPK), withCookie(USE_PPK, notify(USE_PPK))],
  ["ppk-identity-malformed", "PPK-10", mixing([auth(), { ...named, protocolId: 3 }]), mixed],
  ["ppk-identity-malformed", "PPK-23", mixing([auth(), notify(PPK_IDENTITY, octets(2, 0x61))]), mixed],
  ["ppk-identity-of-response-not-empty", "PPK-18", mixing([auth(), named], [auth(), named]), mixed],
  ["ppk-not-agreed-on", "PPK-07", mixing([auth(), named], [], init([notify(USE_PPK)])), mixed],
  ["ppk-identity-missing", "PPK-10", mixing([auth()]), mixed],
  ["ppk-identity-before-auth", "PPK-22", mixing([named]), mixed],
  [
    "no-ppk-auth-not-of-auth-method",
    "PPK-13",
    mixing([auth(), named, notify(NO_PPK_AUTH, octets(32, 9))]),
    mixed,
  ],
  [
    "no-ppk-auth-not-of-auth-method",
    "PPK-12",
    mixing([auth(), named, notify(NO_PPK_AUTH, octets(31))]),
    mixed,
  ],
];

const EARLY = announcing(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, USE_PPK_INT);
const offer = notify(PPK_IDENTITY_KEY, concat(ID, octets(8)));
const early = (request: Payload[], response: Payload[] = [], announced = EARLY): Said[] => [
  ...announced,
  ...exchange(EXCHANGE.IKE_INTERMEDIATE, 1, request, response),
];
const chosen = capture(...early([offer], [named]), ...authenticating(undefined, undefined, 2));
const later = (response: Payload): Seen[] =>
  capture(...EARLY, ...exchange(EXCHANGE.CREATE_CHILD_SA, 2, [offer], [response]));
const other = notify(PPK_IDENTITY, Uint8Array.of(2, 0x62));
const KEPT = [notify(USE_PPK_INT), SUPPORTED];

const earlyPpks: Planted[] = [
  ["use-ppk-int-not-empty", "PPKINT-02", withNotify(USE_PPK_INT, octets(1)), withNotify(USE_PPK_INT)],
  ["use-ppk-int-alone", "PPKINT-01", withNotify(USE_PPK_INT), capture(...EARLY)],
  ["use-ppk-int-alone", "PPKINT-04", capture(...init([], [notify(USE_PPK_INT)])), capture(...EARLY)],
  [
    "both-ways-of-ppks-returned",
    "PPKINT-07",
    capture(...announcing(USE_PPK, USE_PPK_INT)),
    capture(...EARLY),
  ],
  [
    "ppk-identity-key-malformed",
    "PPKINT-09",
    capture(...early([notify(PPK_IDENTITY_KEY, octets(8))])),
    chosen,
  ],
  ["early-ppks-not-agreed-on", "PPKINT-09", capture(...early([offer], [], announcing(USE_PPK))), chosen],
  [
    "no-early-ppk-offered",
    "PPKINT-09",
    capture(...early([]), ...authenticating(undefined, undefined, 2)),
    chosen,
  ],
  [
    "early-ppks-before-last-exchange",
    "PPKINT-10",
    capture(...early([offer], [named]), ...exchange(EXCHANGE.IKE_INTERMEDIATE, 2, [])),
    chosen,
  ],
  ["ppk-chosen-that-was-not-offered", "PPKINT-14", capture(...early([offer], [other])), chosen],
  ["ppk-chosen-that-was-not-offered", "PPKINT-28", later(other), later(named)],
  [
    "ppk-named-again-in-ike-auth",
    "PPKINT-25",
    capture(...early([offer], [named]), ...authenticating([auth(), named], [], 2)),
    chosen,
  ],
  ["use-ppk-int-lost-with-cookie", "PPKINT-01", withCookie(USE_PPK_INT), withCookie(USE_PPK_INT, ...KEPT)],
];

export const plantedInKeyExchanges: readonly Planted[] = [
  ...negotiation,
  ...seriesCases,
  ...kems,
  ...ppks,
  ...earlyPpks,
];
