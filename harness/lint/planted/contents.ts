/** Planted breaches: notifies, deletes, rekeys, authentication, EAP, configuration. */
import { fromHex } from "../../wire/bytes.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { CERT_ENCODING } from "../../wire/registry/cert-encodings.ts";
import { CFG_ATTRIBUTE } from "../../wire/registry/cfg-attributes.ts";
import { CFG } from "../../wire/registry/cfg-types.ts";
import { EAP_CODE, EAP_TYPE } from "../../wire/registry/eap.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { answer, ask, SPI, whole, withEap } from "./conversations.ts";
import { cp, eap, notify, notifyOf, remove, sa } from "./payloads.ts";
import { add, drop, message, type Planted, payload } from "./rows.ts";
import type { Said } from "./said.ts";

const EMPTY = new Uint8Array();

/** Puts a notify of these octets into the answer to the Delete, and ends there. */
const answered =
  (type: number, data: Uint8Array = EMPTY) =>
  (said: Said[]): void =>
    add(said, 8, notify(type, data));

const critical = { kind: "raw" as const, type: 100, data: fromHex("00"), critical: true };

const inNotifies: Planted[] = [
  {
    rule: "notify-protocol-without-spi",
    of: whole,
    change: (said) => {
      payload(said, 3, "Notify").protocolId = 1;
    },
    at: "3 @SK+78 N(INITIAL_CONTACT) > protocol",
  },
  {
    rule: "notify-spi-of-no-child-sa",
    of: whole,
    change: (said) => {
      payload(said, 5, "Notify").protocolId = 1;
    },
    at: "5 @SK+4 N(REKEY_SA) > protocol",
  },
  {
    rule: "length-of-set-window-size",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.SET_WINDOW_SIZE, fromHex("0004"))),
    at: "4 @SK+173 N(SET_WINDOW_SIZE) > data",
  },
  {
    rule: "length-of-invalid-message-id",
    of: whole,
    change: (said) => add(said, 7, notify(NOTIFY.INVALID_MESSAGE_ID)),
    at: "7 @SK+20 N(INVALID_MESSAGE_ID) > data",
  },
  {
    rule: "length-of-unsupported-critical-payload",
    of: whole,
    change: answered(NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD),
    at: "8 @SK+20 N(UNSUPPORTED_CRITICAL_PAYLOAD) > data",
  },
  {
    rule: "length-of-nat-detection-source-ip",
    of: whole,
    change: (said) => {
      payload(said, 1, "Notify").data = new Uint8Array(16);
    },
    at: "1 @196 N(NAT_DETECTION_SOURCE_IP) > data",
  },
  {
    rule: "length-of-nat-detection-destination-ip",
    of: whole,
    change: (said) => {
      payload(said, 1, "Notify", 1).data = new Uint8Array(16);
    },
    at: "1 @224 N(NAT_DETECTION_DESTINATION_IP) > data",
  },
  {
    rule: "invalid-message-id-in-response",
    of: whole,
    change: answered(NOTIFY.INVALID_MESSAGE_ID, fromHex("00000009")),
    at: "8 @SK+12 N(INVALID_MESSAGE_ID)",
  },
  {
    rule: "initial-contact-too-late",
    of: whole,
    change: (said) => add(said, 7, notify(NOTIFY.INITIAL_CONTACT)),
    at: "7 @SK+12 N(INITIAL_CONTACT)",
  },
  {
    rule: "nat-detection-without-its-pair",
    of: whole,
    change: (said) => {
      message(said, 1).payloads.pop();
    },
    at: "1 @188 N(NAT_DETECTION_SOURCE_IP)",
  },
  {
    rule: "ipcomp-without-sa",
    of: whole,
    change: (said) => add(said, 7, notify(NOTIFY.IPCOMP_SUPPORTED, fromHex("123402"))),
    at: "7 @SK+12 N(IPCOMP_SUPPORTED)",
  },
  {
    rule: "several-ipcomp-in-response",
    of: whole,
    change: (said) => {
      for (const at of [3, 4, 4]) add(said, at, notify(NOTIFY.IPCOMP_SUPPORTED, fromHex("123402")));
    },
    at: "4 @SK+176 N(IPCOMP_SUPPORTED)",
  },
  {
    rule: "ipcomp-not-offered",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.IPCOMP_SUPPORTED, fromHex("123402"))),
    at: "4 @SK+175 N(IPCOMP_SUPPORTED) > data",
  },
  {
    rule: "transport-mode-not-asked-for",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.USE_TRANSPORT_MODE)),
    at: "4 @SK+165 N(USE_TRANSPORT_MODE)",
  },
  {
    rule: "non-first-fragments-not-asked-for",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.NON_FIRST_FRAGMENTS_ALSO)),
    at: "4 @SK+165 N(NON_FIRST_FRAGMENTS_ALSO)",
  },
  {
    rule: "child-sa-not-found-of-another-spi",
    of: whole,
    change: (said) => {
      message(said, 6).payloads = [notifyOf(NOTIFY.CHILD_SA_NOT_FOUND, SPI.second.a)];
      said.splice(6);
    },
    at: "6 @SK+8 N(CHILD_SA_NOT_FOUND) > SPI",
  },
  { rule: "critical-payload-overlooked", of: whole, change: (said) => add(said, 7, critical), at: "8" },
  {
    rule: "unsupported-critical-payload-of-another-type",
    of: whole,
    change: (said) => {
      add(said, 7, critical);
      message(said, 8).payloads = [notify(NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(101))];
    },
    at: "8 @SK+8 N(UNSUPPORTED_CRITICAL_PAYLOAD) > data",
  },
];

const inDeletes: Planted[] = [
  {
    rule: "spi-size-of-delete",
    of: whole,
    change: (said) => {
      message(said, 11).payloads = [remove(PROTOCOL.IKE, new Uint8Array(8))];
    },
    at: "11 @SK+5 DELETE > SPI size",
  },
  {
    rule: "spi-count-of-delete",
    of: whole,
    change: (said) => {
      payload(said, 7, "Delete").spiCount = 2;
    },
    at: "7 @SK+6 DELETE > SPI count",
  },
  {
    rule: "delete-of-both-directions",
    of: whole,
    change: (said) => {
      message(said, 7).payloads = [remove(PROTOCOL.ESP, SPI.first.a, SPI.first.b)];
    },
    at: "7 @SK+12 DELETE > SPI",
  },
  {
    rule: "delete-answer-with-spis-of-the-request",
    of: whole,
    change: (said) => {
      message(said, 8).payloads = [remove(PROTOCOL.ESP, SPI.first.a)];
    },
    at: "8 @SK+8 DELETE > SPI",
  },
  {
    rule: "answer-to-ike-delete-not-empty",
    of: whole,
    change: (said) => add(said, 12, remove(PROTOCOL.IKE)),
    at: "12 @SK+0 DELETE",
  },
  {
    rule: "delete-in-answer-to-crossed-delete",
    of: whole,
    change: (said) => {
      said.splice(7, 0, { ...ask(0, remove(PROTOCOL.ESP, SPI.first.b)), by: "b" });
      said.splice(9);
    },
    at: "9 @SK+8 DELETE > SPI",
  },
  {
    rule: "request-after-ike-delete",
    of: whole,
    change: (said) => {
      said.push(ask(6), answer(6));
    },
    at: "15",
  },
];

const inRekeys: Planted[] = [
  {
    rule: "rekey-sa-with-data",
    of: whole,
    change: (said) => {
      payload(said, 5, "Notify").data = fromHex("00");
    },
    at: "5 @SK+12 N(REKEY_SA) > data",
  },
  {
    rule: "rekey-sa-of-the-other-direction",
    of: whole,
    change: (said) => {
      payload(said, 5, "Notify").spi = SPI.first.b;
    },
    at: "5 @SK+8 N(REKEY_SA) > SPI",
  },
  {
    rule: "mode-notify-not-repeated-in-rekey",
    of: whole,
    change: (said) => {
      for (const at of [3, 4]) add(said, at, notify(NOTIFY.USE_TRANSPORT_MODE));
    },
    at: "5 N(USE_TRANSPORT_MODE)",
  },
  {
    rule: "create-child-sa-on-rekeyed-ike-sa",
    of: whole,
    change: (said) => {
      const again = { ...message(said, 5), id: 5 };
      said.splice(10, 4, {
        ...again,
        payloads: again.payloads.map((one) =>
          one.kind === "Nonce" ? { ...one, data: new Uint8Array(32) } : one,
        ),
      });
    },
    at: "11 @18 header > exchange type",
  },
];

const cert = (kind: "CERT" | "CERTREQ", encoding: number, data: Uint8Array) => ({
  ...{ kind, type: kind === "CERT" ? PAYLOAD.CERT : PAYLOAD.CERTREQ, encoding, data },
});
const behindId = (said: Said[], ...payloads: Said["payloads"]): void => {
  message(said, 3).payloads.splice(1, 0, ...payloads);
};

const inAuth: Planted[] = [
  {
    rule: "id-with-terminator",
    of: whole,
    change: (said) => {
      payload(said, 3, "ID").data = Buffer.from("a.example\0");
    },
    at: "3 @SK+17 IDi > data",
  },
  {
    rule: "length-of-ecdsa-signature",
    of: withEap,
    change: (said) => {
      payload(said, 4, "AUTH").data = new Uint8Array(71);
    },
    at: "4 @SK+25 AUTH > data",
  },
  {
    rule: "certreq-of-no-hashes",
    of: whole,
    change: (said) => behindId(said, cert("CERTREQ", CERT_ENCODING.X509_SIGNATURE, new Uint8Array(21))),
    at: "3 @SK+22 CERTREQ > data",
  },
  {
    rule: "certificate-url-not-http",
    of: whole,
    change: (said) =>
      behindId(
        said,
        cert(
          "CERT",
          CERT_ENCODING.HASH_AND_URL_X509,
          Buffer.concat([new Uint8Array(20), Buffer.from("ftp://192.0.2.9/c")]),
        ),
      ),
    at: "3 @SK+42 CERT > data",
  },
  {
    rule: "eap-without-auth-of-responder",
    of: withEap,
    change: (said) => drop(said, 4, "AUTH"),
    at: "4 @SK+17 EAP",
  },
  {
    rule: "eap-with-shared-secret-of-responder",
    of: withEap,
    change: (said) => {
      payload(said, 4, "AUTH").method = AUTH_METHOD.SHARED_KEY_MIC;
    },
    at: "4 @SK+21 AUTH > method",
  },
  {
    rule: "sa-before-the-end-of-eap",
    of: withEap,
    change: (said) => add(said, 4, sa(PROTOCOL.ESP, SPI.first.b, "aes256-sha256")),
    at: "4 @SK+99 SA",
  },
  {
    rule: "length-of-eap-message",
    of: withEap,
    change: (said) => {
      payload(said, 4, "EAP").eapLength = 99;
    },
    at: "4 @SK+95 EAP > length",
  },
  {
    rule: "length-of-eap-message",
    of: withEap,
    change: (said) => {
      payload(said, 6, "EAP").data = fromHex("00");
    },
    at: "6 @SK+6 EAP > length",
  },
  {
    rule: "eap-answer-to-another-request",
    of: withEap,
    change: (said) => {
      payload(said, 5, "EAP").identifier = 8;
    },
    at: "5 @SK+5 EAP > identifier",
  },
  {
    rule: "eap-identity-request",
    of: withEap,
    change: (said) => {
      for (const at of [4, 5]) payload(said, at, "EAP").data = Uint8Array.of(EAP_TYPE.IDENTITY);
    },
    at: "4 @SK+97 EAP > type",
  },
  {
    rule: "no-auth-after-eap",
    of: withEap,
    change: (said) => {
      message(said, 7).payloads = [];
      said.splice(7);
    },
    at: "7 AUTH",
  },
  {
    rule: "authentication-failed-beside-eap-failure",
    of: withEap,
    change: (said) => {
      message(said, 6).payloads = [eap(EAP_CODE.FAILURE, 7), notify(NOTIFY.AUTHENTICATION_FAILED)];
      said.splice(6);
    },
    at: "6 @SK+8 N(AUTHENTICATION_FAILED)",
  },
];

const attribute = (type: number, octets: string) => ({ type, data: fromHex(octets) });

const inCp: Planted[] = [
  {
    rule: "cp-behind-sa",
    of: whole,
    change: (said) => {
      const [config] = [payload(said, 3, "CP")];
      drop(said, 3, "CP");
      add(said, 3, config);
    },
    at: "3 @SK+174 CP",
    also: ["payloads-out-of-order"],
  },
  {
    rule: "configuration-request-without-address",
    of: whole,
    change: (said) => {
      payload(said, 3, "CP").attributes = [attribute(CFG_ATTRIBUTE.INTERNAL_IP4_DNS, "")];
      drop(said, 4, "CP");
    },
    at: "3 @SK+82 CP",
  },
  {
    rule: "netmask-with-value-in-request",
    of: whole,
    change: (said) => {
      payload(said, 3, "CP").attributes.push(attribute(CFG_ATTRIBUTE.INTERNAL_IP4_NETMASK, "ffffff00"));
    },
    at: "3 @SK+94 CP > INTERNAL_IP4_NETMASK",
  },
  {
    rule: "supported-attributes-not-empty-in-request",
    of: whole,
    change: (said) => {
      payload(said, 3, "CP").attributes.push(attribute(CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES, "0001"));
    },
    at: "3 @SK+94 CP > SUPPORTED_ATTRIBUTES",
  },
  {
    rule: "value-in-configuration-ack",
    of: whole,
    change: (said) => add(said, 8, cp(CFG.ACK, attribute(CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, "c0000209"))),
    at: "8 @SK+20 CP > INTERNAL_IP4_ADDRESS",
  },
  {
    rule: "configuration-reply-without-request",
    of: whole,
    change: (said) => drop(said, 3, "CP"),
    at: "4 @SK+57 CP",
  },
  {
    rule: "more-addresses-than-requested",
    of: whole,
    change: (said) => {
      payload(said, 4, "CP").attributes.push(attribute(CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, "c000020a"));
    },
    at: "4 @SK+73 CP > INTERNAL_IP4_ADDRESS",
  },
];

export const plantedInContents: readonly Planted[] = [
  ...inNotifies,
  ...inDeletes,
  ...inRekeys,
  ...inAuth,
  ...inCp,
];
