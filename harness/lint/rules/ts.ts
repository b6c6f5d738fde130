/** Traffic selectors (RFC 7296 sections 2.9 and 3.13). */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TS_TYPE } from "../../wire/registry/ts-types.ts";
import type { TrafficSelector, TsPayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { offerOf, replacedBy } from "../learn.ts";
import { all, breachIn, first, isKind, notify, ofType } from "../parts.ts";
import {
  type LintChild,
  type LintIkeSa,
  type LintMessage,
  NONE,
  type Part,
  type Rule,
  type WholeExchange,
} from "../rule.ts";
import { SELECTOR_FIELD, selectorPlaces } from "../sa-places.ts";
import { surelyOutside } from "../selectors.ts";
import type { Breach, Role } from "../types.ts";
import { ofMessage, ofResponse } from "./rfc7296.ts";

const TYPES = [PAYLOAD.TSi, PAYLOAD.TSr] as const;

const tsOf = (message: LintMessage, type: number): Part<TsPayload> | undefined => {
  const part = ofType(message, type);
  return part && isKind(part, "TS") ? part : undefined;
};

const isAddress = ({ tsType, body }: TrafficSelector): boolean =>
  body === undefined && (tsType === TS_TYPE.TS_IPV4_ADDR_RANGE || tsType === TS_TYPE.TS_IPV6_ADDR_RANGE);

const portsOfAny = ofMessage("ports-of-any-protocol", "IKEV2-278", (message) =>
  all(message, "TS").flatMap((part) =>
    selectorPlaces(part).flatMap(({ selector, by, field }) => {
      const { ipProtocol, startPort, endPort } = selector;
      if (!isAddress(selector) || ipProtocol !== 0 || (startPort === 0 && endPort === 65535)) return [];
      // OPAQUE, of whatever protocol.
      if (startPort === 65535 && endPort === 0) return [];
      const reason = `ports ${startPort} to ${endPort} for any protocol instead of 0 to 65535`;
      return [breachIn(part, reason, by + SELECTOR_FIELD.startPort, `${field} > ports`)];
    }),
  ),
);

const portsBackwards = ofMessage("ports-backwards", "IKEV2-278", (message) =>
  all(message, "TS").flatMap((part) =>
    selectorPlaces(part).flatMap(({ selector, by, field }) => {
      const { ipProtocol, startPort, endPort } = selector;
      if (!isAddress(selector) || ipProtocol === 0 || startPort <= endPort) return [];
      if (startPort === 65535 && endPort === 0) return [];
      const reason = `ports ${startPort} to ${endPort}; only OPAQUE, 65535 to 0, goes backwards`;
      return [breachIn(part, reason, by + SELECTOR_FIELD.startPort, `${field} > ports`)];
    }),
  ),
);

/** Behind a NAT, transport mode answers with the addresses the responder sees (section 2.23.1). */
const isTransport = (message: LintMessage): boolean =>
  notify(message, NOTIFY.USE_TRANSPORT_MODE) !== undefined;

function widened(exchange: WholeExchange, sa: LintIkeSa): Breach[] {
  const asked = offerOf(sa, exchange);
  if (!asked || isTransport(asked)) return [];
  return TYPES.flatMap((type) => {
    const [offer, answer] = [tsOf(asked, type)?.payload.selectors, tsOf(exchange.response, type)];
    if (!offer || !answer) return [];
    return selectorPlaces(answer)
      .filter(({ selector }) => surelyOutside(selector, offer))
      .map(({ by, field }) => breachIn(answer, "it covers what was not offered", by, field));
  });
}

const wider = ofResponse("selectors-wider-than-offered", "IKEV2-140", widened);

const empty = ofMessage("no-selector-in-response", "IKEV2-140", (message) =>
  message.isResponse && message.opened
    ? all(message, "TS")
        .filter(({ payload }) => payload.selectors.length === 0)
        .map((part) => breachIn(part, "a TS payload without selectors", 4, "count"))
    : NONE,
);

const inIkeRekey = ofMessage("selectors-in-ike-rekey", "IKEV2-177", (message) => {
  const part = message.exchangeType === EXCHANGE.CREATE_CHILD_SA ? all(message, "TS")[0] : undefined;
  if (!part || first(message, "SA")?.payload.proposals[0]?.protocolId !== PROTOCOL.IKE) return NONE;
  return [breachIn(part, "the rekey of an IKE SA has no traffic selectors")];
});

/** The selectors that a Child SA has on the side of `role`. */
const selectorsOf = (child: LintChild, role: Role): readonly TrafficSelector[] | undefined =>
  child.requester === role ? child.tsi : child.tsr;

/** What the new selectors leave out of those of the SA that is replaced, side by side. */
function narrowed(message: LintMessage, replaced: LintChild, requester: Role): Breach[] {
  return TYPES.flatMap((type, at) => {
    const part = tsOf(message, type);
    const role = at === 0 ? requester : requester === "initiator" ? "responder" : "initiator";
    const before = selectorsOf(replaced, role) ?? [];
    if (!part || !before.some((selector) => surelyOutside(selector, part.payload.selectors))) return [];
    return [breachIn(part, "it leaves out what the SA that is rekeyed covers")];
  });
}

const isModeTransport = ({ asked, answered }: LintChild): boolean =>
  asked.has(NOTIFY.USE_TRANSPORT_MODE) && answered.has(NOTIFY.USE_TRANSPORT_MODE);

const rekeyOffer = ofMessage("rekey-offers-narrower-selectors", "IKEV2-145", (message, sa) => {
  if (message.isResponse || message.exchangeType !== EXCHANGE.CREATE_CHILD_SA) return NONE;
  const { by, exchangeType: type, messageId } = message;
  const replaced = replacedBy(sa, {
    type,
    messageId,
    by,
    request: message,
    requestTimes: [],
    responseTimes: [],
  });
  return replaced && !isModeTransport(replaced) ? narrowed(message, replaced, by) : NONE;
});

const rekeyAnswer = ofResponse("rekey-answered-with-narrower-selectors", "IKEV2-146", (exchange, sa) => {
  const replaced = replacedBy(sa, exchange);
  if (!replaced || isModeTransport(replaced) || !exchange.request.content) return NONE;
  // What was not offered cannot be given.
  if (narrowed(exchange.request, replaced, exchange.by).length > 0) return NONE;
  return narrowed(exchange.response, replaced, exchange.by);
});

export const ts: readonly Rule[] = [
  ...concerning<Rule>({ payloads: TYPES }, [portsOfAny, portsBackwards, wider, empty, inIkeRekey]),
  ...concerning({ notifies: [NOTIFY.REKEY_SA] }, [rekeyOffer]),
  ...concerning({ exchanges: [EXCHANGE.CREATE_CHILD_SA], payloads: TYPES }, [rekeyAnswer]),
];
