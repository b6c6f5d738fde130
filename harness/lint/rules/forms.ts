/** Rules about the form of notifies, and what else several documents ask for alike. */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY, notifyTypes } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { NotifyPayload, Proposal } from "../../wire/types.ts";
import { all, breachIn, first, has, NOTIFY_FIELD, notifies, notify, notifyDataAt } from "../parts.ts";
import {
  type ExchangeRule,
  type LintIkeSa,
  type LintMessage,
  type MessageRule,
  NONE,
  type Part,
  type SaRule,
  type WholeExchange,
} from "../rule.ts";
import type { Breach } from "../types.ts";

/** Shortens the tables of a document's rules. */
export const messageRule =
  (document: string) =>
  (name: string, requirements: readonly [string, ...string[]], check: MessageRule["check"]): MessageRule => ({
    document,
    requirements,
    name,
    scope: "message",
    check,
  });

export const saRule =
  (document: string) =>
  (name: string, requirements: readonly [string, ...string[]], begin: SaRule["begin"]): SaRule => ({
    ...{ document, requirements, name, scope: "sa" },
    begin,
  });

/** What a notify has to look like. */
export interface NotifyForm {
  /** Status or error types of this form. */
  types: readonly number[];
  /** Not set: 0 alone. */
  protocolIds?: readonly number[];
  /** Says what is wrong with the data; not set: there must be none. */
  data?: (data: Uint8Array, message: LintMessage) => string | undefined;
}

const noData = (data: Uint8Array): string | undefined =>
  data.length === 0 ? undefined : `${data.length} octets of data where there are none`;

/** What is wrong with the fields of a notify. */
export function formBreaches(
  part: Part<NotifyPayload>,
  message: LintMessage,
  { protocolIds = [0], data = noData }: NotifyForm,
): Breach[] {
  const { protocolId, spi, spiSize } = part.payload;
  const breaches: Breach[] = [];
  if (!protocolIds.includes(protocolId))
    breaches.push(
      breachIn(
        part,
        `Protocol ID ${protocolId}, not ${protocolIds.join(" or ")}`,
        NOTIFY_FIELD.protocolId,
        "protocol id",
      ),
    );
  if (spi.length > 0 || (spiSize ?? 0) > 0)
    breaches.push(breachIn(part, "it has an SPI", NOTIFY_FIELD.spiSize, "spi size"));
  const wrong = data(part.payload.data, message);
  if (wrong !== undefined) breaches.push(breachIn(part, wrong, notifyDataAt(part), "data"));
  return breaches;
}

/** A rule that notifies have their form, wherever they are. */
export const notifyForm = (
  document: string,
  requirement: string,
  name: string,
  form: NotifyForm,
): MessageRule => ({
  ...messageRule(document)(name, [requirement], (message) =>
    form.types.flatMap((type) =>
      notifies(message, type).flatMap((part) => formBreaches(part, message, form)),
    ),
  ),
  concerns: { notifies: form.types },
});

/** A breach by what is not there. */
export const missing = (field: string, reason: string): Breach => ({ field, reason });

/**
 * The exchange of IKE_SA_INIT that began an IKE SA. Undefined where it was not seen, or where a response may belong to
 * another request than the one it stands beside.
 */
export function initOf(sa: LintIkeSa): WholeExchange | undefined {
  if (sa.begun !== "IKE_SA_INIT" || sa.init.some(({ request, response }) => !request || !response))
    return undefined;
  for (const exchange of sa.init) {
    const { request, response } = exchange;
    if (request && response && has(response, PAYLOAD.SA)) return { ...exchange, request, response };
  }
  return undefined;
}

/** Whether both ends sent a notify in that exchange; undefined where it was not seen. */
export function bothAnnounced(sa: LintIkeSa, type: number): boolean | undefined {
  const init = initOf(sa);
  return init && notify(init.request, type) !== undefined && notify(init.response, type) !== undefined;
}

/** A rule that a request which returns a cookie still has a notify that the first request had (RFC 7296 section 2.6). */
export const kept = (document: string, requirement: string, name: string, type: number): MessageRule => ({
  ...messageRule(document)(name, [requirement], (message, sa) => {
    if (message.exchangeType !== EXCHANGE.IKE_SA_INIT || message.isResponse) return NONE;
    const before = sa.init.find(({ request }) => request)?.request;
    if (!notify(message, NOTIFY.COOKIE) || !before || before === message) return NONE;
    if (!notify(before, type) || notify(message, type)) return NONE;
    const notifyName = notifyTypes.nameOf(type);
    return [
      missing(`N(${notifyName})`, `the request that returns a cookie lacks ${notifyName}, the first had it`),
    ];
  }),
  concerns: { exchanges: [EXCHANGE.IKE_SA_INIT], isResponse: false, notifies: [NOTIFY.COOKIE] },
});

/** Types of notifies below it are errors. */
const FIRST_STATUS = 16384;

/** Whether a message has the notify of an error. */
export const hasError = (message: LintMessage): boolean =>
  all(message, "Notify").some(({ payload }) => payload.notifyType < FIRST_STATUS);

/** The proposal that a response chose, and the one of the request with its number. */
export function choiceOf({
  request,
  response,
}: WholeExchange): { chosen: Proposal; offered: Proposal; part: Part } | undefined {
  const part = first(response, "SA");
  const chosen = part?.payload.proposals[0];
  const offered = first(request, "SA")?.payload.proposals.find(({ number }) => number === chosen?.number);
  return part && chosen && offered && { chosen, offered, part };
}

export const exchangeRule =
  (document: string) =>
  (
    name: string,
    requirements: readonly [string, ...string[]],
    check: ExchangeRule["check"],
  ): ExchangeRule => ({ document, requirements, name, scope: "exchange", check });
