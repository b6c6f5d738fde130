/** Payload headers, reserved fields, and the order of payloads (RFC 7296 sections 2.5 and 3.2). */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { PAYLOAD, payloadTypes } from "../../wire/registry/payload-types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, has } from "../parts.ts";
import { type LintMessage, NONE, type Part, type Rule } from "../rule.ts";
import { PROPOSAL_FIELD, proposalPlaces, TRANSFORM_FIELD } from "../sa-places.ts";
import type { Breach } from "../types.ts";
import { ofMessage } from "./rfc7296.ts";

/** Offset of the C bit and the reserved bits behind it. */
const FLAGS_AT = 1;

const isCore = (type: number): boolean => type >= PAYLOAD.SA && type <= PAYLOAD.EAP;

/** All payloads that can be read: in clear and inside. */
const readable = ({ clear, content }: LintMessage): readonly Part[] =>
  content === undefined || content === clear ? clear : [...clear, ...content];

const criticalCore = ofMessage("critical-bit-of-core-payload", "IKEV2-233", (message) =>
  readable(message)
    .filter(({ payload }) => payload.critical && isCore(payload.type))
    .map((part) =>
      breachIn(part, "the C bit is set on a payload that RFC 7296 defines", FLAGS_AT, "critical"),
    ),
);

const criticalResponse = ofMessage("critical-bit-in-response", "IKEV2-097", (message) =>
  message.isResponse
    ? readable(message)
        .filter(({ payload }) => payload.critical)
        .map((part) => breachIn(part, "the C bit is set in a response", FLAGS_AT, "critical"))
    : NONE,
);

const reservedBits = ofMessage("reserved-bits-of-payload-header", "IKEV2-235", (message) =>
  readable(message).flatMap((part) =>
    part.payload.reserved === undefined
      ? []
      : [
          breachIn(
            part,
            `the reserved bits are 0x${part.payload.reserved.toString(16)}`,
            FLAGS_AT,
            "reserved",
          ),
        ],
  ),
);

/** Breach of a reserved field that an override tells of. */
const reservedField = (part: Part, value: number | undefined, by: number, field = "reserved"): Breach[] =>
  value === undefined ? [] : [breachIn(part, `a reserved field is ${value} instead of 0`, by, field)];

const reservedOfSa = (message: LintMessage): Breach[] =>
  all(message, "SA").flatMap((part) =>
    proposalPlaces(part).flatMap(({ proposal, by, field, transforms }) => [
      ...reservedField(part, proposal.reserved, by + PROPOSAL_FIELD.reserved, `${field} > reserved`),
      ...transforms.flatMap(({ transform, by: at, field: name }) => [
        ...reservedField(part, transform.reserved1, at + TRANSFORM_FIELD.reserved1, `${name} > reserved`),
        ...reservedField(part, transform.reserved2, at + TRANSFORM_FIELD.reserved2, `${name} > reserved`),
      ]),
    ]),
  );

const reservedFields = ofMessage("reserved-field-not-zero", "IKEV2-093", (message) => [
  ...reservedOfSa(message),
  ...all(message, "KE").flatMap((part) => reservedField(part, part.payload.reserved2, 6)),
  ...all(message, "AUTH").flatMap((part) => reservedField(part, part.payload.reserved3, 5)),
  ...all(message, "CP").flatMap((part) => reservedField(part, part.payload.reserved3, 5)),
]);

const reservedOfId = ofMessage("reserved-field-of-id", "IKEV2-257", (message) =>
  all(message, "ID").flatMap((part) => reservedField(part, part.payload.reserved3, 5)),
);

const reservedOfTs = ofMessage("reserved-field-of-ts", "IKEV2-277", (message) =>
  all(message, "TS").flatMap((part) => reservedField(part, part.payload.reserved3, 5)),
);

/** The figures of sections 1 and 2; what they leave open, such as notifies and vendor IDs, may stand anywhere. */
const { SA, KE, NONCE, IDi, IDr, CERT, CERTREQ, AUTH, CP, TSi, TSr } = PAYLOAD;
const ORDERS = new Map<string, readonly number[]>([
  [`${EXCHANGE.IKE_SA_INIT} request`, [SA, KE, NONCE]],
  [`${EXCHANGE.IKE_SA_INIT} response`, [SA, KE, NONCE, CERTREQ]],
  [`${EXCHANGE.IKE_AUTH} request`, [IDi, CERT, CERTREQ, IDr, AUTH, CP, SA, TSi, TSr]],
  [`${EXCHANGE.IKE_AUTH} response`, [IDr, CERT, AUTH, CP, SA, TSi, TSr]],
  [`${EXCHANGE.CREATE_CHILD_SA} request`, [CP, SA, NONCE, KE, TSi, TSr]],
  [`${EXCHANGE.CREATE_CHILD_SA} response`, [CP, SA, NONCE, KE, TSi, TSr]],
]);

const order = ofMessage("payloads-out-of-order", "IKEV2-099", (message) => {
  const wanted = ORDERS.get(`${message.exchangeType} ${message.isResponse ? "response" : "request"}`);
  let furthest = -1;
  for (const part of wanted ? (message.content ?? []) : []) {
    const place = wanted?.indexOf(part.payload.type) ?? -1;
    if (place >= 0 && place < furthest) {
      const after = payloadTypes.nameOf(wanted?.[furthest] ?? 0);
      return [breachIn(part, `${part.field} stands behind ${after}, in the figures of the RFC before it`)];
    }
    furthest = Math.max(furthest, place);
  }
  return NONE;
});

const skNotLast = ofMessage("payload-behind-sk", "IKEV2-231", (message) => {
  const { trailing, header } = message.seen.message;
  const sk = message.clear.at(-1);
  if (!message.protected || !sk || header.length !== undefined || !trailing?.length) return NONE;
  return [breachIn(sk, `${trailing.length} octets follow the Encrypted payload, which must be the last`)];
});

const skInSk = ofMessage("sk-inside-sk", "IKEV2-231", (message) =>
  message.opened
    ? (message.content ?? [])
        .filter(({ payload }) => payload.type === PAYLOAD.SK || payload.type === PAYLOAD.SKF)
        .map((part) => breachIn(part, "an Encrypted payload stands inside another"))
    : NONE,
);

const contents = ofMessage("ke-or-nonce-in-ike-auth", "IKEV2-012", (message) =>
  message.exchangeType === EXCHANGE.IKE_AUTH && message.opened
    ? (message.content ?? [])
        .filter(({ payload }) => payload.type === KE || payload.type === NONCE)
        .map((part) => breachIn(part, `IKE_AUTH carries no ${part.field} payload`))
    : NONE,
);

const inClear = ofMessage("informational-in-clear", "IKEV2-034", (message) => {
  const { exchangeType, isResponse, content } = message;
  if (message.protected || isResponse || exchangeType !== EXCHANGE.INFORMATIONAL) return NONE;
  // The one-way message of section 1.5.
  if (content?.length === 1 && has(message, PAYLOAD.NOTIFY)) return NONE;
  return [{ reason: "an INFORMATIONAL request that is not protected by SK" }];
});

export const payloads: readonly Rule[] = [
  ...[criticalCore, criticalResponse, reservedBits],
  ...concerning({ payloads: [SA, KE, AUTH, CP] }, [reservedFields]),
  ...concerning({ payloads: [IDi, IDr, PAYLOAD.IDg] }, [reservedOfId]),
  ...concerning({ payloads: [TSi, TSr] }, [reservedOfTs]),
  ...[order, skNotLast, skInSk],
  ...concerning({ exchanges: [EXCHANGE.IKE_AUTH], payloads: [KE, NONCE] }, [contents]),
  ...concerning({ exchanges: [EXCHANGE.INFORMATIONAL], isResponse: false }, [inClear]),
];
