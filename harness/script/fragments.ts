/** Fragments (RFC 7383) that a test cuts, orders and spoils by hand. */
import type { Sealer } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import { sealMessage } from "../ike/sk.ts";
import { concat } from "../wire/bytes.ts";
import { encodeChain, firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Message, NotifyPayload, Payload, SkfPayload } from "../wire/types.ts";
import { headerOf } from "./raw.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** Makes SKF datagrams of one message. */
export interface Cutter {
  /** A whole set of so many fragments. */
  set(total: number): Uint8Array[];
  /** A whole set, with so many octets in each fragment but the last. */
  chunks(octets: number): Uint8Array[];
  /** One fragment with these numbers, whatever they are, and content that belongs to no message. */
  stray(number: number, total: number): Uint8Array;
}

function cutter(payloads: Payload[], inner: Uint8Array, seal: Sealer): Cutter {
  const first = firstPayloadType(payloads);
  const chunks = (octets: number) => {
    const total = Math.max(1, Math.ceil(inner.length / octets));
    return Array.from({ length: total }, (_, i) =>
      seal(inner.subarray(i * octets, (i + 1) * octets), i === 0 ? first : 0, { number: i + 1, total }),
    );
  };
  return {
    chunks,
    set: (total) => chunks(Math.ceil(inner.length / total)),
    stray: (number, total) => seal(new Uint8Array(24).fill(0x77), number <= 1 ? first : 0, { number, total }),
  };
}

/** Fragments of a request under the Message ID of our next one, which our endpoint knows nothing of. */
export function cutRequest(
  session: Session,
  payloads: Payload[],
  exchangeType: number = EXCHANGE.INFORMATIONAL,
): Cutter {
  const { outbound } = session.sa;
  if (!outbound) throw new Failure("an IKE SA with keys", "none");
  const header = headerOf(session, { exchangeType, payloads });
  const { random } = session.script.arena;
  const seal: Sealer = (plaintext, innerType, fragment) =>
    sealMessage(outbound, random, header, [], plaintext, innerType, {}, fragment);
  return cutter(payloads, encodeChain(payloads), seal);
}

/** Our next protected message of this exchange goes out as the datagrams that `arrange` gives. */
export function fragmentNext(
  s: Script,
  exchangeType: number,
  arrange: (cut: Cutter) => Uint8Array[],
  which: "request" | "response" = "request",
): void {
  let done = false;
  s.extensions.unshift({
    name: "fragments by hand",
    split: (message, inner, seal) => {
      const { header, isResponse, payloads } = message;
      if (done || header.exchangeType !== exchangeType || isResponse !== (which === "response"))
        return undefined;
      done = true;
      return arrange(cutter(payloads, inner, seal));
    },
  });
}

/** A status notify that nobody knows, to make a message as long as wanted; 8 octets more than `octets`. */
export const ballast = (octets: number): NotifyPayload => notify(60_000, new Uint8Array(octets).fill(0xba));

/** An empty INFORMATIONAL request with ballast, sent as `arrange` says; the payloads of its response. */
export async function informationalAs(
  session: Session,
  arrange: (cut: Cutter) => Uint8Array[],
  request: Payload[] = [ballast(80)],
): Promise<Payload[]> {
  fragmentNext(session.script, EXCHANGE.INFORMATIONAL, arrange);
  return (await session.request(EXCHANGE.INFORMATIONAL, request)).payloads;
}

/** Ends the test as unsupported if the peer did not announce fragmentation. */
export function needFragmentation<T extends Session>(session: T): T {
  if (session.sa.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED)) return session;
  throw new Unsupported("the peer did not announce IKEV2_FRAGMENTATION_SUPPORTED");
}

/** A wrong last octet, which is the ICV's. */
export function withWrongIcv(datagram: Uint8Array): Uint8Array {
  return concat(datagram.subarray(0, -1), Uint8Array.of((datagram.at(-1) ?? 0) ^ 1));
}

export interface ReceivedFragment {
  message: Message;
  payload: SkfPayload;
}

/** An identity of 1392 octets, which makes an IKE_AUTH message longer than any usual threshold. */
export const LONG_ID = `peer.${"a-long-name-to-fill-a-message.".repeat(46)}example`;

/** Those of the messages that end with SKF. */
export function fragmentsAmong(messages: Message[]): ReceivedFragment[] {
  return messages.flatMap((message) => {
    const payload = message.payloads.at(-1);
    return payload?.kind === "SKF" ? [{ message, payload }] : [];
  });
}
