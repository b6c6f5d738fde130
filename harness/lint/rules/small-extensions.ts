/** EAP-only authentication (RFC 5998), childless initiation (RFC 6023), NULL authentication (RFC 7619). */
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../wire/registry/id-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, first, has, notify, ofType } from "../parts.ts";
import { type LintMessage, NONE, type Rule } from "../rule.ts";
import { exchangeRule, hasError, initOf, messageRule, missing, notifyForm } from "./forms.ts";

const CHILDLESS = NOTIFY.CHILDLESS_IKEV2_SUPPORTED;
const childlessRule = messageRule("rfc6023");
const childlessExchange = exchangeRule("rfc6023");

const isAuth = ({ exchangeType, opened }: LintMessage): boolean =>
  exchangeType === EXCHANGE.IKE_AUTH && opened;

const eapOnly = notifyForm("rfc5998", "EAPONLY-02", "eap-only-notify-not-empty", {
  types: [NOTIFY.EAP_ONLY_AUTHENTICATION],
});

/** RFC 6023 asks for Protocol ID 1, RFC 7296 for 0. */
const childlessForm = notifyForm("rfc6023", "CHILDLESS-08", "childless-notify-malformed", {
  types: [CHILDLESS],
  protocolIds: [0, 1],
});

/** A request that names its sender is the first of IKE_AUTH: with it a Child SA is asked for, or none. */
const isChildless = (message: LintMessage): boolean =>
  isAuth(message) && !message.isResponse && has(message, PAYLOAD.IDi) && !has(message, PAYLOAD.SA);

const uninvited = childlessRule("childless-not-announced", ["CHILDLESS-04"], (message, sa) => {
  const init = isChildless(message) && !sa.established ? initOf(sa) : undefined;
  if (!init || notify(init.response, CHILDLESS)) return NONE;
  return [
    missing("SA", "no Child SA is asked for, and the responder did not announce CHILDLESS_IKEV2_SUPPORTED"),
  ];
});

const OF_CHILD_SAS: readonly number[] = [
  NOTIFY.USE_TRANSPORT_MODE,
  NOTIFY.IPCOMP_SUPPORTED,
  NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED,
  NOTIFY.NON_FIRST_FRAGMENTS_ALSO,
];

const leftOver = childlessRule("childless-with-child-payloads", ["CHILDLESS-10"], (message, sa) => {
  if (!isChildless(message) || sa.established) return NONE;
  const selectors = [PAYLOAD.TSi, PAYLOAD.TSr].map((type) => ofType(message, type));
  const odd = [...selectors, ...OF_CHILD_SAS.map((type) => notify(message, type))];
  return odd.flatMap((part) => (part ? [breachIn(part, "it stands in a request without SA")] : []));
});

/** With several authentications (RFC 4739) only the first of them is judged. */
const answeredWithSa = childlessExchange(
  "childless-answered-with-sa",
  ["CHILDLESS-05"],
  ({ request, response }, sa) => {
    const asked = !sa.established && isChildless(request) && has(request, PAYLOAD.AUTH);
    const init = asked ? initOf(sa) : undefined;
    const part = init && notify(init.response, CHILDLESS) ? first(response, "SA") : undefined;
    return part ? [breachIn(part, "the request asked for no Child SA")] : NONE;
  },
);

/** What asks for a Child SA without EAP. */
const OF_REQUEST: readonly number[] = [PAYLOAD.AUTH, PAYLOAD.SA, PAYLOAD.TSi, PAYLOAD.TSr];

const answeredWithout = childlessExchange(
  "answered-childless",
  ["CHILDLESS-06"],
  ({ request, response }, sa) => {
    const asked = !sa.established && isAuth(request) && OF_REQUEST.every((type) => has(request, type));
    const granted = response.opened && has(response, PAYLOAD.AUTH) && !has(response, PAYLOAD.EAP);
    // What is not granted at once is refused by a notify, or redirected (RFC 5685).
    if (!asked || !granted || has(response, PAYLOAD.SA) || hasError(response)) return NONE;
    if (notify(response, NOTIFY.REDIRECT) || notify(request, NOTIFY.ANOTHER_AUTH_FOLLOWS)) return NONE;
    if (notify(response, NOTIFY.ANOTHER_AUTH_FOLLOWS)) return NONE;
    return [missing("SA", "the request asked for a Child SA; the response has neither SA nor an error")];
  },
);

const idNull = messageRule("rfc7619")("id-null-with-data", ["NULLAUTH-06"], (message) =>
  all(message, "ID")
    .filter(({ payload }) => payload.idType === ID_TYPE.ID_NULL && payload.data.length > 0)
    .map((part) => breachIn(part, `ID_NULL with ${part.payload.data.length} octets of data`, 8, "data")),
);

const nullBesideEap = exchangeRule("rfc7619")("null-beside-eap", ["NULLAUTH-02"], ({ request, response }) => {
  const usesEap = isAuth(request) && has(request, PAYLOAD.IDi) && !has(request, PAYLOAD.AUTH);
  const part = usesEap && response.opened ? first(response, "AUTH") : undefined;
  if (part?.payload.method !== AUTH_METHOD.NULL) return NONE;
  return [breachIn(part, "NULL authentication though the initiator uses EAP", 4, "auth method")];
});

/** Of RFC 5998, RFC 6023 and RFC 7619. */
export const smallExtensions: readonly Rule[] = [
  ...[eapOnly, childlessForm],
  ...concerning({ exchanges: [EXCHANGE.IKE_AUTH], isResponse: false }, [uninvited, leftOver]),
  ...concerning({ payloads: [PAYLOAD.SA] }, [answeredWithSa]),
  ...concerning({ payloads: [PAYLOAD.AUTH] }, [answeredWithout]),
  ...concerning({ payloads: [PAYLOAD.IDi, PAYLOAD.IDr, PAYLOAD.IDg] }, [idNull]),
  ...concerning({ payloads: [PAYLOAD.AUTH] }, [nullBesideEap]),
];
