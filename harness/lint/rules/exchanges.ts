/** Message IDs, windows, retransmissions and addresses (RFC 7296 sections 2.1 to 2.4 and 2.11). */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { isErrorType, NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { areTooMany, firstId, idsOf, knowsWindow } from "../certainty.ts";
import { all, breachInHeader, has, notify } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, otherRole, type Rule } from "../rule.ts";
import type { End, Role } from "../types.ts";
import { bothAnnounced } from "./forms.ts";
import { ofResponse, ofSa } from "./rfc7296.ts";

const ID_AT = 20;
const isInit = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;

/** A message that belongs to the numbering: of IKE_SA_INIT all have 0, what is in clear may be a forger's, a group's has no answer. */
const counts = (message: LintMessage): boolean =>
  message.protected && !isInit(message) && message.exchangeType !== EXCHANGE.GSA_REKEY;

/** Synchronising a cluster (RFC 6311) may set the numbers anew. */
const mayJump = (sa: LintIkeSa): boolean =>
  [sa.announced.initiator, sa.announced.responder].some((types) =>
    types.has(NOTIFY.IKEV2_MESSAGE_ID_SYNC_SUPPORTED),
  );

/** The request that begins IKE_AUTH, where nothing may have come between it and IKE_SA_INIT. */
const isSurelyFirst = (sa: LintIkeSa, message: LintMessage): boolean =>
  message.exchangeType === EXCHANGE.IKE_AUTH &&
  message.opened &&
  message.by === "initiator" &&
  has(message, PAYLOAD.IDi) &&
  has(message, PAYLOAD.SA) &&
  bothAnnounced(sa, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED) === false;

/** Exchanges that are not in the capture explain a gap, unless there was no time for so many. */
const skipped = ofSa("message-id-skipped", ["IKEV2-063", "IKEV2-065", "IKEV2-027"], (sa) => {
  const highest: Partial<Record<Role, { id: number; timeMs: number }>> = {};
  let beganMs: number | undefined;
  return (message) => {
    beganMs ??= message.seen.timeMs;
    if (message.isResponse || !sa.begun || !counts(message)) return NONE;
    const { by, messageId } = message;
    const before = highest[by];
    const next = before === undefined ? firstId(sa, by) : before.id + 1;
    if (messageId >= next) highest[by] = { id: messageId, timeMs: message.seen.timeMs };
    const elapsed = message.seen.timeMs - (before?.timeMs ?? beganMs);
    const isAway = areTooMany(messageId - next, elapsed) && !mayJump(sa);
    if (!isAway && !(messageId !== 1 && isSurelyFirst(sa, message))) return NONE;
    const requirement = before !== undefined || by === "initiator" ? "IKEV2-063" : "IKEV2-065";
    const reason = `a request with Message ID ${messageId}, the next is ${next}`;
    const isFirst = sa.begun === "rekey" && before === undefined;
    return [
      { ...breachInHeader(ID_AT, "message ID", reason), requirement: isFirst ? "IKEV2-027" : requirement },
    ];
  };
});

/**
 * A request may be missing in the capture. The original initiator has none of Message ID 0 behind IKE_SA_INIT, but for
 * INFORMATIONAL (RFC 6311), and neither side can be far ahead of its last one.
 */
const unasked = ofSa("response-to-no-request", "IKEV2-064", (sa) => (message, { as, exchange }) => {
  if (!message.isResponse || as !== "first" || !sa.begun || !counts(message) || !exchange) return NONE;
  if (exchange.request || exchange.partial) return NONE;
  const { messageId, exchangeType } = message;
  const last = Math.max(-1, ...idsOf(sa, exchange.by).filter((id) => id !== messageId));
  const isZero = messageId === 0 && firstId(sa, exchange.by) === 1 && exchangeType !== EXCHANGE.INFORMATIONAL;
  const elapsed = message.seen.timeMs - (sa.init[0]?.requestTimes[0] ?? 0);
  if (!isZero && (mayJump(sa) || !areTooMany(messageId - last, elapsed))) return NONE;
  const reason = `a response with Message ID ${messageId}, the last request has ${last < 0 ? "none" : last}`;
  return [breachInHeader(ID_AT, "message ID", reason)];
});

const synchronises = (message: LintMessage): boolean =>
  notify(message, NOTIFY.IKEV2_MESSAGE_ID_SYNC) !== undefined;

/** Octets may be compared where both are whole messages and surely from the peer; of a cluster all have Message ID 0. */
const comparable = (a: LintMessage, b: LintMessage): boolean =>
  [a, b].every((one) => counts(one) && one.opened && !one.seen.fragments && !synchronises(one));

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

/** A network may deliver twice, and late; a second between is more than that. */
const LATE_MS = 1000;

/** The requests of a side that the window kept it from sending before one of Message ID `open` was answered. */
const beyond = (sa: LintIkeSa, by: Role, open: number, sentBeforeMs: number): number[] => {
  const window = sa.window[otherRole(by)];
  return [...sa.exchanges.values()]
    .filter(({ request, ...exchange }) => exchange.by === by && request && counts(request) && request.opened)
    .filter(({ messageId }) => messageId >= open + window)
    .filter(({ requestTimes }) => (requestTimes[0] ?? Number.POSITIVE_INFINITY) < sentBeforeMs)
    .map(({ messageId }) => messageId);
};

/** Who still repeats a request has no answer to it, whatever the capture may lack. */
const overWindow = ofSa(
  "request-beyond-window",
  ["IKEV2-069", "IKEV2-070", "IKEV2-029"],
  (sa) =>
    (message, { as, exchange }) => {
      const { by, isResponse, messageId, seen } = message;
      if (isResponse || as !== "copy" || !message.opened || !counts(message) || exchange?.response)
        return NONE;
      const before = exchange?.requestTimes.at(-2) ?? seen.timeMs;
      if (seen.timeMs - before < LATE_MS / 4 || !knowsWindow(sa, by, messageId)) return NONE;
      const [early] = beyond(sa, by, messageId, seen.timeMs - LATE_MS / 4);
      if (early === undefined) return NONE;
      const window = sa.window[otherRole(by)];
      const reason = `it asks again, and request ${early} was sent before an answer; the window is ${window}`;
      const small = sa.begun === "rekey" ? "IKEV2-029" : "IKEV2-069";
      return [
        { ...breachInHeader(ID_AT, "message ID", reason), requirement: window > 1 ? "IKEV2-070" : small },
      ];
    },
);

/** Whoever sent a later request long ago has the answer, and did not ask again since. */
const againUnasked = ofSa(
  "response-again-without-request",
  "IKEV2-054",
  (sa) =>
    (message, { as, exchange }) => {
      if (!message.isResponse || as !== "copy" || !exchange || !counts(message)) return NONE;
      const { requestTimes, responseTimes } = exchange;
      const { by, messageId } = exchange;
      const { timeMs } = message.seen;
      // Fragments of a request that come again are not counted.
      if (exchange.partial || exchange.request?.seen.fragments || !knowsWindow(sa, by, messageId))
        return NONE;
      const last = Math.max(requestTimes.at(-1) ?? timeMs, responseTimes.at(-2) ?? 0);
      if (timeMs - last < LATE_MS || beyond(sa, by, messageId, timeMs - 4 * LATE_MS).length === 0)
        return NONE;
      return [
        {
          reason: `transmission ${responseTimes.length} of a response, whose receiver has gone on long since`,
        },
      ];
    },
);

const MOST_SAME = 4;
/** What counts as growing, from the first interval to the last. */
const GROWTH = 1.2;

/** Times without those of copies that came with another: a network, or a capture of all interfaces, may double them. */
const apart = (times: readonly number[]): number[] =>
  times.filter((time, at) => at === 0 || time - (times[at - 1] ?? 0) >= LATE_MS / 4);

/** Judged once for a request that nobody answered, at its fifth transmission: intervals that began to grow may be cut off later. */
const steady = ofSa("retransmission-without-backoff", "IKEV2-083", () => (message, { as, exchange }) => {
  const times = apart(exchange?.requestTimes ?? []);
  const [first = 0, second = 0] = times;
  if (message.isResponse || as !== "copy" || exchange?.response || times.length !== MOST_SAME + 1)
    return NONE;
  const last = message.seen.timeMs - (times[MOST_SAME - 1] ?? 0);
  // Where the first transmissions are not in the capture, intervals may have grown to their limit.
  const interval = second - first;
  if (message.seen.timeMs !== times.at(-1) || interval > LATE_MS || last >= GROWTH * interval) return NONE;
  const reason = `after ${MOST_SAME} retransmissions the interval is ${Math.round(last)} ms, the first was ${Math.round(interval)} ms`;
  return [{ reason }];
});

/** Sooner than a request is repeated. */
const AT_ONCE_MS = 400;

const same = (a: End, b: End): boolean => a.host === b.host && a.port === b.port;
const text = ({ host, port }: End): string => `${host} port ${port}`;

const addresses = ofResponse(
  "response-to-another-address",
  "IKEV2-150",
  ({ request, response, requestTimes }) => {
    // A retransmission may have come from elsewhere, and be missing in the capture.
    if (requestTimes.length > 1 || !response.protected) return NONE;
    if (response.seen.timeMs - request.seen.timeMs > AT_ONCE_MS) return NONE;
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

/** That IKE_AUTH came to its end may be missing in the capture: the first request of the initiator has Message ID 1. */
const tooEarly = ofSa("informational-before-authentication", "IKEV2-034", (sa) => (message, { as }) => {
  if (message.exchangeType !== EXCHANGE.INFORMATIONAL || message.isResponse || as !== "first") return NONE;
  if (!message.opened || sa.begun !== "IKE_SA_INIT" || message.by !== "initiator") return NONE;
  if (message.messageId !== 1 || tellsFailure(message)) return NONE;
  return [breachInHeader(18, "exchange type", "an INFORMATIONAL request before the end of IKE_AUTH")];
});

export const exchanges: readonly Rule[] = [
  ...[skipped, unasked, otherRequest, otherResponse, overWindow, againUnasked, steady, addresses, tooEarly],
];
