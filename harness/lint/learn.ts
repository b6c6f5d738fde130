/** What an IKE SA learns from a message that is its peer's: opened, or of IKE_SA_INIT. */
import { hex, readU32 } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Proposal, TrafficSelector } from "../wire/types.ts";
import { all, first, has, notify, ofType } from "./parts.ts";
import { type Exchange, exchangeKey, type LintChild, type LintIkeSa, type LintMessage } from "./rule.ts";

const MOST_ANNOUNCED = 256;
/** A message with more of either is not kept as a Child SA: an honest one has a handful. */
const MOST_PROPOSALS = 64;
const MOST_SELECTORS = 256;

/** The message with the offer that a response answers: in IKE_AUTH the first request, else its own. */
export const offerOf = (sa: LintIkeSa, exchange: Exchange): LintMessage | undefined =>
  exchange.type === EXCHANGE.IKE_AUTH ? sa.auth : exchange.request;

/** Takes over what a first copy of a message says. */
export function learn(sa: LintIkeSa, message: LintMessage): void {
  const type = message.exchangeType;
  if (type === EXCHANGE.IKE_SA_INIT && message.isResponse)
    sa.suite ??= first(message, "SA")?.payload.proposals[0];
  if (type === EXCHANGE.IKE_SA_INIT || message.opened) learnNotifies(sa, message);
  if (!message.opened) return;
  if (type === EXCHANGE.IKE_AUTH) {
    if (!message.isResponse && beginsAuthentication(sa, message)) sa.auth ??= message;
    if (message.isResponse && endsAuthentication(message)) sa.established = true;
  }
  if (type === EXCHANGE.GSA_AUTH && message.isResponse && has(message, PAYLOAD.AUTH)) sa.established = true;
  if (type === EXCHANGE.INFORMATIONAL) learnDeletes(sa, message);
}

/** The first request of IKE_AUTH: before it are IKE_INTERMEDIATE exchanges alone, all of which were seen (RFC 9242). */
function beginsAuthentication(sa: LintIkeSa, { by, messageId }: LintMessage): boolean {
  for (let id = 1; id < messageId; id++)
    if (sa.exchanges.get(exchangeKey("initiator", id))?.type !== EXCHANGE.IKE_INTERMEDIATE) return false;
  return by === "initiator" && messageId > 0;
}

/** The response with AUTH and without EAP is the last: with EAP, the first has AUTH too. */
const endsAuthentication = (message: LintMessage): boolean =>
  has(message, PAYLOAD.AUTH) && !has(message, PAYLOAD.EAP);

function learnNotifies(sa: LintIkeSa, message: LintMessage): void {
  const known = sa.announced[message.by];
  const type = message.exchangeType;
  const initial = type === EXCHANGE.IKE_SA_INIT || type === EXCHANGE.IKE_AUTH;
  for (const { payload } of all(message, "Notify"))
    if (initial && known.size < MOST_ANNOUNCED) known.add(payload.notifyType);
  const window = notify(message, NOTIFY.SET_WINDOW_SIZE)?.payload.data;
  if (message.opened && window?.length === 4)
    sa.window[message.by] = Math.max(sa.window[message.by], readU32(window, 0));
}

function learnDeletes(sa: LintIkeSa, message: LintMessage): void {
  for (const { payload } of all(message, "Delete")) {
    if (payload.protocolId === PROTOCOL.IKE) sa.deletedBy ??= message.by;
    for (const spi of payload.spis) {
      const child = sa.children.get(hex(spi));
      if (child) child.deleted = true;
    }
  }
}

const notifyTypesOf = (message: LintMessage): Set<number> =>
  new Set(all(message, "Notify").map(({ payload }) => payload.notifyType));

const selectorsOf = (message: LintMessage, type: number): readonly TrafficSelector[] | undefined => {
  const part = ofType(message, type);
  return part?.payload.kind === "TS" ? part.payload.selectors : undefined;
};

const tooMuch = (
  offer: readonly Proposal[],
  ...selectors: (readonly TrafficSelector[] | undefined)[]
): boolean => offer.length > MOST_PROPOSALS || selectors.some((list) => (list?.length ?? 0) > MOST_SELECTORS);

/** The Child SA that a response makes; undefined if it makes none, or its offer was not seen. */
export function childOf(sa: LintIkeSa, exchange: Exchange): LintChild | undefined {
  const { response } = exchange;
  if (exchange.type !== EXCHANGE.IKE_AUTH && exchange.type !== EXCHANGE.CREATE_CHILD_SA) return undefined;
  const offered = offerOf(sa, exchange);
  const chosen = response && first(response, "SA")?.payload.proposals[0];
  const offer = offered && first(offered, "SA")?.payload.proposals;
  if (!response || !offered || !chosen || !offer || chosen.protocolId === PROTOCOL.IKE) return undefined;
  const own = offer.find(({ number }) => number === chosen.number)?.spi;
  if (own === undefined) return undefined;
  const tsi = selectorsOf(response, PAYLOAD.TSi);
  const tsr = selectorsOf(response, PAYLOAD.TSr);
  if (tooMuch(offer, tsi, tsr)) return undefined;
  const child: LintChild = {
    ...{ protocolId: chosen.protocolId, requester: exchange.by, offer, chosen, tsi, tsr, ike: sa },
    spi:
      exchange.by === "initiator"
        ? { initiator: own, responder: chosen.spi }
        : { initiator: chosen.spi, responder: own },
    asked: notifyTypesOf(offered),
    answered: notifyTypesOf(response),
  };
  const replaced = replacedBy(sa, exchange);
  if (replaced) {
    child.rekeys = replaced;
    replaced.rekeys = undefined;
  }
  return child;
}

/** The Child SA that the REKEY_SA of a request names by the SPI its sender receives with. */
export function replacedBy(sa: LintIkeSa, exchange: Exchange): LintChild | undefined {
  const { request } = exchange;
  const rekey =
    request && exchange.type === EXCHANGE.CREATE_CHILD_SA ? notify(request, NOTIFY.REKEY_SA) : undefined;
  if (!rekey) return undefined;
  const child = childBySpi(sa, rekey.payload.spi);
  return child && hex(child.spi[exchange.by]) === hex(rekey.payload.spi) ? child : undefined;
}

/** A Child SA of this IKE SA, or one that it inherited. */
export const childBySpi = (sa: LintIkeSa, spi: Uint8Array): LintChild | undefined =>
  sa.children.get(hex(spi));

/** The SPIs and the suite of the IKE SA that a rekey made; undefined if the exchange is none or failed. */
export function rekeyedSpis(
  exchange: Exchange,
): { spiI: Uint8Array; spiR: Uint8Array; suite: Proposal } | undefined {
  if (exchange.type !== EXCHANGE.CREATE_CHILD_SA) return undefined;
  const offer = exchange.request && first(exchange.request, "SA")?.payload.proposals;
  const suite = exchange.response && first(exchange.response, "SA")?.payload.proposals[0];
  if (!offer || suite?.protocolId !== PROTOCOL.IKE || suite.spi.length !== 8) return undefined;
  const spiI = offer.find(({ number }) => number === suite.number)?.spi;
  return spiI?.length === 8 ? { spiI, spiR: suite.spi, suite } : undefined;
}
