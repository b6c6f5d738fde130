/** Preshared keys beside the key exchange: RFC 8784 in IKE_AUTH, RFC 9867 in IKE_INTERMEDIATE and CREATE_CHILD_SA. */
import { equal, hex } from "../../wire/bytes.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { NotifyPayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, first, has, notifies, notify, notifyDataAt } from "../parts.ts";
import { exchangeKey, type LintIkeSa, type LintMessage, NONE, type Part, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { exchangeRule, formBreaches, initOf, kept, messageRule, missing, notifyForm } from "./forms.ts";

const rule = messageRule("rfc8784");
const early = messageRule("rfc9867");

const isAuth = ({ exchangeType, opened }: LintMessage): boolean =>
  exchangeType === EXCHANGE.IKE_AUTH && opened;
const isInit = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;

/**
 * How PPKs were agreed on in IKE_SA_INIT. Undefined where that was not seen, or where both ends sent USE_PPK_INT by the
 * number that libreswan had for it before it had one: the rest of such an agreement has other numbers, too.
 */
function agreement(sa: LintIkeSa): { inAuth: boolean; early: boolean } | undefined {
  const init = initOf(sa);
  if (!init) return undefined;
  const both = (type: number): boolean =>
    notify(init.request, type) !== undefined && notify(init.response, type) !== undefined;
  if (both(NOTIFY.LIBRESWAN_USE_PPK_INT)) return undefined;
  return { inAuth: both(NOTIFY.USE_PPK), early: both(NOTIFY.USE_PPK_INT) };
}

const FIRST_PRIVATE_TYPE = 128;
const ID_TYPES: ReadonlySet<number> = new Set([1, 2]);

/** Says what is wrong with a PPK_ID. */
function idFault(id: Uint8Array): string | undefined {
  const [type] = id;
  if (type === undefined) return "there is no PPK_ID";
  return ID_TYPES.has(type) || type >= FIRST_PRIVATE_TYPE
    ? undefined
    : `a PPK_ID of type ${type}, which nobody has assigned`;
}

const usePpk = notifyForm("rfc8784", "PPK-03", "use-ppk-not-empty", { types: [NOTIFY.USE_PPK] });

const noPpkAuth = notifyForm("rfc8784", "PPK-13", "no-ppk-auth-malformed", {
  types: [NOTIFY.NO_PPK_AUTH],
  data: (data) => (data.length > 0 ? undefined : "there are no authentication data"),
});

const keptByCookie = kept("rfc8784", "PPK-02", "use-ppk-lost-with-cookie", NOTIFY.USE_PPK);

const identities = (message: LintMessage, isResponse: boolean): Part<NotifyPayload>[] =>
  isAuth(message) && message.isResponse === isResponse ? notifies(message, NOTIFY.PPK_IDENTITY) : [];

const anyData = (): undefined => undefined;

const requestForm = rule("ppk-identity-malformed", ["PPK-10", "PPK-23"], (message) =>
  identities(message, false).flatMap((part) => {
    const fault = idFault(part.payload.data);
    return [
      ...formBreaches(part, message, { types: [], data: anyData }),
      ...(fault ? [{ ...breachIn(part, fault, notifyDataAt(part), "data"), requirement: "PPK-23" }] : []),
    ];
  }),
);

const responseForm = rule("ppk-identity-of-response-not-empty", ["PPK-18"], (message) =>
  identities(message, true).flatMap((part) => formBreaches(part, message, { types: [] })),
);

const uninvited = rule("ppk-not-agreed-on", ["PPK-07"], (message, sa) => {
  const agreed = isAuth(message) && !message.isResponse ? agreement(sa) : undefined;
  if (!agreed || agreed.inAuth || agreed.early) return NONE;
  return [...notifies(message, NOTIFY.PPK_IDENTITY), ...notifies(message, NOTIFY.NO_PPK_AUTH)].map((part) =>
    breachIn(part, "it is sent though not both ends sent USE_PPK"),
  );
});

const absent = rule("ppk-identity-missing", ["PPK-10"], (message, sa) => {
  if (!isAuth(message) || message.isResponse || sa.established || !has(message, PAYLOAD.AUTH)) return NONE;
  const agreed = agreement(sa);
  if (!agreed?.inAuth || agreed.early || notify(message, NOTIFY.PPK_IDENTITY)) return NONE;
  return [
    missing("N(PPK_IDENTITY)", "both ends sent USE_PPK, and the request with AUTH has no PPK_IDENTITY"),
  ];
});

const beforeAuth = rule("ppk-identity-before-auth", ["PPK-22"], (message) =>
  isAuth(message) && !message.isResponse && !has(message, PAYLOAD.AUTH)
    ? notifies(message, NOTIFY.PPK_IDENTITY).map((part) => breachIn(part, "the request has no AUTH payload"))
    : NONE,
);

/** Methods whose data are one output of the PRF. */
const OF_PRF: ReadonlySet<number> = new Set([AUTH_METHOD.SHARED_KEY_MIC, AUTH_METHOD.NULL]);

const noPpkAuthData = rule("no-ppk-auth-not-of-auth-method", ["PPK-13", "PPK-12"], (message) => {
  const auth = isAuth(message) ? first(message, "AUTH")?.payload : undefined;
  if (!auth) return NONE;
  return notifies(message, NOTIFY.NO_PPK_AUTH).flatMap((part): Breach[] => {
    const { data } = part.payload;
    if (data.length > 0 && equal(data, auth.data))
      return [
        breachIn(part, "the data are those of AUTH, which is made with the PPK", notifyDataAt(part), "data"),
      ];
    if (!OF_PRF.has(auth.method) || data.length === auth.data.length) return [];
    const reason = `${data.length} octets, where method ${auth.method} gives ${auth.data.length}`;
    return [{ ...breachIn(part, reason, notifyDataAt(part), "data"), requirement: "PPK-12" }];
  });
});

const useEarly = notifyForm("rfc9867", "PPKINT-02", "use-ppk-int-not-empty", { types: [NOTIFY.USE_PPK_INT] });

const alone = early("use-ppk-int-alone", ["PPKINT-01", "PPKINT-04"], (message) => {
  const part = isInit(message) ? notify(message, NOTIFY.USE_PPK_INT) : undefined;
  if (!part || notify(message, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED)) return NONE;
  const requirement = message.isResponse ? "PPKINT-04" : "PPKINT-01";
  return [{ ...breachIn(part, "it comes without INTERMEDIATE_EXCHANGE_SUPPORTED"), requirement }];
});

const bothWays = early("both-ways-of-ppks-returned", ["PPKINT-07"], (message) => {
  const part = isInit(message) && message.isResponse ? notify(message, NOTIFY.USE_PPK_INT) : undefined;
  return part && notify(message, NOTIFY.USE_PPK) ? [breachIn(part, "USE_PPK is returned as well")] : NONE;
});

/** Octets of PPK Confirmation, behind the PPK_ID. */
const CONFIRMATION = 8;

const offered = (message: LintMessage): Part<NotifyPayload>[] =>
  message.opened && !message.isResponse ? notifies(message, NOTIFY.PPK_IDENTITY_KEY) : [];

/** Of requests: what a response does with this notify is for nobody. */
const offerForm = early("ppk-identity-key-malformed", ["PPKINT-09"], (message) =>
  offered(message).flatMap((part) =>
    formBreaches(part, message, {
      types: [],
      data: (data) =>
        data.length <= CONFIRMATION
          ? `${data.length} octets have no room for a PPK_ID and its confirmation`
          : idFault(data.subarray(0, -CONFIRMATION)),
    }),
  ),
);

const isIntermediate = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_INTERMEDIATE;

const unasked = early("early-ppks-not-agreed-on", ["PPKINT-09"], (message, sa) =>
  isIntermediate(message) && agreement(sa)?.early === false
    ? offered(message).map((part) => breachIn(part, "it is sent though not both ends sent USE_PPK_INT"))
    : NONE,
);

/** The requests of IKE_INTERMEDIATE in front of a Message ID; undefined where not all of them could be read. */
function requestsBefore(sa: LintIkeSa, messageId: number): LintMessage[] | undefined {
  const requests: LintMessage[] = [];
  for (let id = 1; id < messageId; id++) {
    const request = sa.exchanges.get(exchangeKey("initiator", id))?.request;
    if (!request?.opened) return undefined;
    requests.push(request);
  }
  return requests;
}

const notOffered = early("no-early-ppk-offered", ["PPKINT-09"], (message, sa) => {
  const isFirst = !sa.auth || sa.auth === message;
  if (!isAuth(message) || message.isResponse || !isFirst || agreement(sa)?.early !== true) return NONE;
  const before = requestsBefore(sa, message.messageId);
  if (!before || before.some((request) => !isIntermediate(request) || offered(request).length > 0))
    return NONE;
  return [missing("N(PPK_IDENTITY_KEY)", "IKE_AUTH begins, and no IKE_INTERMEDIATE has offered a PPK")];
});

const notLast = early("early-ppks-before-last-exchange", ["PPKINT-10"], (message, sa) => {
  if (!isIntermediate(message) || message.isResponse || !message.opened) return NONE;
  const before = requestsBefore(sa, message.messageId);
  if (!before?.some((request) => isIntermediate(request) && offered(request).length > 0)) return NONE;
  return [{ reason: "another IKE_INTERMEDIATE follows on the one with PPK_IDENTITY_KEY" }];
});

const WITH_OFFERS: ReadonlyMap<number, string> = new Map([
  [EXCHANGE.IKE_INTERMEDIATE, "PPKINT-14"],
  [EXCHANGE.CREATE_CHILD_SA, "PPKINT-28"],
]);

const choice = exchangeRule("rfc9867")(
  "ppk-chosen-that-was-not-offered",
  ["PPKINT-14", "PPKINT-28"],
  ({ request, response }) => {
    const requirement = WITH_OFFERS.get(response.exchangeType);
    const ids = offered(request).map(({ payload }) => hex(payload.data.subarray(0, -CONFIRMATION)));
    if (requirement === undefined || ids.length === 0 || !response.opened) return NONE;
    return notifies(response, NOTIFY.PPK_IDENTITY)
      .filter(({ payload }) => !ids.includes(hex(payload.data)))
      .map((part) => ({
        ...breachIn(part, "the PPK_ID is none of those on offer", notifyDataAt(part), "data"),
        requirement,
      }));
  },
);

const again = early("ppk-named-again-in-ike-auth", ["PPKINT-25"], (message, sa) => {
  const agreed = isAuth(message) ? agreement(sa) : undefined;
  if (!agreed?.early || agreed.inAuth) return NONE;
  return [...notifies(message, NOTIFY.PPK_IDENTITY), ...notifies(message, NOTIFY.NO_PPK_AUTH)].map((part) =>
    breachIn(part, "PPKs were agreed on for IKE_INTERMEDIATE, not for IKE_AUTH"),
  );
});

const earlyKept = kept("rfc9867", "PPKINT-01", "use-ppk-int-lost-with-cookie", NOTIFY.USE_PPK_INT);

const named = { notifies: [NOTIFY.PPK_IDENTITY, NOTIFY.NO_PPK_AUTH] };
const ofUse = { notifies: [NOTIFY.USE_PPK_INT] };
const requestOf = (exchangeType: number) => ({ exchanges: [exchangeType], isResponse: false });

/** Of RFC 8784 and RFC 9867. */
export const ppk: readonly Rule[] = [
  ...[usePpk, noPpkAuth, keptByCookie],
  ...concerning(named, [requestForm, responseForm, uninvited]),
  ...concerning(requestOf(EXCHANGE.IKE_AUTH), [absent]),
  ...concerning(named, [beforeAuth, noPpkAuthData]),
  useEarly,
  ...concerning(ofUse, [alone, bothWays]),
  ...concerning({ notifies: [NOTIFY.PPK_IDENTITY_KEY] }, [offerForm, unasked]),
  ...concerning(requestOf(EXCHANGE.IKE_AUTH), [notOffered]),
  ...concerning(requestOf(EXCHANGE.IKE_INTERMEDIATE), [notLast]),
  ...concerning<Rule>(named, [choice, again]),
  earlyKept,
];
