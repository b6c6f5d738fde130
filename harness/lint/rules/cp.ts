/** Configuration payloads (RFC 7296 sections 2.19 and 3.15). */
import { CFG_ATTRIBUTE, cfgAttributes } from "../../wire/registry/cfg-attributes.ts";
import { CFG } from "../../wire/registry/cfg-types.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { ConfigAttribute, CpPayload } from "../../wire/types.ts";
import { requestsSeen } from "../certainty.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, has, ofType } from "../parts.ts";
import { type LintMessage, NONE, type Part, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { ofMessage, ofSa } from "./rfc7296.ts";

const isAuth = ({ exchangeType, opened }: LintMessage): boolean =>
  opened && exchangeType === EXCHANGE.IKE_AUTH;

/** The configuration payloads of a type. */
const cpsOf = (message: LintMessage, cfgType: number): Part<CpPayload>[] =>
  all(message, "CP").filter(({ payload }) => payload.cfgType === cfgType);

const ADDRESSES = new Set<number>([CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS]);

const isAddress = ({ type }: ConfigAttribute): boolean => ADDRESSES.has(type);

/** Breaches in attributes of a payload; octets from its generic header. */
const inAttributes = (
  part: Part<CpPayload>,
  reasonOf: (attribute: ConfigAttribute) => string | undefined,
): Breach[] => {
  let by = 8;
  return part.payload.attributes.flatMap((attribute) => {
    const reason = reasonOf(attribute);
    const at = by;
    by += 4 + attribute.data.length;
    return reason === undefined ? [] : [breachIn(part, reason, at, cfgAttributes.nameOf(attribute.type))];
  });
};

const beforeSa = ofMessage("cp-behind-sa", "IKEV2-179", (message) => {
  const [cp, sa] = [ofType(message, PAYLOAD.CP), ofType(message, PAYLOAD.SA)];
  if (!isAuth(message) || !cp || !sa || cp.at < sa.at) return NONE;
  return [breachIn(cp, "CP stands behind the SA payload")];
});

/** Newer documents ask for prefixes and links instead (RFC 5739). */
const asksForAddress = ({ type }: ConfigAttribute): boolean =>
  isAddress({ type, data: new Uint8Array() }) ||
  type === CFG_ATTRIBUTE.INTERNAL_IP6_LINK ||
  type === CFG_ATTRIBUTE.INTERNAL_IP6_PREFIX;

const noAddress = ofMessage("configuration-request-without-address", "IKEV2-180", (message) =>
  isAuth(message) && has(message, PAYLOAD.SA)
    ? cpsOf(message, CFG.REQUEST)
        .filter(({ payload }) => !payload.attributes.some(asksForAddress))
        .map((part) => breachIn(part, "a CFG_REQUEST without INTERNAL_IP4_ADDRESS or INTERNAL_IP6_ADDRESS"))
    : NONE,
);

const netmask = ofMessage("netmask-with-value-in-request", "IKEV2-286", (message) =>
  cpsOf(message, CFG.REQUEST).flatMap((part) =>
    inAttributes(part, ({ type, data }) =>
      type === CFG_ATTRIBUTE.INTERNAL_IP4_NETMASK && data.length > 0
        ? "a netmask with a value in a request"
        : undefined,
    ),
  ),
);

const supported = ofMessage("supported-attributes-not-empty-in-request", "IKEV2-287", (message) =>
  cpsOf(message, CFG.REQUEST).flatMap((part) =>
    inAttributes(part, ({ type, data }) =>
      type === CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES && data.length > 0
        ? `${data.length} octets in a request`
        : undefined,
    ),
  ),
);

const acknowledged = ofMessage("value-in-configuration-ack", "IKEV2-289", (message) =>
  cpsOf(message, CFG.ACK).flatMap((part) =>
    inAttributes(part, ({ data }) =>
      data.length > 0 ? `${data.length} octets in a CFG_ACK, which has names alone` : undefined,
    ),
  ),
);

/** With EAP, the request that asks and the response that gives are of different exchanges. */
const unasked = ofSa("configuration-reply-without-request", "IKEV2-181", (sa) => {
  let asked = false;
  return (message) => {
    if (!isAuth(message)) return NONE;
    asked ||= cpsOf(message, CFG.REQUEST).length > 0;
    if (asked || !message.isResponse || !requestsSeen(sa, message.messageId)) return NONE;
    return cpsOf(message, CFG.REPLY).map((part) => breachIn(part, "a CFG_REPLY, nothing was asked for"));
  };
});

const tooMany = ofSa("more-addresses-than-requested", "IKEV2-288", (sa) => {
  const wanted = new Map<number, number>();
  return (message) => {
    if (!isAuth(message)) return NONE;
    const asks = cpsOf(message, CFG.REQUEST).flatMap(({ payload }) => payload.attributes);
    for (const { type } of asks.filter(isAddress))
      wanted.set(type, Math.min((wanted.get(type) ?? 0) + 1, 1000));
    if (wanted.size === 0 || !requestsSeen(sa, message.messageId)) return NONE;
    return cpsOf(message, CFG.REPLY).flatMap((part) => beyond(part, wanted));
  };
});

function beyond(part: Part<CpPayload>, wanted: ReadonlyMap<number, number>): Breach[] {
  const given = new Map<number, number>();
  return inAttributes(part, (attribute) => {
    if (!isAddress(attribute)) return undefined;
    const count = (given.get(attribute.type) ?? 0) + 1;
    given.set(attribute.type, count);
    const most = wanted.get(attribute.type) ?? 0;
    return count > most ? `address ${count} of this kind, ${most} were asked for` : undefined;
  });
}

export const cp: readonly Rule[] = concerning<Rule>({ payloads: [PAYLOAD.CP] }, [
  ...[beforeSa, noAddress, netmask, supported, acknowledged, unasked, tooMany],
]);
