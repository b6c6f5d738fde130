/** Honest conversations between a (192.0.2.1) and b (192.0.2.2); each call makes one that may be changed. */
import { fromHex, u16 } from "../../../../wire/bytes.ts";
import { AUTH_METHOD } from "../../../../wire/registry/auth-methods.ts";
import { CFG_ATTRIBUTE } from "../../../../wire/registry/cfg-attributes.ts";
import { CFG } from "../../../../wire/registry/cfg-types.ts";
import { EAP_CODE, EAP_TYPE } from "../../../../wire/registry/eap.ts";
import { EXCHANGE } from "../../../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../../wire/registry/protocol-ids.ts";
import type { Payload } from "../../../../wire/types.ts";
import {
  auth,
  cp,
  eap,
  id,
  ikeSa,
  ke,
  nonce,
  notify,
  notifyOf,
  octets,
  remove,
  sa,
  ts,
} from "../payloads.ts";
import type { Said, SaidSa } from "./said.ts";

const { IDi, IDr, TSi, TSr } = PAYLOAD;
const ZERO = new Uint8Array(8);
export const SPI = {
  first: { a: fromHex("a1a1a1a1"), b: fromHex("b1b1b1b1") },
  second: { a: fromHex("a2a2a2a2"), b: fromHex("b2b2b2b2") },
};

const IKE = "aes256-sha256-x25519";
const ESP = "aes256-sha256";
const PFS = "aes256-sha256-x25519";

const NEW = (): SaidSa => ({ spiI: fromHex("1111111111111111"), spiR: ZERO, initiator: "a" });
const OLD = (): SaidSa => ({ ...NEW(), spiR: fromHex("2222222222222222") });
/** The IKE SA that the rekey makes. */
export const REKEYED = (): SaidSa => ({
  ...{ spiI: fromHex("3333333333333333"), spiR: fromHex("4444444444444444"), initiator: "a" },
});

const request = (exchange: number, number: number, ...payloads: Payload[]): Said => ({
  ...{ by: "a", sa: OLD(), exchange, id: number, isResponse: false, payloads },
});
const response = (exchange: number, number: number, ...payloads: Payload[]): Said => ({
  ...{ by: "b", sa: OLD(), exchange, id: number, isResponse: true, payloads },
});

const NAT = (): Payload[] => [
  notify(NOTIFY.NAT_DETECTION_SOURCE_IP, new Uint8Array(20)),
  notify(NOTIFY.NAT_DETECTION_DESTINATION_IP, new Uint8Array(20)),
];

const initRequest = (...payloads: Payload[]): Said => ({
  ...request(EXCHANGE.IKE_SA_INIT, 0, ...payloads),
  ...{ inClear: true, sa: NEW() },
});
const initResponse = (...payloads: Payload[]): Said => ({
  ...response(EXCHANGE.IKE_SA_INIT, 0, ...payloads),
  inClear: true,
});
/** A response that makes no IKE SA. */
export const refusal = (...payloads: Payload[]): Said => ({ ...initResponse(...payloads), sa: NEW() });

const beginning = (): [Said, Said] => [
  initRequest(ikeSa(IKE, "aes256gcm16-prfsha512-x25519"), ke(), nonce(1), ...NAT()),
  initResponse(ikeSa(IKE), ke(), nonce(2), ...NAT()),
];

const ranges = (): Payload[] => [ts(TSi, "c0000200", "c00002ff"), ts(TSr, "c6336400", "c63364ff")];

const address = (data: Uint8Array) => ({ type: CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, data });

/** From IKE_SA_INIT over a Child rekey to an IKE rekey and a liveness check from the other side: 14 packets. */
export const whole = (): Said[] => [
  ...beginning(),
  request(
    ...([EXCHANGE.IKE_AUTH, 1, id(IDi, "a.example"), id(IDr, "b.example"), auth()] as const),
    ...[notify(NOTIFY.INITIAL_CONTACT), cp(CFG.REQUEST, address(new Uint8Array()))],
    ...[sa(PROTOCOL.ESP, SPI.first.a, ESP), ...ranges()],
  ),
  response(
    ...([
      EXCHANGE.IKE_AUTH,
      1,
      id(IDr, "b.example"),
      auth(),
      cp(CFG.REPLY, address(fromHex("c0000209"))),
    ] as const),
    ...[sa(PROTOCOL.ESP, SPI.first.b, ESP), ...ranges()],
  ),
  request(
    ...([EXCHANGE.CREATE_CHILD_SA, 2, notifyOf(NOTIFY.REKEY_SA, SPI.first.a)] as const),
    ...[sa(PROTOCOL.ESP, SPI.second.a, PFS), nonce(3), ke(), ...ranges()],
  ),
  response(EXCHANGE.CREATE_CHILD_SA, 2, sa(PROTOCOL.ESP, SPI.second.b, PFS), nonce(4), ke(), ...ranges()),
  request(EXCHANGE.INFORMATIONAL, 3, remove(PROTOCOL.ESP, SPI.first.a)),
  response(EXCHANGE.INFORMATIONAL, 3, remove(PROTOCOL.ESP, SPI.first.b)),
  request(EXCHANGE.CREATE_CHILD_SA, 4, sa(PROTOCOL.IKE, REKEYED().spiI, IKE), nonce(5), ke()),
  response(EXCHANGE.CREATE_CHILD_SA, 4, sa(PROTOCOL.IKE, REKEYED().spiR, IKE), nonce(6), ke()),
  request(EXCHANGE.INFORMATIONAL, 5, remove(PROTOCOL.IKE)),
  response(EXCHANGE.INFORMATIONAL, 5),
  { ...request(EXCHANGE.INFORMATIONAL, 0), by: "b", sa: REKEYED() },
  { ...response(EXCHANGE.INFORMATIONAL, 0), by: "a", sa: REKEYED() },
];

/** A cookie is asked for. */
export const withCookie = (): Said[] => {
  const [ask, answer] = beginning();
  const cookie = () => notify(NOTIFY.COOKIE, fromHex("c00c1e"));
  return [ask, refusal(cookie()), { ...ask, payloads: [cookie(), ...ask.payloads] }, answer];
};

/** Another group is asked for. */
export const withOtherGroup = (): Said[] => {
  const offer = () => ikeSa("aes256-sha256-modp2048-x25519");
  return [
    initRequest(offer(), ke(14, octets(256)), nonce(1), ...NAT()),
    refusal(notify(NOTIFY.INVALID_KE_PAYLOAD, u16(31))),
    initRequest(offer(), ke(), nonce(1), ...NAT()),
    initResponse(ikeSa(IKE), ke(), nonce(2), ...NAT()),
  ];
};

const challenge = Uint8Array.of(EAP_TYPE.MSCHAPV2, 1);

/** Authentication by EAP: 10 packets. */
export const withEap = (): Said[] => [
  ...beginning(),
  request(EXCHANGE.IKE_AUTH, 1, id(IDi, "a.example"), sa(PROTOCOL.ESP, SPI.first.a, ESP), ...ranges()),
  response(
    ...([
      EXCHANGE.IKE_AUTH,
      1,
      id(IDr, "b.example"),
      auth(AUTH_METHOD.ECDSA_SHA256_P256, octets(64)),
    ] as const),
    eap(EAP_CODE.REQUEST, 7, challenge),
  ),
  request(EXCHANGE.IKE_AUTH, 2, eap(EAP_CODE.RESPONSE, 7, challenge)),
  response(EXCHANGE.IKE_AUTH, 2, eap(EAP_CODE.SUCCESS, 7)),
  request(EXCHANGE.IKE_AUTH, 3, auth()),
  response(EXCHANGE.IKE_AUTH, 3, auth(), sa(PROTOCOL.ESP, SPI.first.b, ESP), ...ranges()),
];

/** Further messages behind a conversation. */
export const ask = (number: number, ...payloads: Payload[]): Said =>
  request(EXCHANGE.INFORMATIONAL, number, ...payloads);
export const answer = (number: number, ...payloads: Payload[]): Said =>
  response(EXCHANGE.INFORMATIONAL, number, ...payloads);
export { request, response };
