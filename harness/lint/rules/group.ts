/** Group key management (RFC 9838): requests, answers and notifies. What GSA and KD hold is in `group-policy.ts` and `group-keys.ts`. */

import { readU32 } from "../../wire/bytes.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../../wire/registry/group-attributes.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Proposal } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, breachInHeader, first, has, notifies, notify, ofType } from "../parts.ts";
import { type LintMessage, NONE, type Rule, type WholeExchange } from "../rule.ts";
import type { End } from "../types.ts";
import { exchangeRule, initOf, messageRule, missing, notifyForm, saRule } from "./forms.ts";

const rule = messageRule("g-ikev2");
const ofExchange = exchangeRule("g-ikev2");

const REGISTRATIONS: ReadonlySet<number> = new Set([EXCHANGE.GSA_AUTH, EXCHANGE.GSA_REGISTRATION]);
const isRegistration = ({ exchangeType, opened }: LintMessage): boolean =>
  REGISTRATIONS.has(exchangeType) && opened;
const asks = (message: LintMessage): boolean => isRegistration(message) && !message.isResponse;

const errors = notifyForm("g-ikev2", "G-IKEV2-103", "group-notify-with-protocol-or-spi", {
  types: [
    NOTIFY.INVALID_GROUP_ID,
    NOTIFY.AUTHORIZATION_FAILED,
    NOTIFY.REGISTRATION_FAILED,
    NOTIFY.GROUP_SENDER,
  ],
  data: () => undefined,
});

const sender = rule("group-sender-not-4-octets", ["G-IKEV2-104"], (message) =>
  notifies(message, NOTIFY.GROUP_SENDER)
    .filter(({ payload }) => payload.data.length !== 4)
    .map((part) => breachIn(part, `${part.payload.data.length} octets of data`, 8, "data")),
);

const selectors = rule("traffic-selectors-in-gsa-auth", ["G-IKEV2-07"], (message) =>
  asks(message)
    ? [PAYLOAD.TSi, PAYLOAD.TSr].flatMap((type) => {
        const part = ofType(message, type);
        return part ? [breachIn(part, "a registration has no traffic selectors")] : [];
      })
    : NONE,
);

const offers = (message: LintMessage): readonly Proposal[] => first(message, "SA")?.payload.proposals ?? [];
const wraps = ({ transforms }: Proposal): boolean => transforms.some(({ type }) => type === TRANSFORM.KWA);

const spis = rule("sag-with-spi", ["G-IKEV2-14"], (message) => {
  const part = asks(message) ? first(message, "SA") : undefined;
  return (part?.payload.proposals ?? []).flatMap(({ spi, spiSize, number }) =>
    part && (spi.length > 0 || (spiSize ?? 0) > 0)
      ? [breachIn(part, "a proposal has an SPI", 0, `proposal ${number}`)]
      : [],
  );
});

const wrapInSag = rule("sag-without-key-wrap", ["G-IKEV2-102"], (message) => {
  const part = asks(message) && message.exchangeType === EXCHANGE.GSA_AUTH ? first(message, "SA") : undefined;
  return (part?.payload.proposals ?? []).flatMap((proposal) =>
    part && proposal.protocolId === PROTOCOL.GIKE_UPDATE && !wraps(proposal)
      ? [breachIn(part, "no key wrap algorithm for GIKE_UPDATE", 0, `proposal ${proposal.number}`)]
      : [],
  );
});

/** Known once IKE_SA_INIT turns out to begin a registration. */
const wrapInInit = rule("registration-without-key-wrap", ["G-IKEV2-05"], (message, sa) => {
  const init = message.exchangeType === EXCHANGE.GSA_AUTH && message.opened ? initOf(sa) : undefined;
  if (!init) return NONE;
  if (!message.isResponse)
    return offers(init.request).some(wraps) ? NONE : [missing("SA", "SAi1 offered no key wrap algorithm")];
  const isNegligent =
    has(message, PAYLOAD.GSA) && offers(init.request).some(wraps) && !offers(init.response).some(wraps);
  return isNegligent ? [missing("SA", "SAr1 chose no key wrap algorithm")] : NONE;
});

const REFUSALS: readonly number[] = [
  NOTIFY.NO_PROPOSAL_CHOSEN,
  NOTIFY.INVALID_GROUP_ID,
  NOTIFY.AUTHORIZATION_FAILED,
  NOTIFY.REGISTRATION_FAILED,
];

/** What is wrong with a refusal; nothing for a response that is none. */
function refusalFaults({ request, response }: WholeExchange): string[] {
  const refusals = REFUSALS.flatMap((type) => notifies(response, type));
  if (refusals.length === 0) return [];
  const faults: string[] = [];
  if (refusals.length > 1) faults.push("it has several errors");
  if (has(response, PAYLOAD.GSA) || has(response, PAYLOAD.KD))
    faults.push("it has GSA or KD beside an error");
  const isProof =
    request.exchangeType === EXCHANGE.GSA_AUTH && has(request, PAYLOAD.AUTH) && has(request, PAYLOAD.IDi);
  if (isProof && !(has(response, PAYLOAD.AUTH) && has(response, PAYLOAD.IDr)))
    faults.push("it has no IDr or no AUTH");
  return faults;
}

const refusal = ofExchange("group-refusal-malformed", ["G-IKEV2-09"], (exchange) =>
  asks(exchange.request) && exchange.response.opened
    ? refusalFaults(exchange).map((fault) => ({ reason: `a registration is refused, and ${fault}` }))
    : NONE,
);

const LEAVING: readonly number[] = [NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.REGISTRATION_FAILED];

const leaves = (message: LintMessage): boolean =>
  asks(message) && has(message, PAYLOAD.IDg) && LEAVING.some((type) => notify(message, type) !== undefined);

const nameless = rule("leaving-member-names-no-group", ["G-IKEV2-11"], (message) => {
  const isLeaving =
    message.exchangeType === EXCHANGE.GSA_REGISTRATION && message.opened && !message.isResponse;
  const part = isLeaving ? LEAVING.flatMap((type) => notify(message, type) ?? [])[0] : undefined;
  return part && !has(message, PAYLOAD.IDg)
    ? [breachIn(part, "an error in a request that names no group")]
    : NONE;
});

const farewell = ofExchange("leaving-member-not-answered-empty", ["G-IKEV2-12"], ({ request, response }) => {
  const [part] = leaves(request) && response.opened ? (response.content ?? []) : [];
  return part ? [breachIn(part, "who leaves gets an empty answer")] : NONE;
});

const inband = ofExchange("inband-rekey-not-answered-empty", ["G-IKEV2-52"], ({ request, response }) => {
  const isRekey = request.exchangeType === EXCHANGE.GSA_INBAND_REKEY && request.opened && response.opened;
  const [part] = isRekey && has(request, PAYLOAD.KD) ? (response.content ?? []) : [];
  // What a member cannot take it may refuse by an error.
  return part?.payload.kind === "Notify" && part.payload.notifyType < NOTIFY.INITIAL_CONTACT
    ? NONE
    : part
      ? [breachIn(part, "GSA_INBAND_REKEY is answered by an empty message")]
      : NONE;
});

const modes = rule("transport-mode-said-twice", ["G-IKEV2-30"], (message) => {
  const [, second] =
    isRegistration(message) && message.isResponse ? notifies(message, NOTIFY.USE_TRANSPORT_MODE) : [];
  return second ? [breachIn(second, "the mode of all data SAs is told once")] : NONE;
});

const isMulticast = ({ host }: End): boolean => /^(22[4-9]|23\d)\.|^ff/i.test(host);

/** On a Rekey SA, whose messages go to a group: who does not know groups may answer what it does not know. */
const answered = exchangeRule("g-ikev2")("gsa-rekey-answered", ["G-IKEV2-E2"], ({ request, response }, sa) =>
  response.exchangeType === EXCHANGE.GSA_REKEY &&
  response.opened &&
  !sa.begun &&
  isMulticast(request.seen.destination)
    ? [breachInHeader(19, "flags", "GSA_REKEY has no response")]
    : NONE,
);

const copies = saRule("g-ikev2")("gsa-rekey-copy-differs", ["G-IKEV2-45"], () => (message, { as }) => {
  if (message.exchangeType !== EXCHANGE.GSA_REKEY || message.isResponse || as !== "variant") return NONE;
  if (message.seen.fragments !== undefined) return NONE;
  return [breachInHeader(20, "message id", "a message of the same Message ID had other octets")];
});

const method = rule("gsa-rekey-auth-method", ["G-IKEV2-82"], (message, sa) => {
  const isRekey = message.exchangeType === EXCHANGE.GSA_REKEY && message.opened && !sa.begun;
  const part = isRekey ? first(message, "AUTH") : undefined;
  return part && part.payload.method !== AUTH_METHOD.DIGITAL_SIGNATURE
    ? [breachIn(part, `method ${part.payload.method}, where it is 14`, 4, "auth method")]
    : NONE;
});

/** How many Sender-IDs a member asked for; undefined where it did not. */
const wanted = (request: LintMessage): number | undefined => {
  const data = notify(request, NOTIFY.GROUP_SENDER)?.payload.data;
  return data?.length === 4 ? readU32(data, 0) : undefined;
};

const ids = ofExchange("sender-ids-not-asked-for", ["G-IKEV2-100", "G-IKEV2-94"], ({ request, response }) => {
  if (!asks(request) || !response.opened) return NONE;
  const asked = wanted(request);
  return all(response, "KD").flatMap((part) => {
    const given = part.payload.bags.flatMap((bag) =>
      bag.kind === "member"
        ? bag.attributes.filter(({ type }) => type === MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID)
        : [],
    ).length;
    if (given <= (asked ?? 0)) return [];
    const requirement = notify(request, NOTIFY.GROUP_SENDER) ? "G-IKEV2-100" : "G-IKEV2-94";
    return [
      { ...breachIn(part, `${given} Sender-IDs are given, ${asked ?? 0} were asked for`), requirement },
    ];
  });
});

/** Of the exchanges of RFC 9838. */
export const group: readonly Rule[] = [
  errors,
  ...concerning({ notifies: [NOTIFY.GROUP_SENDER] }, [sender]),
  ...concerning({ exchanges: [...REGISTRATIONS] }, [selectors, spis, wrapInSag, wrapInInit]),
  ...concerning({ notifies: REFUSALS }, [refusal]),
  ...concerning({ exchanges: [EXCHANGE.GSA_REGISTRATION] }, [nameless]),
  ...[farewell, inband],
  ...concerning({ exchanges: [...REGISTRATIONS] }, [modes]),
  ...concerning<Rule>({ exchanges: [EXCHANGE.GSA_REKEY] }, [answered, copies, method]),
  ...concerning({ payloads: [PAYLOAD.KD] }, [ids]),
];
