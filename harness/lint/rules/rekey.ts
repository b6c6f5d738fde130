/** Rekeying (RFC 7296 sections 1.3.2, 1.3.3 and 2.8). */
import { equal, hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY, notifyTypes } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { concerning } from "../concern.ts";
import { childBySpi, rekeyedSpis } from "../learn.ts";
import { breachIn, breachInHeader, has, NOTIFY_FIELD, notify, notifyDataAt } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, otherRole, type Rule } from "../rule.ts";
import type { Role } from "../types.ts";
import { ofMessage, ofSa } from "./rfc7296.ts";

const isRequest = ({ exchangeType, isResponse, opened }: LintMessage): boolean =>
  opened && !isResponse && exchangeType === EXCHANGE.CREATE_CHILD_SA;

const rekeyData = ofMessage("rekey-sa-with-data", "IKEV2-032", (message) => {
  const part = notify(message, NOTIFY.REKEY_SA);
  if (!part || part.payload.data.length === 0) return NONE;
  return [
    breachIn(
      part,
      `${part.payload.data.length} octets of data, REKEY_SA has none`,
      notifyDataAt(part),
      "data",
    ),
  ];
});

const rekeySpi = ofMessage("rekey-sa-of-the-other-direction", "IKEV2-032", (message, sa) => {
  const part = isRequest(message) ? notify(message, NOTIFY.REKEY_SA) : undefined;
  const child = part && childBySpi(sa, part.payload.spi);
  if (!part || !child || equal(child.spi[message.by], part.payload.spi)) return NONE;
  if (!equal(child.spi[otherRole(message.by)], part.payload.spi)) return NONE;
  const reason = `${hex(part.payload.spi)} is the SPI it sends to, not the one it receives with`;
  return [breachIn(part, reason, NOTIFY_FIELD.spi, "SPI")];
});

const MODE = [NOTIFY.USE_TRANSPORT_MODE, NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED] as const;

const modeNotifies = ofMessage("mode-notify-not-repeated-in-rekey", "IKEV2-033", (message, sa) => {
  const part = isRequest(message) ? notify(message, NOTIFY.REKEY_SA) : undefined;
  const child = part && childBySpi(sa, part.payload.spi);
  if (!part || !child || !has(message, PAYLOAD.SA)) return NONE;
  const own = child.requester === message.by ? child.asked : child.answered;
  const agreed = (type: number): boolean =>
    type === NOTIFY.USE_TRANSPORT_MODE ? child.asked.has(type) && child.answered.has(type) : own.has(type);
  return MODE.filter((type) => agreed(type) && !notify(message, type)).map((type) => ({
    reason: `the SA that is rekeyed has ${notifyTypes.nameOf(type)}, the request has not`,
    field: `N(${notifyTypes.nameOf(type)})`,
  }));
});

/** Whether a side rekeyed the IKE SA, in an exchange before this Message ID. */
const hasReplaced = (sa: LintIkeSa, by: Role, messageId: number): boolean =>
  [...sa.exchanges.values()].some(
    (exchange) => exchange.by === by && exchange.messageId < messageId && rekeyedSpis(exchange) !== undefined,
  );

/** A request of the other side may have been on its way before. */
const onRekeyed = ofSa("create-child-sa-on-rekeyed-ike-sa", "IKEV2-026", (sa) => (message, { as }) => {
  if (!isRequest(message) || as !== "first" || !sa.successor) return NONE;
  if (!hasReplaced(sa, message.by, message.messageId)) return NONE;
  const reason = "a CREATE_CHILD_SA request on an IKE SA that was replaced";
  return [breachInHeader(18, "exchange type", reason)];
});

export const rekey: readonly Rule[] = [
  ...concerning({ notifies: [NOTIFY.REKEY_SA] }, [rekeyData, rekeySpi, modeNotifies]),
  ...concerning({ exchanges: [EXCHANGE.CREATE_CHILD_SA] }, [onRekeyed]),
];
