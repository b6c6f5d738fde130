/** Where we lied in a conversation, as far as answers of the peer may depend on it. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { readU32 } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { FLAG, type Header } from "../../harness/wire/types.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import type { Outcome } from "../outcome.ts";
import { changesOf } from "../trace.ts";

type Numbers = Pick<Header, "exchangeType" | "messageId">;

const IKE_HEADER = 28;
/** In these every response belongs to all requests before it: they share a Message ID, or an offer. */
const SHARED: ReadonlySet<number> = new Set([EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH]);

const keyOf = ({ exchangeType, messageId }: Numbers): string =>
  SHARED.has(exchangeType) ? `${exchangeType}` : `${exchangeType} ${messageId}`;

/** What the header of an IKE message says; undefined for less than a header. */
export const numbersOf = (octets: Uint8Array): (Numbers & { isResponse: boolean }) | undefined =>
  octets.length < IKE_HEADER
    ? undefined
    : {
        exchangeType: octets[18] ?? 0,
        messageId: readU32(octets, 20),
        isResponse: ((octets[19] ?? 0) & FLAG.response) !== 0,
      };

/** The lies among our messages; `entries` are counted from 0. */
export interface Touched {
  /** Whether the case has a change that was applied, of whatever kind. */
  any: boolean;
  /** The first entry in which something other than an honest IKE message left. Infinity: none did. */
  since: number;
  /** Whether a request of ours was changed that the response with this header may answer. */
  request(header: Numbers): boolean;
}

const NOTHING: Touched = { any: false, since: Number.POSITIVE_INFINITY, request: () => false };
const EVERYTHING: Touched = { any: true, since: 0, request: () => true };

/** Whether a change of the case was applied. */
export const isChanged = ({ case: { trace }, steps }: Outcome): boolean =>
  changesOf(trace).length > steps.reduce((sum, { unfit }) => sum + unfit.length, 0);

/** Finds them: changed messages, and datagrams that no message of our endpoint explains. */
export function touchedIn(outcome: Outcome): Touched {
  if (!isChanged(outcome)) return NOTHING;
  if (outcome.changed === undefined) return EVERYTHING;
  return collect(outcome, new Set(outcome.changed));
}

function collect({ entries }: Outcome, changed: ReadonlySet<OutgoingMessage>): Touched {
  const keys = new Set<string>();
  let since = Number.POSITIVE_INFINITY;
  let expected = 0;
  const touch = (index: number, numbers: Numbers | undefined): void => {
    since = Math.min(since, index);
    if (numbers) keys.add(keyOf(numbers));
  };
  for (const [index, { event }] of entries.entries()) {
    if (event.type === "sent") {
      expected = event.datagrams.length;
      if (!changed.has(event.message)) continue;
      touch(index, event.message.header);
      for (const octets of event.datagrams) touch(index, numbersOf(octets));
    } else if (event.type === "datagram-sent") {
      // A message says that it left just before its datagrams do.
      if (expected > 0) expected--;
      else {
        const { kind, data } = partOf({ ...event.datagram, timeMs: 0 });
        if (kind === "ike" || kind === "unreadable") touch(index, numbersOf(data));
      }
    }
  }
  return { any: true, since, request: (header) => keys.has(keyOf(header)) };
}
