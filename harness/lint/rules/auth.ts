/** Identities, certificates, authentication and EAP in IKE_AUTH (RFC 7296 sections 2.16, 3.5 to 3.8 and 3.16). */
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { CERT_ENCODING } from "../../wire/registry/cert-encodings.ts";
import { EAP_CODE, EAP_TYPE } from "../../wire/registry/eap.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../wire/registry/id-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, first, has, notify } from "../parts.ts";
import { type LintMessage, NONE, type Rule } from "../rule.ts";
import { ofMessage, ofResponse, ofSa } from "./rfc7296.ts";

const DATA_AT = 8;
const isAuth = ({ exchangeType, opened }: LintMessage): boolean =>
  opened && exchangeType === EXCHANGE.IKE_AUTH;

const TEXT = new Set<number>([ID_TYPE.ID_FQDN, ID_TYPE.ID_RFC822_ADDR]);
const TERMINATORS = new Set([0, 10, 13]);

const terminator = ofMessage("id-with-terminator", "IKEV2-258", (message) =>
  all(message, "ID").flatMap((part) => {
    const { idType, data } = part.payload;
    const at = TEXT.has(idType) ? data.findIndex((octet) => TERMINATORS.has(octet)) : -1;
    if (at < 0) return [];
    return [breachIn(part, `a terminator, octet ${data[at]}, in a name`, DATA_AT + at, "data")];
  }),
);

const ECDSA = new Map<number, number>([
  [AUTH_METHOD.ECDSA_SHA256_P256, 64],
  [AUTH_METHOD.ECDSA_SHA384_P384, 96],
  [AUTH_METHOD.ECDSA_SHA512_P521, 132],
]);

const ecdsa = ofMessage("length-of-ecdsa-signature", "IKEV2-311", (message) =>
  all(message, "AUTH").flatMap((part) => {
    const wanted = ECDSA.get(part.payload.method);
    const { length } = part.payload.data;
    if (wanted === undefined || length === wanted) return [];
    return [breachIn(part, `${length} octets instead of r and s with ${wanted}`, DATA_AT, "data")];
  }),
);

const HASH = 20;

const certRequest = ofMessage("certreq-of-no-hashes", "IKEV2-320", (message) =>
  all(message, "CERTREQ").flatMap((part) => {
    const { encoding, data } = part.payload;
    if (encoding !== CERT_ENCODING.X509_SIGNATURE || data.length % HASH === 0) return [];
    return [breachIn(part, `${data.length} octets are no hashes of ${HASH} octets`, 5, "data")];
  }),
);

const URL_ENCODINGS = new Set<number>([CERT_ENCODING.HASH_AND_URL_X509, CERT_ENCODING.HASH_AND_URL_BUNDLE]);

const urlScheme = ofMessage("certificate-url-not-http", "IKEV2-262", (message) =>
  all(message, "CERT").flatMap((part) => {
    const { encoding, data } = part.payload;
    if (!URL_ENCODINGS.has(encoding) || data.length <= HASH) return [];
    const scheme = Buffer.from(data.subarray(HASH, HASH + 5))
      .toString("latin1")
      .toLowerCase();
    return scheme === "http:" ? [] : [breachIn(part, "a URL of another scheme than http", 5 + HASH, "data")];
  }),
);

/** The request that asks for EAP: IDi and no AUTH. */
const asksForEap = (message: LintMessage): boolean =>
  isAuth(message) && !message.isResponse && has(message, PAYLOAD.IDi) && !has(message, PAYLOAD.AUTH);

const eapFirst = ofResponse("eap-without-auth-of-responder", "IKEV2-164", ({ request, response }) => {
  const eap = first(response, "EAP");
  if (!eap || !asksForEap(request) || notify(request, NOTIFY.EAP_ONLY_AUTHENTICATION)) return NONE;
  if (eap.payload.code !== EAP_CODE.REQUEST || has(response, PAYLOAD.AUTH)) return NONE;
  return [breachIn(eap, "EAP begins without AUTH of the responder")];
});

const eapSecret = ofResponse("eap-with-shared-secret-of-responder", "IKEV2-164", ({ request, response }) => {
  const auth = first(response, "AUTH");
  if (!auth || !asksForEap(request) || !has(response, PAYLOAD.EAP)) return NONE;
  if (auth.payload.method !== AUTH_METHOD.SHARED_KEY_MIC) return NONE;
  return [breachIn(auth, "beside EAP the responder signs, and does not use a shared secret", 4, "method")];
});

const eapWithSa = ofResponse("sa-before-the-end-of-eap", "IKEV2-166", ({ request, response }) => {
  const part = isAuth(response) && has(response, PAYLOAD.EAP) ? first(response, "SA") : undefined;
  if (!part || !isAuth(request)) return NONE;
  return [breachIn(part, "an SA payload before EAP is over")];
});

const eapLength = ofMessage("length-of-eap-message", "IKEV2-291", (message) =>
  all(message, "EAP").flatMap((part) => {
    const { eapLength: told, data, code } = part.payload;
    const isEnd = code === EAP_CODE.SUCCESS || code === EAP_CODE.FAILURE;
    if (told !== undefined)
      return [breachIn(part, `length ${told}, the payload has ${data.length + 4}`, 6, "length")];
    return isEnd && data.length > 0 ? [breachIn(part, "Success and Failure have 4 octets", 6, "length")] : [];
  }),
);

const eapEcho = ofResponseIdentifier();

/** The initiator answers with the identifier of the request, and with its type or Nak. */
function ofResponseIdentifier(): Rule {
  return ofSa("eap-answer-to-another-request", "IKEV2-292", () => {
    let asked: { identifier: number; type: number | undefined; id: number } | undefined;
    return (message, { as }) => {
      const part = isAuth(message) && as === "first" ? first(message, "EAP") : undefined;
      if (!part) return NONE;
      const { identifier, data, code } = part.payload;
      const type = data[0];
      if (message.isResponse) {
        asked = code === EAP_CODE.REQUEST ? { identifier, type, id: message.messageId } : undefined;
        return NONE;
      }
      if (!asked || message.messageId !== asked.id + 1 || code !== EAP_CODE.RESPONSE) return NONE;
      if (identifier !== asked.identifier)
        return [breachIn(part, `identifier ${identifier} instead of ${asked.identifier}`, 5, "identifier")];
      if (type === asked.type || type === EAP_TYPE.NAK || type === EAP_TYPE.EXPANDED) return NONE;
      return [breachIn(part, `type ${type} in answer to ${asked.type}`, DATA_AT, "type")];
    };
  });
}

const eapIdentity = ofMessage("eap-identity-request", "IKEV2-293", (message) =>
  isAuth(message) && message.isResponse
    ? all(message, "EAP")
        .filter(({ payload }) => payload.code === EAP_CODE.REQUEST && payload.data[0] === EAP_TYPE.IDENTITY)
        .map((part) => breachIn(part, "an EAP Identity request, though IDi has told it", DATA_AT, "type"))
    : NONE,
);

const authAfterEap = ofSa("no-auth-after-eap", "IKEV2-172", () => {
  let success: number | undefined;
  return (message, { as }) => {
    if (!isAuth(message) || as !== "first") return NONE;
    if (message.isResponse) {
      if (first(message, "EAP")?.payload.code === EAP_CODE.SUCCESS) success = message.messageId;
      return NONE;
    }
    if (success === undefined || message.messageId !== success + 1 || has(message, PAYLOAD.AUTH)) return NONE;
    return [{ reason: "no AUTH in the request after EAP Success", field: "AUTH" }];
  };
});

const failureTwice = ofMessage("authentication-failed-beside-eap-failure", "IKEV2-186", (message) => {
  const part = isAuth(message) ? notify(message, NOTIFY.AUTHENTICATION_FAILED) : undefined;
  if (!part || first(message, "EAP")?.payload.code !== EAP_CODE.FAILURE) return NONE;
  return [breachIn(part, "AUTHENTICATION_FAILED beside EAP Failure")];
});

const ofEap = { payloads: [PAYLOAD.EAP] };

export const auth: readonly Rule[] = [
  ...concerning({ payloads: [PAYLOAD.IDi, PAYLOAD.IDr, PAYLOAD.IDg] }, [terminator]),
  ...concerning({ payloads: [PAYLOAD.AUTH] }, [ecdsa]),
  ...concerning({ payloads: [PAYLOAD.CERTREQ] }, [certRequest]),
  ...concerning({ payloads: [PAYLOAD.CERT] }, [urlScheme]),
  ...concerning<Rule>(ofEap, [eapFirst, eapSecret, eapWithSa, eapLength, eapEcho, eapIdentity]),
  ...concerning({ exchanges: [EXCHANGE.IKE_AUTH] }, [authAfterEap]),
  ...concerning(ofEap, [failureTwice]),
];
