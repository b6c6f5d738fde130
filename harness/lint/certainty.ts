/**
 * What a capture can prove although packets may be missing in it, doubled or out of order: rules that compare messages
 * with others ask here whether what they did not see may have been there.
 */
import { type Exchange, exchangeKey, type LintIkeSa } from "./rule.ts";
import type { Role } from "./types.ts";

/** Exchanges that a link may carry in a millisecond, one after the other; and before a clock can be trusted. */
const EXCHANGES_PER_MS = 100;
const EXCHANGES_AT_LEAST = 100_000;

/** Whether so many exchanges cannot have gone by unseen: they would have taken longer. */
export const areTooMany = (exchanges: number, elapsedMs: number): boolean =>
  exchanges > EXCHANGES_AT_LEAST + EXCHANGES_PER_MS * Math.max(elapsedMs, 0);

const isOpened = ({ request, response, partial }: Exchange): boolean =>
  partial === undefined && request?.opened === true && response?.opened === true;

/** Whether all exchanges of a side with these Message IDs were seen and opened; `to` is the first that is not asked for. */
export function allSeen(sa: LintIkeSa, by: Role, from: number, to: number): boolean {
  for (let id = from; id < to; id++) {
    const exchange = sa.exchanges.get(exchangeKey(by, id));
    if (!exchange || !isOpened(exchange)) return false;
  }
  return true;
}

/** Message ID of the first request of a side behind IKE_SA_INIT. */
export const firstId = (sa: LintIkeSa, by: Role): number =>
  sa.begun === "IKE_SA_INIT" && by === "initiator" ? 1 : 0;

/**
 * Whether the requests of the initiator up to a Message ID were all seen and opened, from the first of IKE_AUTH or
 * IKE_INTERMEDIATE on.
 */
export function requestsSeen(sa: LintIkeSa, last: number): boolean {
  if (sa.begun !== "IKE_SA_INIT") return false;
  for (let id = 1; id <= last; id++)
    if (!sa.exchanges.get(exchangeKey("initiator", id))?.request?.opened) return false;
  return true;
}

/** Message IDs of a side in the exchanges that are remembered. */
export const idsOf = (sa: LintIkeSa, by: Role): number[] =>
  [...sa.exchanges.values()].flatMap((exchange) => (exchange.by === by ? [exchange.messageId] : []));

/** Whether all was seen that the other side of `by` said of its window: every exchange but those `by` has open. */
export function knowsWindow(sa: LintIkeSa, by: Role, open: number): boolean {
  if (!sa.begun || sa.closed) return false;
  const other = by === "initiator" ? "responder" : "initiator";
  const told = Math.max(firstId(sa, other), ...idsOf(sa, other).map((id) => id + 1));
  return allSeen(sa, by, firstId(sa, by), open) && allSeen(sa, other, firstId(sa, other), told);
}
