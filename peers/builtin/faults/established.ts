/** Faults of an established SA. */
import type { EspReceiver } from "../../../harness/esp/inbound.ts";
import { readU16 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { TsPayload } from "../../../harness/wire/types.ts";
import type { LieBehaviour } from "../lies/lie.ts";
import { decidesUpon, type Fault, isOf, type Trigger, upon } from "./fault.ts";

/** A fresh request on an SA that is up. */
const asks =
  (exchangeType: number, matches: Trigger): Trigger =>
  (message, core) =>
    message.fresh &&
    message.sa?.established === true &&
    isOf(message, exchangeType, "request") &&
    matches(message, core);

const hasOverrunDelete = asks(EXCHANGE.INFORMATIONAL, ({ payloads }) =>
  payloads.some((p) => p.kind === "Delete" && p.spiCount !== undefined && p.spiCount > p.spis.length),
);

const hasNoSelectors = asks(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) =>
  payloads.some((p) => p.kind === "TS" && p.selectors.length === 0 && p.trailing === undefined),
);

const LEAK = 4 * 2 ** 20;
/** That of GIKE_UPDATE, above which nothing is assigned. */
const LAST_PROTOCOL = 6;

const hasUnknownProtocol = asks(EXCHANGE.INFORMATIONAL, ({ payloads }) =>
  payloads.some((p) => p.kind === "Notify" && p.protocolId > LAST_PROTOCOL),
);

const SELECTOR_HEADER = 8;

/** Whether a selector says that it is shorter than what all have; `octets` begins with Number of TSs. */
function hasStandingSelector(octets: Uint8Array): boolean {
  for (let at = 4; octets.length - at >= 4; ) {
    const length = readU16(octets, at + 2);
    if (length < SELECTOR_HEADER) return true;
    at += length;
  }
  return false;
}

const isShort = ({ selectors }: TsPayload): boolean =>
  selectors.some(({ body }) => body !== undefined && 4 + body.length < SELECTOR_HEADER);

const stands = asks(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) =>
  payloads.some(
    (p) =>
      (p.kind === "TS" && isShort(p)) ||
      (p.kind === "raw" && (p.type === PAYLOAD.TSi || p.type === PAYLOAD.TSr) && hasStandingSelector(p.data)),
  ),
);

const lacksNonce: Trigger = ({ fresh, sa, payloads, ...message }) =>
  fresh &&
  sa?.role === "initiator" &&
  message.isResponse &&
  message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA &&
  payloads.some(({ type }) => type === PAYLOAD.SA) &&
  !payloads.some(({ type }) => type === PAYLOAD.NONCE);

/** The packet that was delivered last is delivered once more each time it comes again. */
function forgetsTheLast(): LieBehaviour {
  const last = new WeakMap<EspReceiver, bigint>();
  return {
    esp: {
      incoming: (result, reopen, { sa }) => {
        if (result.ok) last.set(sa, result.sequence);
        if (result.ok || result.reason !== "replay") return result;
        const again = reopen({ window: { enabled: false } });
        return again.ok && again.sequence === last.get(sa) ? again : result;
      },
    },
  };
}

export const establishedFaults: readonly Fault[] = [
  {
    ...{ name: "dies-of-overrun-deletes", depth: "established", kind: "crash" },
    roles: ["responder", "initiator"],
    effect: "SIGSEGV behind the end of the payload",
    trigger: "a Delete whose Num of SPIs is more than it holds",
    behaviour: upon(
      () => hasOverrunDelete,
      (effects) => effects.crash("delete_child_by_spi"),
    ),
  },
  {
    ...{ name: "takes-no-selectors-for-its-own", depth: "established", kind: "accept" },
    roles: ["responder", "initiator"],
    effect: "a Child SA for all that it has itself",
    trigger: "CREATE_CHILD_SA whose TSi or TSr has no selector",
    behaviour: () =>
      decidesUpon(() => hasNoSelectors, {
        "malformed message": "accept",
        "unacceptable TS": "take own",
      }),
  },
  {
    ...{ name: "keeps-notifies-of-unknown-protocols", depth: "established", kind: "leak" },
    roles: ["responder", "initiator"],
    effect: "4 MiB for each message",
    trigger: `INFORMATIONAL with a Notify whose Protocol ID is above ${LAST_PROTOCOL}`,
    behaviour: upon(
      () => hasUnknownProtocol,
      (effects) => effects.leak(LEAK),
    ),
  },
  {
    ...{ name: "spins-at-standing-selectors", depth: "established", kind: "loop" },
    roles: ["responder", "initiator"],
    effect: "walks the selectors for ever",
    trigger: "CREATE_CHILD_SA with a traffic selector whose Selector Length is below 8",
    behaviour: upon(
      () => stands,
      (effects) => effects.loop(),
    ),
  },
  {
    ...{ name: "forgets-the-last-sequence-number", depth: "established", kind: "skip" },
    roles: ["responder", "initiator"],
    effect: "delivers a packet that it has delivered before",
    trigger: "the last ESP packet once more",
    behaviour: forgetsTheLast,
  },
  {
    ...{ name: "waits-for-a-nonce", depth: "established", kind: "hang", roles: ["initiator"] },
    effect: "answers nobody any more",
    trigger: "a response to its CREATE_CHILD_SA with SA, but without Nonce",
    behaviour: upon(
      () => lacksNonce,
      (effects) => effects.hang(),
    ),
  },
];
