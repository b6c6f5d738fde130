/** Notifies: fields, data, and where they belong (RFC 7296 sections 2.2 to 2.6, 2.22, 2.23, 3.10). */
import { equal, hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD, payloadTypes } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { concerning } from "../concern.ts";
import { offerOf } from "../learn.ts";
import { all, breachIn, has, NOTIFY_FIELD, notifies, notify, notifyDataAt } from "../parts.ts";
import { type LintMessage, NONE, type Rule } from "../rule.ts";
import { ofMessage, ofResponse } from "./rfc7296.ts";

/** In the exchanges of other documents a Notify may follow other rules. */
const UNICAST = new Set<number>([
  ...[EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA, EXCHANGE.INFORMATIONAL],
]);
const isUnicast = ({ exchangeType }: LintMessage): boolean => UNICAST.has(exchangeType);

/** Other documents may ask for another Protocol ID in their own notifies, as RFC 6023 section 4 does. */
const LAST_OWN_ERROR = NOTIFY.CHILD_SA_NOT_FOUND;
const LAST_OWN_STATUS = NOTIFY.NON_FIRST_FRAGMENTS_ALSO;
const isOwn = (type: number): boolean =>
  (type > 0 && type <= LAST_OWN_ERROR) || (type >= NOTIFY.INITIAL_CONTACT && type <= LAST_OWN_STATUS);

const protocolOfNone = ofMessage("notify-protocol-without-spi", "IKEV2-268", (message) =>
  isUnicast(message)
    ? all(message, "Notify").flatMap((part) => {
        const { protocolId, spi, notifyType } = part.payload;
        if (spi.length > 0 || protocolId === 0 || !isOwn(notifyType)) return [];
        return [
          breachIn(part, `Protocol ID ${protocolId} without an SPI`, NOTIFY_FIELD.protocolId, "protocol"),
        ];
      })
    : NONE,
);

const WITH_SPI: number[] = [NOTIFY.INVALID_SELECTORS, NOTIFY.REKEY_SA, NOTIFY.CHILD_SA_NOT_FOUND];

const protocolOfSpi = ofMessage("notify-spi-of-no-child-sa", "IKEV2-268", (message) =>
  isUnicast(message)
    ? all(message, "Notify").flatMap((part) => {
        const { protocolId, spi, notifyType } = part.payload;
        const isChild = protocolId === PROTOCOL.ESP || protocolId === PROTOCOL.AH;
        if (spi.length === 0 || isChild || !WITH_SPI.includes(notifyType)) return [];
        return [breachIn(part, `an SPI with Protocol ID ${protocolId}`, NOTIFY_FIELD.protocolId, "protocol")];
      })
    : NONE,
);

/** Data of a fixed size, by notify type. */
const SIZES: readonly [name: string, requirement: string, type: number, octets: number][] = [
  ["length-of-set-window-size", "IKEV2-067", NOTIFY.SET_WINDOW_SIZE, 4],
  ["length-of-invalid-message-id", "IKEV2-075", NOTIFY.INVALID_MESSAGE_ID, 4],
  ["length-of-unsupported-critical-payload", "IKEV2-096", NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, 1],
  ["length-of-nat-detection-source-ip", "IKEV2-204", NOTIFY.NAT_DETECTION_SOURCE_IP, 20],
  ["length-of-nat-detection-destination-ip", "IKEV2-204", NOTIFY.NAT_DETECTION_DESTINATION_IP, 20],
];

const sizes = SIZES.flatMap(([name, requirement, type, octets]) =>
  concerning({ notifies: [type] }, [
    ofMessage(name, requirement, (message) =>
      notifies(message, type).flatMap((part) => {
        const { length } = part.payload.data;
        if (length === octets) return [];
        return [breachIn(part, `${length} octets of data instead of ${octets}`, notifyDataAt(part), "data")];
      }),
    ),
  ]),
);

const invalidId = ofMessage("invalid-message-id-in-response", "IKEV2-074", (message) =>
  message.isResponse
    ? notifies(message, NOTIFY.INVALID_MESSAGE_ID).map((part) =>
        breachIn(part, "INVALID_MESSAGE_ID comes in an INFORMATIONAL request of its own"),
      )
    : NONE,
);

/** The first request has IDi, the first response IDr: a later round of EAP has neither. */
const initialContact = ofMessage("initial-contact-too-late", "IKEV2-078", (message) => {
  const part = isUnicast(message) && message.opened ? notify(message, NOTIFY.INITIAL_CONTACT) : undefined;
  if (!part) return NONE;
  const isFirst = has(message, message.isResponse ? PAYLOAD.IDr : PAYLOAD.IDi);
  if (message.exchangeType === EXCHANGE.IKE_AUTH && isFirst) return NONE;
  return [breachIn(part, "INITIAL_CONTACT is not in the first request or response of IKE_AUTH")];
});

const NAT = [NOTIFY.NAT_DETECTION_SOURCE_IP, NOTIFY.NAT_DETECTION_DESTINATION_IP] as const;

const natPair = ofMessage("nat-detection-without-its-pair", "IKEV2-203", (message) => {
  const [source, destination] = NAT.map((type) => notify(message, type));
  const alone = source ?? destination;
  if (message.exchangeType !== EXCHANGE.IKE_SA_INIT || !alone || (source && destination)) return NONE;
  return [breachIn(alone, "one NAT detection notify without the other")];
});

const ipcompPlace = ofMessage("ipcomp-without-sa", "IKEV2-200", (message) =>
  message.opened && !has(message, PAYLOAD.SA)
    ? notifies(message, NOTIFY.IPCOMP_SUPPORTED).map((part) =>
        breachIn(part, "IPCOMP_SUPPORTED in a message without SA payload"),
      )
    : NONE,
);

const ipcompTwice = ofMessage("several-ipcomp-in-response", "IKEV2-202", (message) =>
  message.isResponse
    ? notifies(message, NOTIFY.IPCOMP_SUPPORTED)
        .slice(1)
        .map((part) => breachIn(part, "more than one IPCOMP_SUPPORTED in a response"))
    : NONE,
);

const ipcompOffered = ofResponse("ipcomp-not-offered", "IKEV2-201", (exchange, sa) => {
  const asked = offerOf(sa, exchange);
  if (!asked?.content) return NONE;
  const offered = new Set(notifies(asked, NOTIFY.IPCOMP_SUPPORTED).map(({ payload }) => payload.data[2]));
  return notifies(exchange.response, NOTIFY.IPCOMP_SUPPORTED)
    .filter(({ payload }) => payload.data.length >= 3 && !offered.has(payload.data[2]))
    .map((part) =>
      breachIn(
        part,
        `IPComp algorithm ${part.payload.data[2]} was not proposed`,
        notifyDataAt(part) + 2,
        "data",
      ),
    );
});

/** Notifies of a response that only make sense when the request had them. */
const MIRRORED: readonly [name: string, requirement: string, type: number][] = [
  ["transport-mode-not-asked-for", "IKEV2-018", NOTIFY.USE_TRANSPORT_MODE],
  ["non-first-fragments-not-asked-for", "IKEV2-022", NOTIFY.NON_FIRST_FRAGMENTS_ALSO],
];

const mirrored = MIRRORED.flatMap(([name, requirement, type]) =>
  concerning({ notifies: [type] }, [
    ofResponse(name, requirement, (exchange, sa) => {
      const asked = offerOf(sa, exchange);
      const part = notify(exchange.response, type);
      if (!part || !isUnicast(exchange.response) || !asked?.content || notify(asked, type)) return NONE;
      return [breachIn(part, `${part.field} in a response, the request had none`)];
    }),
  ]),
);

const notFoundSpi = ofResponse("child-sa-not-found-of-another-spi", "IKEV2-220", ({ request, response }) => {
  const part = notify(response, NOTIFY.CHILD_SA_NOT_FOUND);
  const rekey = notify(request, NOTIFY.REKEY_SA);
  if (!part || !rekey || equal(part.payload.spi, rekey.payload.spi)) return NONE;
  const [is, was] = [part, rekey].map(({ payload }) => hex(payload.spi) || "none");
  return [breachIn(part, `SPI ${is}, REKEY_SA has ${was}`, NOTIFY_FIELD.spi, "SPI")];
});

/** Nobody knows payload types that are not assigned. */
const isUnknown = (type: number): boolean => type < 128 && payloadTypes.get(type) === undefined;

const unansweredCritical = ofResponse("critical-payload-overlooked", "IKEV2-096", ({ request, response }) => {
  if (!response.content || !isUnicast(response) || notify(response, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD))
    return NONE;
  const critical = request.content?.find(({ payload }) => payload.critical && isUnknown(payload.type));
  // What cannot be processed for another reason is answered with that.
  if (!critical || notify(response, NOTIFY.INVALID_SYNTAX)) return NONE;
  return [
    { reason: `no UNSUPPORTED_CRITICAL_PAYLOAD for the critical payload of type ${critical.payload.type}` },
  ];
});

const wrongCritical = ofResponse(
  "unsupported-critical-payload-of-another-type",
  "IKEV2-096",
  ({ request, response }) => {
    const part = notify(response, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
    const type = part?.payload.data[0];
    if (part?.payload.data.length !== 1 || type === undefined || !request.content) return NONE;
    const all = [...request.clear, ...request.content];
    if (all.some(({ payload }) => payload.critical && payload.type === type)) return NONE;
    return [
      breachIn(part, `the request has no critical payload of type ${type}`, notifyDataAt(part), "data"),
    ];
  },
);

export const notifyRules: readonly Rule[] = [
  ...concerning({ payloads: [PAYLOAD.NOTIFY] }, [protocolOfNone, protocolOfSpi]),
  ...sizes,
  ...concerning({ notifies: [NOTIFY.INVALID_MESSAGE_ID] }, [invalidId]),
  ...concerning({ notifies: [NOTIFY.INITIAL_CONTACT] }, [initialContact]),
  ...concerning({ exchanges: [EXCHANGE.IKE_SA_INIT], notifies: NAT }, [natPair]),
  ...concerning<Rule>({ notifies: [NOTIFY.IPCOMP_SUPPORTED] }, [ipcompPlace, ipcompTwice, ipcompOffered]),
  ...mirrored,
  ...concerning({ notifies: [NOTIFY.CHILD_SA_NOT_FOUND] }, [notFoundSpi]),
  unansweredCritical,
  ...concerning({ notifies: [NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD] }, [wrongCritical]),
];
