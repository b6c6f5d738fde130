/** By what a peer shows that it takes an IKE SA for established: its own protected messages, and nothing that it merely logs. */
import type { TraceEntry } from "../../harness/script/trace.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { isErrorType, NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import { type Heard, type Said, saKey } from "./lint-heard.ts";

export const carries = ({ payloads }: Said, type: number): boolean =>
  payloads.some((payload) => payload.type === type);

export const hasError = ({ payloads }: Said): boolean =>
  payloads.some((payload) => payload.kind === "Notify" && isErrorType(payload.notifyType));

const hasNotify = ({ payloads }: Said, type: number): boolean =>
  payloads.some((payload) => payload.kind === "Notify" && payload.notifyType === type);

/** Errors about the Child SA or an address, beside which the IKE SA stands (RFC 7296 section 1.2). */
const OF_CHILD: ReadonlySet<number> = new Set([
  ...[NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.TS_UNACCEPTABLE, NOTIFY.SINGLE_PAIR_REQUIRED],
  ...[NOTIFY.INTERNAL_ADDRESS_FAILURE, NOTIFY.FAILED_CP_REQUIRED, NOTIFY.NO_ADDITIONAL_SAS],
]);

const refuses = ({ payloads }: Said): boolean =>
  payloads.some(
    (payload) =>
      payload.kind === "Notify" && isErrorType(payload.notifyType) && !OF_CHILD.has(payload.notifyType),
  );

/** The response with AUTH and without EAP ends authentication; with RFC 4739 another may follow. */
function endsAuthentication(said: Said): boolean {
  if (!said.isResponse || !carries(said, PAYLOAD.AUTH) || carries(said, PAYLOAD.EAP)) return false;
  if (hasNotify(said, NOTIFY.ANOTHER_AUTH_FOLLOWS) || refuses(said)) return false;
  // A refused member is authenticated, and still gets no group (RFC 9838 section 2.3.1).
  return said.exchangeType === EXCHANGE.GSA_AUTH
    ? carries(said, PAYLOAD.GSA) || carries(said, PAYLOAD.KD)
    : said.exchangeType === EXCHANGE.IKE_AUTH;
}

/** What only the end of an established IKE SA says: it makes or grants another SA. */
const usesSa = (said: Said): boolean =>
  said.exchangeType === EXCHANGE.CREATE_CHILD_SA && carries(said, PAYLOAD.SA) && !hasError(said);

/**
 * Place of the first proof among the entries, at `since` or later, that the peer takes the SA with these SPIs for
 * established; undefined if there is none. That it answers an INFORMATIONAL request proves nothing: there are peers that
 * do so on a half-open SA.
 */
export function provenAt(
  { ike }: Heard,
  entries: readonly TraceEntry[],
  sa: string,
  since: number,
): number | undefined {
  const later = ike.filter((said) => !said.ours && said.opened && said.sa === sa && said.index >= since);
  const proof = later.find((said) => endsAuthentication(said) || usesSa(said));
  const packet = entries.findIndex(
    ({ event }, index) =>
      index >= since &&
      event.type === "esp-received" &&
      event.result.ok &&
      event.pipe !== undefined &&
      saKey(event.pipe.child.ike) === sa,
  );
  const places = [proof?.index ?? -1, packet].filter((index) => index >= 0);
  return places.length > 0 ? Math.min(...places) : undefined;
}
