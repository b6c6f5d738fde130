/** Retries of IKE_SA_INIT: cookies and other groups (RFC 7296 sections 1.2 and 2.6). */
import { equal, hex, readU16 } from "../../wire/bytes.ts";
import { encodeChain } from "../../wire/index.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { keMethods } from "../../wire/registry/ke.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { Payload, SaPayload, TransformAttribute } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, first, notifies, notify, notifyDataAt } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, type Place, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { ofMessage, ofSa } from "./rfc7296.ts";

const isInit = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;

const cookieSize = ofMessage("cookie-size", "IKEV2-106", (message) =>
  isInit(message) && message.isResponse
    ? notifies(message, NOTIFY.COOKIE).flatMap((part) => {
        const { length } = part.payload.data;
        if (length >= 1 && length <= 64) return [];
        return [
          breachIn(part, `a cookie of ${length} octets instead of 1 to 64`, notifyDataAt(part), "data"),
        ];
      })
    : NONE,
);

const cookieFirst = ofMessage("cookie-not-first", "IKEV2-107", (message) => {
  const cookie = isInit(message) && !message.isResponse ? notify(message, NOTIFY.COOKIE) : undefined;
  if (!cookie || message.content?.[0] === cookie) return NONE;
  return [breachIn(cookie, "the cookie is not the first payload")];
});

const isCookie = (payload: Payload): boolean =>
  payload.kind === "Notify" && payload.notifyType === NOTIFY.COOKIE;

const withoutCookie = ({ content }: LintMessage): Uint8Array =>
  encodeChain((content ?? []).map(({ payload }) => payload).filter((payload) => !isCookie(payload)));

type OnRetry = (retry: LintMessage, memory: Memory) => readonly Breach[];

const MOST = 16;

/** What the responses asked for. */
class Memory {
  readonly cookies: Uint8Array[] = [];
  readonly groups: number[] = [];
  readonly sa: LintIkeSa;

  constructor(sa: LintIkeSa) {
    this.sa = sa;
  }

  /** Requests before this one. */
  earlier(retry: LintMessage): LintMessage[] {
    return this.sa.init.flatMap(({ request }) => (request && request !== retry ? [request] : []));
  }

  learn(response: LintMessage): void {
    for (const { payload } of notifies(response, NOTIFY.COOKIE))
      if (this.cookies.length < MOST) this.cookies.push(payload.data);
    for (const { payload } of notifies(response, NOTIFY.INVALID_KE_PAYLOAD))
      if (this.groups.length < MOST && payload.data.length === 2) this.groups.push(readU16(payload.data, 0));
  }
}

/** Judges a request of IKE_SA_INIT that follows a response to another one. */
const onRetry = (check: OnRetry) => (sa: LintIkeSa) => {
  const memory = new Memory(sa);
  return (message: LintMessage, { as }: Place): readonly Breach[] => {
    if (!isInit(message) || as === "copy") return NONE;
    if (message.isResponse) memory.learn(message);
    else if (memory.earlier(message).length > 0) return check(message, memory);
    return NONE;
  };
};

/** Time in which a responder takes no other secret. */
const SOON_MS = 250;

/** Whether no other cookie can have been on the way: each request was seen once, with its response, the last just now. */
const isWhole = (sa: LintIkeSa, retry: LintMessage): boolean => {
  const before = sa.init.filter(({ request }) => request !== retry);
  const last = before.at(-1)?.responseTimes[0] ?? Number.NEGATIVE_INFINITY;
  return (
    before.every(
      ({ requestTimes, responseTimes }) => requestTimes.length === 1 && responseTimes.length === 1,
    ) && retry.seen.timeMs - last < SOON_MS
  );
};

const cookieEchoed = ofSa(
  "cookie-not-echoed",
  "IKEV2-107",
  onRetry((retry, { cookies, sa }) => {
    const cookie = notify(retry, NOTIFY.COOKIE);
    if (!cookie || cookies.length === 0 || !isWhole(sa, retry)) return NONE;
    if (cookies.some((known) => equal(known, cookie.payload.data))) return NONE;
    return [
      breachIn(
        cookie,
        `${hex(cookie.payload.data)} is no cookie that was asked for`,
        notifyDataAt(cookie),
        "data",
      ),
    ];
  }),
);

/** With a change of group on the way, more than the cookie may differ. */
const cookieRetry = ofSa(
  "cookie-retry-changed",
  "IKEV2-107",
  onRetry((retry, memory) => {
    const cookie = notify(retry, NOTIFY.COOKIE);
    if (!cookie || memory.cookies.length === 0 || memory.groups.length > 0) return NONE;
    const octets = withoutCookie(retry);
    const value = first(retry, "KE")?.payload.data;
    const sameKey = memory.earlier(retry).filter((request) => {
      const before = first(request, "KE")?.payload.data;
      return value && before && equal(before, value);
    });
    // With another key it may follow on a request that is not in the capture.
    if (sameKey.length === 0 || sameKey.some((request) => equal(withoutCookie(request), octets))) return NONE;
    return [{ reason: "more than the cookie differs from the request that was answered with COOKIE" }];
  }),
);

const groupRetry = ofSa(
  "retry-with-another-group-than-asked-for",
  "IKEV2-004",
  onRetry((retry, memory) => {
    const ke = first(retry, "KE");
    if (!ke || memory.groups.length === 0 || memory.groups.includes(ke.payload.group)) return NONE;
    // The request from before INVALID_KE_PAYLOAD may come once more, now with a cookie.
    if (memory.earlier(retry).some((request) => first(request, "KE")?.payload.group === ke.payload.group))
      return NONE;
    const wanted = memory.groups.map((group) => keMethods.nameOf(group)).join(" or ");
    return [
      breachIn(
        ke,
        `${keMethods.nameOf(ke.payload.group)} after INVALID_KE_PAYLOAD asked for ${wanted}`,
        4,
        "group",
      ),
    ];
  }),
);

/** A suite list without its order: the group that was asked for may come first now. */
const suitesOf = ({ proposals }: SaPayload): string =>
  proposals
    .map(({ protocolId, transforms }) =>
      [
        protocolId,
        ...transforms.map(({ type, id, attributes }) => `${type} ${id} ${describe(attributes)}`).sort(),
      ].join(),
    )
    .sort()
    .join(";");

const describe = (attributes: readonly TransformAttribute[]): string =>
  attributes.map(({ type, value }) => `${type}=${typeof value === "number" ? value : hex(value)}`).join("+");

const offerRetry = ofSa(
  "retry-with-another-offer",
  "IKEV2-005",
  onRetry((retry, memory) => {
    const sa = first(retry, "SA");
    const before = memory.earlier(retry).map((request) => first(request, "SA")?.payload);
    if (!sa || memory.groups.length === 0 || before.includes(undefined)) return NONE;
    const suites = suitesOf(sa.payload);
    if (before.some((payload) => payload && suitesOf(payload) === suites)) return NONE;
    return [breachIn(sa, "the offer is another one than before INVALID_KE_PAYLOAD")];
  }),
);

export const init: readonly Rule[] = concerning<Rule>({ exchanges: [EXCHANGE.IKE_SA_INIT] }, [
  cookieSize,
  cookieFirst,
  cookieEchoed,
  cookieRetry,
  groupRetry,
  offerRetry,
]);
