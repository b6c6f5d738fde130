/** What was seen, in a line. */
import { exchangeTypes } from "../harness/wire/registry/exchange-types.ts";
import { ikev1ExchangeTypes } from "../harness/wire/registry/ikev1.ts";
import { keMethods } from "../harness/wire/registry/ke.ts";
import { describePayload } from "../harness/wire/text.ts";
import { FLAG, type Header, type Payload } from "../harness/wire/types.ts";

/** More payloads than this are counted, not listed: a hostile chain must not flood a ladder. */
const MOST_LISTED = 40;

/** A message, whoever sent it. */
export interface Described {
  header: Header;
  /** Those of SK; of an unprotected message all. */
  payloads: readonly Payload[];
  /** Those in clear in front of SK. */
  clear: readonly Payload[];
  protected: boolean;
}

/** As in `IKE_AUTH request 1: SK { IDi AUTH SA TSi TSr }`. */
export function describe({ header, payloads, clear, protected: sealed }: Described): string {
  const inside = describeList(payloads);
  const body = sealed ? [describeList(clear), `SK { ${inside} }`].filter(Boolean).join(" ") : inside;
  return `${describeHeader(header)}: ${body}`;
}

/** As in `IKE_AUTH request 1: SK { 212 octets }`: what can be said without keys. */
export function describeClosed(header: Header, payloads: readonly Payload[]): string {
  const words = payloads.map((payload) =>
    payload.kind === "SK" ? `SK { ${payload.data.length} octets }` : describeInLadder(payload),
  );
  return `${describeHeader(header)}: ${joined(words)}`;
}

/** As in `IKE_AUTH request 1`, `IKEv1 MAIN request 0`. */
export function describeHeader({ version, exchangeType, flags, messageId }: Header): string {
  const direction = (flags & FLAG.response) !== 0 ? "response" : "request";
  const exchange =
    version >>> 4 === 1
      ? `IKEv1 ${ikev1ExchangeTypes.nameOf(exchangeType)}`
      : exchangeTypes.nameOf(exchangeType);
  return `${exchange} ${direction} ${messageId}`;
}

const describeList = (payloads: readonly Payload[]): string => joined(payloads.map(describeInLadder));

const joined = (words: readonly string[]): string =>
  (words.length <= MOST_LISTED
    ? words
    : [...words.slice(0, MOST_LISTED), `... ${words.length - MOST_LISTED} more`]
  ).join(" ");

/** With the method of a key exchange, for of several rounds each has another: `KE(ML_KEM_768)`. */
const describeInLadder = (payload: Payload): string =>
  payload.kind === "KE"
    ? `${describePayload(payload)}(${keMethods.nameOf(payload.group)})`
    : describePayload(payload);
