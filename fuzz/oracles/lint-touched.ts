/** Where we lied in a conversation, as far as answers of the peer may depend on it. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { hex, readU32 } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { FLAG, type Header } from "../../harness/wire/types.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import type { Outcome } from "../outcome.ts";
import { changesOf, type Trace } from "../trace.ts";

type Numbers = Pick<Header, "exchangeType" | "messageId" | "spiI">;

const IKE_HEADER = 28;
/** A response of IKE_AUTH may answer all requests before it. Where SPIs may be changed they do not tell SAs apart. */
function keyOf({ exchangeType, messageId, spiI }: Numbers): string {
  if (exchangeType === EXCHANGE.IKE_AUTH) return "auth";
  // Strangers of ours ask whether the peer lives: what they hear is apart.
  if (exchangeType === EXCHANGE.IKE_SA_INIT) return `init ${hex(spiI)}`;
  return `${exchangeType} ${messageId}`;
}

/** What the header of an IKE message says; undefined for less than a header. */
export const numbersOf = (octets: Uint8Array): (Numbers & { isResponse: boolean }) | undefined =>
  octets.length < IKE_HEADER
    ? undefined
    : {
        spiI: octets.subarray(0, 8),
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

const ENDS: ReadonlySet<string> = new Set(["delete-ike", "peer-delete-ike"]);
const BEGINS: ReadonlySet<string> = new Set(["init", "auth", "peer-initiate"]);

/** Whether the steps follow each other as those of an honest end do: one IKE SA from its beginning, nothing after its end. */
export function isOrderly({ steps, peer }: Trace): boolean {
  const start = peer === "initiator" ? ["peer-initiate"] : ["init", "auth"];
  return steps.every(
    ({ act, sa, together }, at) =>
      sa === undefined &&
      !together &&
      (at < start.length ? act === start[at] : !BEGINS.has(act)) &&
      !(at > 0 && ENDS.has(steps[at - 1]?.act ?? "")),
  );
}

/** Finds them: changed messages, and datagrams that no message of our endpoint explains. */
export function touchedIn(outcome: Outcome): Touched {
  if (!isOrderly(outcome.case.trace)) return EVERYTHING;
  if (!isChanged(outcome)) return NOTHING;
  return outcome.changed === undefined ? EVERYTHING : collect(outcome, new Set(outcome.changed));
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
      const isLie = changed.has(event.message);
      // What goes out around a changed message does so before it as well.
      expected = isLie ? 0 : event.datagrams.length;
      if (!isLie) continue;
      touch(index, event.message.header);
      for (const octets of event.datagrams) touch(index, numbersOf(octets));
    } else if (event.type === "datagram-sent") {
      // A message says that it left just before its datagrams do.
      if (expected > 0) expected--;
      else {
        const { kind, data } = partOf(event.datagram);
        if (kind === "ike" || kind === "unreadable") touch(index, numbersOf(data));
      }
    }
  }
  return { any: true, since, request: (header) => keys.has(keyOf(header)) };
}
