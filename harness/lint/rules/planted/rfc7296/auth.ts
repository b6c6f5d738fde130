/** Planted breaches: authentication, EAP, configuration. */
import { fromHex } from "../../../../wire/bytes.ts";
import { AUTH_METHOD } from "../../../../wire/registry/auth-methods.ts";
import { CERT_ENCODING } from "../../../../wire/registry/cert-encodings.ts";
import { CFG_ATTRIBUTE } from "../../../../wire/registry/cfg-attributes.ts";
import { CFG } from "../../../../wire/registry/cfg-types.ts";
import { EAP_CODE, EAP_TYPE } from "../../../../wire/registry/eap.ts";
import { NOTIFY } from "../../../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../../wire/registry/protocol-ids.ts";
import { cp, eap, notify, sa } from "../payloads.ts";
import { SPI, whole, withEap } from "./conversations.ts";
import { add, drop, message, type Planted, payload } from "./rows.ts";
import type { Said } from "./said.ts";

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

export const plantedInAuth: readonly Planted[] = [...inAuth, ...inCp];
