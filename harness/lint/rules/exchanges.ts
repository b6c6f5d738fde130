/** Message IDs, windows, retransmissions and addresses (RFC 7296 sections 2.1 to 2.4 and 2.11). */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { isErrorType } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { all, breachInHeader, has } from "../parts.ts";
import {
  type Exchange,
  exchangeKey,
  type LintIkeSa,
  type LintMessage,
  NONE,
  otherRole,
  type Rule,
} from "../rule.ts";
import type { End, Role } from "../types.ts";
import { ofResponse, ofSa } from "./rfc7296.ts";

const ID_AT = 20;
const isInit = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;

/** A message that belongs to the numbering: of IKE_SA_INIT all have 0, and what is in clear may be a forger's. */
const counts = (message: LintMessage): boolean => message.protected && !isInit(message);

/** Message ID of the first request of a side behind IKE_SA_INIT. */
const firstId = (sa: LintIkeSa, by: Role): number =>
  sa.begun === "IKE_SA_INIT" && by === "initiator" ? 1 : 0;

const skipped = ofSa("message-id-skipped", ["IKEV2-063", "IKEV2-065", "IKEV2-027"], (sa) => {
  const highest: Partial<Record<Role, number>> = {};
  return (message) => {
    if (message.isResponse || !sa.begun || !counts(message)) return NONE;
    const { by, messageId } = message;
    const before = highest[by];
    const next = before === undefined ? firstId(sa, by) : before + 1;
    highest[by] = Math.max(before ?? 0, messageId);
    // The other side may have told of a larger window in a message that is closed.
    const window = Math.max(sa.window[otherRole(by)], sa.closed ? 64 : 1);
    if (messageId < next + window) return NONE;
    const requirement = before !== undefined || by === "initiator" ? "IKEV2-063" : "IKEV2-065";
    const reason = `a request with Message ID ${messageId}, the next is ${next}`;
    const isFirst = sa.begun === "rekey" && before === undefined;
    return [
      { ...breachInHeader(ID_AT, "message ID", reason), requirement: isFirst ? "IKEV2-027" : requirement },
    ];
  };
});

/** Requests of a side that are not answered, as far as is known. */
const openRequests = (sa: LintIkeSa, by: Role): Exchange[] =>
  [...sa.exchanges.values()].filter(
    (exchange) =>
      exchange.by === by &&
      exchange.request &&
      counts(exchange.request) &&
      !exchange.response &&
      !exchange.partial,
  );

const unasked = ofSa("response-to-no-request", "IKEV2-064", (sa) => (message, { as, exchange }) => {
  if (!message.isResponse || as !== "first" || !sa.begun || !counts(message) || !exchange) return NONE;
  if (exchange.request || exchange.partial) return NONE;
  const open = openRequests(sa, exchange.by);
  if (open.length === 0) return NONE;
  const ids = open.map(({ messageId }) => messageId).join(", ");
  const reason = `a response with Message ID ${message.messageId}, open is ${ids}`;
  return [breachInHeader(ID_AT, "message ID", reason)];
});

/** Octets may be compared where both are whole messages, and from the peer as much or as little. */
const comparable = (a: LintMessage, b: LintMessage): boolean =>
  counts(a) && counts(b) && a.opened === b.opened && !a.seen.fragments && !b.seen.fragments;

const otherRequest = ofSa("retransmission-not-identical", "IKEV2-059", () => (message, { as, exchange }) => {
  const before = exchange?.request;
  if (message.isResponse || as !== "variant" || !before || !comparable(before, message)) return NONE;
  const reason = `other octets than the request of this Message ID in packet ${before.packet}`;
  return [breachInHeader(ID_AT, "message ID", reason)];
});

const otherResponse = ofSa("response-not-identical", "IKEV2-056", () => (message, { as, exchange }) => {
  const before = exchange?.response;
  if (!message.isResponse || as !== "variant" || !before || !comparable(before, message)) return NONE;
  const reason = `other octets than the response of this Message ID in packet ${before.packet}`;
  return [breachInHeader(ID_AT, "message ID", reason)];
});

const overWindow = ofSa(
  "request-beyond-window",
  ["IKEV2-069", "IKEV2-070", "IKEV2-029"],
  (sa) =>
    (message, { as }) => {
      const { by, isResponse } = message;
      // A window may have been told in a message that is closed.
      if (isResponse || as !== "first" || !sa.begun || sa.closed || !message.opened) return NONE;
      const window = sa.window[otherRole(by)];
      const open = openRequests(sa, by).filter(({ request }) => request !== message);
      const waiting = open.filter(({ messageId }) => messageId <= message.messageId - window);
      if (waiting.length === 0) return NONE;
      const ids = waiting.map(({ messageId }) => messageId).join(", ");
      const reason = `a request while ${ids} is not answered, the window is ${window}`;
      const small = sa.begun === "rekey" ? "IKEV2-029" : "IKEV2-069";
      return [
        { ...breachInHeader(ID_AT, "message ID", reason), requirement: window > 1 ? "IKEV2-070" : small },
      ];
    },
);

/** A network may deliver twice, and late; a second between is more than that. */
const LATE_MS = 1000;

const againUnasked = ofSa(
  "response-again-without-request",
  "IKEV2-054",
  (sa) =>
    (message, { as, exchange }) => {
      if (!message.isResponse || as !== "copy" || !exchange || !sa.begun || isInit(message)) return NONE;
      const { requestTimes, responseTimes } = exchange;
      const last = Math.max(requestTimes.at(-1) ?? Number.POSITIVE_INFINITY, responseTimes.at(-2) ?? 0);
      // Fragments of a request that come again are not counted.
      if (exchange.partial || exchange.request?.seen.fragments || responseTimes.length <= requestTimes.length)
        return NONE;
      if (message.seen.timeMs - last < LATE_MS) return NONE;
      return [
        {
          reason: `transmission ${responseTimes.length} of a response to ${requestTimes.length} of its request`,
        },
      ];
    },
);

const MOST_SAME = 4;
/** What counts as growing, from the first interval to the last. */
const GROWTH = 1.2;

/** Judged once for a request that nobody answered, at its fifth transmission: intervals that began to grow may be cut off later. */
const steady = ofSa("retransmission-without-backoff", "IKEV2-083", () => (message, { as, exchange }) => {
  const times = exchange?.requestTimes ?? [];
  if (message.isResponse || as !== "copy" || exchange?.response || times.length !== MOST_SAME + 1)
    return NONE;
  const [first = 0, second = 0] = times;
  const last = message.seen.timeMs - (times[MOST_SAME - 1] ?? 0);
  if (second - first < LATE_MS / 4 || last >= GROWTH * (second - first)) return NONE;
  const reason = `after ${MOST_SAME} retransmissions the interval is ${Math.round(last)} ms, the first was ${Math.round(second - first)} ms`;
  return [{ reason }];
});

const same = (a: End, b: End): boolean => a.host === b.host && a.port === b.port;
const text = ({ host, port }: End): string => `${host} port ${port}`;

const addresses = ofResponse(
  "response-to-another-address",
  "IKEV2-150",
  ({ request, response, requestTimes }) => {
    // A retransmission may have come from elsewhere.
    if (requestTimes.length > 1 || !response.protected) return NONE;
    const [asked, answered] = [request.seen, response.seen];
    if (!same(asked.source, answered.destination))
      return [{ reason: `to ${text(answered.destination)}, the request came from ${text(asked.source)}` }];
    if (same(asked.destination, answered.source)) return NONE;
    return [{ reason: `from ${text(answered.source)}, the request went to ${text(asked.destination)}` }];
  },
);

/** A failure may be told before authentication ended (section 2.21.2), and the SA be closed. */
const tellsFailure = (message: LintMessage): boolean =>
  has(message, PAYLOAD.DELETE) ||
  all(message, "Notify").some(({ payload }) => isErrorType(payload.notifyType));

const tooEarly = ofSa("informational-before-authentication", "IKEV2-034", (sa) => (message, { as }) => {
  if (message.exchangeType !== EXCHANGE.INFORMATIONAL || message.isResponse || as !== "first") return NONE;
  if (!message.opened || sa.begun !== "IKE_SA_INIT" || sa.established || sa.closed) return NONE;
  if (tellsFailure(message) || sa.exchanges.get(exchangeKey("initiator", 1))?.partial) return NONE;
  return [breachInHeader(18, "exchange type", "an INFORMATIONAL request before the end of IKE_AUTH")];
});

export const exchanges: readonly Rule[] = [
  ...[skipped, unasked, otherRequest, otherResponse, overWindow, againUnasked, steady, addresses, tooEarly],
];
