/** Planted breaches: groups (RFC 9838). */
import { concat, u32 } from "../../../wire/bytes.ts";
import type { GroupKeyBag, GroupWidePolicy, GsaPolicy, MemberKeyBag } from "../../../wire/group-types.ts";
import { ENCR } from "../../../wire/registry/encr.ts";
import { EXCHANGE } from "../../../wire/registry/exchange-types.ts";
import { GSA_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../../../wire/registry/group-attributes.ts";
import { GCAUTH, KWA } from "../../../wire/registry/group-transforms.ts";
import { NOTIFY } from "../../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../wire/registry/transform-types.ts";
import type { Payload, TrafficSelector, Transform, TransformAttribute } from "../../../wire/types.ts";
import type { Seen } from "../../seen.ts";
import {
  capture,
  exchange,
  id,
  ikeProposal,
  init,
  type Planted,
  proposal,
  type Said,
  sa,
  transform,
} from "./by-hand.ts";
import { auth, notify, octets } from "./payloads.ts";

const { GSA_AUTH, GSA_REGISTRATION, GSA_REKEY, GSA_INBAND_REKEY } = EXCHANGE;
const WRAP = transform(TRANSFORM.KWA, KWA.KW_5649_256);
const BEGIN = init([], [], ikeProposal(WRAP));
const IDG = id(PAYLOAD.IDg, 11);
const SAG = sa(proposal(PROTOCOL.GIKE_UPDATE, [WRAP]));
const REQUEST: Payload[] = [id(), auth(), IDG, SAG];

const selector = (last: number, over: Partial<TrafficSelector> = {}): TrafficSelector => ({
  ...{ tsType: 7, ipProtocol: 17, startPort: 848, endPort: 848 },
  startAddress: Uint8Array.of(233, 252, 0, last),
  endAddress: Uint8Array.of(233, 252, 0, last),
  ...over,
});

const attribute = (type: number, value: Uint8Array): TransformAttribute => ({ type, value });
const LIFETIME = attribute(GSA_ATTRIBUTE.GSA_KEY_LIFETIME, u32(3600));
const GCM = transform(TRANSFORM.ENCR, ENCR.AES_GCM_16, 256);
const CBC = transform(TRANSFORM.ENCR, ENCR.AES_CBC, 256);
const HMAC = transform(TRANSFORM.INTEG, 12);
const NUMBERS = transform(TRANSFORM.SN, 0);
const ALGORITHM = attribute(18, Uint8Array.of(0x30, 5, 6, 3, 0x2b, 0x65, 0x70));
const SIGNED = transform(TRANSFORM.GCAUTH, GCAUTH.DIGITAL_SIGNATURE, [ALGORITHM]);
const IMPLICIT = transform(TRANSFORM.GCAUTH, GCAUTH.IMPLICIT);

const policy = (protocolId: number, transforms: Transform[], over: Partial<GsaPolicy> = {}): GsaPolicy => ({
  ...{ kind: "SA", protocolId, spi: octets(protocolId === PROTOCOL.GIKE_UPDATE ? 16 : 4, 1) },
  ...{ source: selector(1), destination: selector(2), transforms, attributes: [LIFETIME] },
  ...over,
});
const rekeySa = (transforms = [GCM, WRAP, SIGNED], over: Partial<GsaPolicy> = {}): GsaPolicy =>
  policy(PROTOCOL.GIKE_UPDATE, transforms, over);
const dataSa = (transforms = [GCM, NUMBERS], over: Partial<GsaPolicy> = {}): GsaPolicy =>
  policy(PROTOCOL.ESP, transforms, over);

const gsa = (...policies: (GsaPolicy | GroupWidePolicy)[]): Payload => ({
  kind: "GSA",
  type: PAYLOAD.GSA,
  policies,
});
const kd = (...bags: (GroupKeyBag | MemberKeyBag)[]): Payload => ({ kind: "KD", type: PAYLOAD.KD, bags });

const wrapped = (keyId: number, kwkId = 0): Uint8Array => concat(u32(keyId), u32(kwkId), octets(24, 1));
const saKey = (keyId = 0, kwkId = 0): TransformAttribute => attribute(1, wrapped(keyId, kwkId));
const bag = (protocolId: number, ...attributes: TransformAttribute[]): GroupKeyBag => ({
  ...{ kind: "group", protocolId, spi: octets(protocolId === PROTOCOL.GIKE_UPDATE ? 16 : 4, 1), attributes },
});
const member = (...attributes: TransformAttribute[]): MemberKeyBag => ({ kind: "member", attributes });
const AUTH_KEY = attribute(MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY, octets(12, 1));
const SENDER_ID = attribute(MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID, u32(1));
const WRAP_KEY = attribute(MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY, wrapped(1));

const POLICY = gsa(rekeySa(), dataSa());
const KEYS = kd(bag(PROTOCOL.GIKE_UPDATE, saKey()), bag(PROTOCOL.ESP, saKey()), member(AUTH_KEY));

const registering = (
  request: Payload[] = REQUEST,
  response: Payload[] = [id(PAYLOAD.IDr), auth(), POLICY, KEYS],
  begin: Said[] = BEGIN,
): Seen[] => capture(...begin, ...exchange(GSA_AUTH, 1, request, response));
const honest = registering();

const given = (...payloads: Payload[]): Seen[] =>
  registering(REQUEST, [id(PAYLOAD.IDr), auth(), ...payloads]);
/** A policy of a data SA in place of the ordinary one, and of a Rekey SA. */
const withData = (...transforms: Transform[]): Seen[] => given(gsa(rekeySa(), dataSa(transforms)), KEYS);
const withRekey = (transforms: Transform[], over: Partial<GsaPolicy> = {}): Seen[] =>
  given(gsa(rekeySa(transforms, over), dataSa()), KEYS);
const withBags = (...bags: (GroupKeyBag | MemberKeyBag)[]): Seen[] => given(POLICY, kd(...bags));

const later = (request: Payload[], response: Payload[] = [], type: number = GSA_REGISTRATION): Seen[] =>
  capture(...BEGIN, ...exchange(type, 2, request, response));

/** On a Rekey SA. */
const rekey = (payloads: Payload[], more: Partial<Said> = {}): Said => ({
  ...{ exchange: GSA_REKEY, id: 0, by: "responder", payloads, spis: [7, 8] },
  ...more,
});
const rekeyed = capture(rekey([gsa(dataSa()), kd(bag(PROTOCOL.ESP, saKey())), auth(14)]));
const error = notify(NOTIFY.AUTHORIZATION_FAILED);
const GROUP_SENDER = NOTIFY.GROUP_SENDER;
const LEAVING = notify(NOTIFY.REGISTRATION_FAILED);
const MODE = notify(NOTIFY.USE_TRANSPORT_MODE);

const requests: Planted[] = [
  ["group-notify-with-protocol-or-spi", "G-IKEV2-103", given({ ...error, protocolId: 3 }), given(error)],
  [
    "group-sender-not-4-octets",
    "G-IKEV2-104",
    registering([notify(GROUP_SENDER, octets(2))]),
    registering([notify(GROUP_SENDER, octets(4))]),
  ],
  [
    "traffic-selectors-in-gsa-auth",
    "G-IKEV2-07",
    registering([...REQUEST, { kind: "TS", type: PAYLOAD.TSi, selectors: [selector(1)] }]),
    honest,
  ],
  [
    "sag-with-spi",
    "G-IKEV2-14",
    registering([sa(proposal(PROTOCOL.GIKE_UPDATE, [WRAP], { spi: octets(4) }))]),
    honest,
  ],
  ["sag-without-key-wrap", "G-IKEV2-102", registering([sa(proposal(PROTOCOL.GIKE_UPDATE, [GCM]))]), honest],
  ["registration-without-key-wrap", "G-IKEV2-05", registering(REQUEST, [], init()), honest],
  [
    "group-refusal-malformed",
    "G-IKEV2-09",
    registering(REQUEST, [id(PAYLOAD.IDr), auth(), error, POLICY]),
    registering(REQUEST, [id(PAYLOAD.IDr), auth(), error]),
  ],
  ["leaving-member-names-no-group", "G-IKEV2-11", later([LEAVING]), later([IDG, LEAVING])],
  ["leaving-member-not-answered-empty", "G-IKEV2-12", later([IDG, LEAVING], [MODE]), later([IDG, LEAVING])],
  [
    "inband-rekey-not-answered-empty",
    "G-IKEV2-52",
    later([KEYS], [MODE], GSA_INBAND_REKEY),
    later([KEYS], [], GSA_INBAND_REKEY),
  ],
  ["transport-mode-said-twice", "G-IKEV2-30", given(POLICY, KEYS, MODE, MODE), given(POLICY, KEYS, MODE)],
  [
    "gsa-rekey-answered",
    "G-IKEV2-E2",
    capture(rekey([], { to: "233.252.0.1" }), rekey([], { response: true, by: "initiator" })),
    capture(rekey([]), rekey([error], { response: true, by: "initiator" })),
  ],
  [
    "gsa-rekey-copy-differs",
    "G-IKEV2-45",
    capture(rekey([error]), rekey([error, error])),
    capture(rekey([error]), rekey([error])),
  ],
  ["gsa-rekey-auth-method", "G-IKEV2-82", capture(rekey([auth(1)])), rekeyed],
  [
    "sender-ids-not-asked-for",
    "G-IKEV2-100",
    registering([...REQUEST, notify(GROUP_SENDER, u32(1))], [kd(member(SENDER_ID, SENDER_ID))]),
    registering([...REQUEST, notify(GROUP_SENDER, u32(2))], [kd(member(SENDER_ID, SENDER_ID))]),
  ],
  ["sender-ids-not-asked-for", "G-IKEV2-94", registering(REQUEST, [kd(member(SENDER_ID))]), honest],
];

const MANY = selector(2, { endAddress: Uint8Array.of(233, 252, 0, 9) });
const INBAND = attribute(GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID, u32(1));
const UNSIGNED = transform(TRANSFORM.GCAUTH, GCAUTH.DIGITAL_SIGNATURE);
const NAMED = transform(TRANSFORM.GCAUTH, GCAUTH.IMPLICIT, [ALGORITHM]);

const policies: Planted[] = [
  ["group-policy-without-sequence-numbers", "G-IKEV2-61", withData(GCM), honest],
  ["group-policy-with-64-bit-numbers", "G-IKEV2-85", withData(GCM, transform(TRANSFORM.SN, 1)), honest],
  ["group-policy-not-one-of-each-type", "G-IKEV2-78", withData(GCM, GCM, NUMBERS), honest],
  ["group-aead-with-integrity", "G-IKEV2-79", withData(GCM, HMAC, NUMBERS), withData(CBC, HMAC, NUMBERS)],
  ["group-cipher-without-integrity", "G-IKEV2-79a", withData(CBC, NUMBERS), withData(CBC, HMAC, NUMBERS)],
  ["rekey-sa-without-key-wrap", "G-IKEV2-101", withRekey([GCM, SIGNED]), honest],
  ["signature-algorithm-missing", "G-IKEV2-80", withRekey([GCM, WRAP, UNSIGNED]), honest],
  [
    "signature-algorithm-without-signature",
    "G-IKEV2-81",
    withRekey([GCM, WRAP, NAMED]),
    withRekey([GCM, WRAP, IMPLICIT]),
  ],
  ["gcauth-in-rekey", "G-IKEV2-83", capture(rekey([gsa(rekeySa())])), honest],
  [
    "group-cipher-of-implicit-iv",
    "G-IKEV2-63",
    withRekey([transform(TRANSFORM.ENCR, ENCR.AES_GCM_16_IIV, 256), WRAP, SIGNED]),
    honest,
  ],
  ["rekey-sa-destination", "G-IKEV2-75", withRekey([GCM, WRAP, SIGNED], { destination: MANY }), honest],
  [
    "group-policy-without-lifetime",
    "G-IKEV2-88",
    withRekey([GCM, WRAP, SIGNED], { attributes: [] }),
    given(gsa(dataSa(undefined, { attributes: [] })), KEYS),
  ],
  [
    "inband-policy-counts-messages",
    "G-IKEV2-90",
    given(gsa(dataSa(undefined, { attributes: [INBAND] })), KEYS),
    withRekey([GCM], { attributes: [INBAND] }),
  ],
  ["group-policies-of-wrong-number", "G-IKEV2-73", given(gsa(rekeySa(), rekeySa()), KEYS), honest],
  [
    "esp-and-ah-for-same-traffic",
    "G-IKEV2-74",
    given(gsa(dataSa(), policy(PROTOCOL.AH, [HMAC, NUMBERS])), KEYS),
    honest,
  ],
  [
    "group-policy-reserved-set",
    "G-IKEV2-92",
    given(gsa(dataSa(), { kind: "group-wide", reserved: 1, attributes: [] }), KEYS),
    given(gsa(dataSa(), { kind: "group-wide", attributes: [] }), KEYS),
  ],
];

const keys: Planted[] = [
  ["sender-id-in-rekey", "G-IKEV2-33", capture(rekey([kd(member(SENDER_ID))])), withBags(member(SENDER_ID))],
  [
    "auth-key-of-implicit-authentication",
    "G-IKEV2-38",
    given(gsa(rekeySa([GCM, WRAP, IMPLICIT])), KEYS),
    honest,
  ],
  ["auth-key-missing", "G-IKEV2-80", withBags(bag(PROTOCOL.ESP, saKey())), honest],
  ["several-auth-keys", "G-IKEV2-99", withBags(member(AUTH_KEY, AUTH_KEY)), honest],
  ["wrap-key-inband", "G-IKEV2-90", given(gsa(dataSa()), kd(member(WRAP_KEY))), withBags(member(WRAP_KEY))],
  ["sa-key-with-id", "G-IKEV2-95", withBags(bag(PROTOCOL.ESP, saKey(5))), honest],
  ["rekey-sa-key-not-alone", "G-IKEV2-96", withBags(bag(PROTOCOL.GIKE_UPDATE, saKey(), saKey())), honest],
  ["member-bag-reserved-set", "G-IKEV2-97", withBags({ ...member(AUTH_KEY), reserved: 1 }), honest],
  [
    "wrap-key-without-id",
    "G-IKEV2-98",
    withBags(member(attribute(MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY, wrapped(0)))),
    withBags(member(WRAP_KEY)),
  ],
];

export const plantedInGroups: readonly Planted[] = [...requests, ...policies, ...keys];
