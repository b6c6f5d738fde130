/** Delete payloads (RFC 7296 sections 1.4.1, 2.8 and 3.11). */
import { equal, hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL, protocolIds } from "../../wire/registry/protocol-ids.ts";
import type { DeletePayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { childBySpi } from "../learn.ts";
import { all, breachIn } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, otherRole, type Part, type Rule } from "../rule.ts";
import type { Role } from "../types.ts";
import { hasError } from "./forms.ts";
import { ofMessage, ofResponse, ofSa } from "./rfc7296.ts";

const SPI_SIZE_AT = 5;
const COUNT_AT = 6;
const SPIS_AT = 8;

const wantedSize = (protocolId: number): number | undefined => {
  if (protocolId === PROTOCOL.IKE) return 0;
  return protocolId === PROTOCOL.ESP || protocolId === PROTOCOL.AH ? 4 : undefined;
};

const sizes = ofMessage("spi-size-of-delete", "IKEV2-274", (message) =>
  all(message, "Delete").flatMap((part) => {
    const { protocolId, spiSize } = part.payload;
    const wanted = wantedSize(protocolId);
    // Groups delete their SAs by other rules.
    const isUnicast = message.exchangeType === EXCHANGE.INFORMATIONAL;
    if (!isUnicast || wanted === undefined || spiSize === wanted) return [];
    const name = protocolIds.nameOf(protocolId);
    return [breachIn(part, `SPI Size ${spiSize} instead of ${wanted} for ${name}`, SPI_SIZE_AT, "SPI size")];
  }),
);

const counted = ofMessage("spi-count-of-delete", "IKEV2-274", (message) =>
  all(message, "Delete").flatMap((part) => {
    const { spiCount, spis, protocolId } = part.payload;
    if (spiCount === undefined || protocolId === PROTOCOL.IKE) return [];
    return [breachIn(part, `${spiCount} SPIs announced, ${spis.length} found`, COUNT_AT, "SPI count")];
  }),
);

interface DeletedSpi {
  part: Part<DeletePayload>;
  spi: Uint8Array;
  by: number;
}

/** The SPIs of Child SAs in a message. */
const spisOf = (message: LintMessage): DeletedSpi[] =>
  all(message, "Delete").flatMap((part) =>
    part.payload.spis.map((spi, at) => ({ part, spi, by: SPIS_AT + at * part.payload.spiSize })),
  );

const isOf = (sa: LintIkeSa, spi: Uint8Array, receiver: Role): boolean => {
  const child = childBySpi(sa, spi);
  return child !== undefined && equal(child.spi[receiver], spi);
};

/** The SPIs of a Delete are those its sender receives with. */
const both = ofMessage("delete-of-both-directions", "IKEV2-040", (message, sa) => {
  const given = new Set(spisOf(message).map(({ spi }) => hex(spi)));
  for (const { part, spi, by } of spisOf(message)) {
    const child = childBySpi(sa, spi);
    if (!child || !equal(child.spi[otherRole(message.by)], spi) || equal(child.spi[message.by], spi))
      continue;
    if (given.has(hex(child.spi[message.by])))
      return [breachIn(part, `both SPIs of a pair are deleted: ${hex(spi)} too`, by, "SPI")];
  }
  return NONE;
});

const echoed = ofResponse(
  "delete-answer-with-spis-of-the-request",
  "IKEV2-041",
  ({ request, response }, sa) => {
    const asked = new Set(spisOf(request).map(({ spi }) => hex(spi)));
    const wrong = spisOf(response).find(
      ({ spi }) => asked.has(hex(spi)) && isOf(sa, spi, request.by) && !isOf(sa, spi, response.by),
    );
    if (!wrong) return NONE;
    const reason = `${hex(wrong.spi)} is the SPI of the request, the answer lists the paired one`;
    return [breachIn(wrong.part, reason, wrong.by, "SPI")];
  },
);

const ofIkeSa = (message: LintMessage): Part<DeletePayload> | undefined =>
  all(message, "Delete").find(({ payload }) => payload.protocolId === PROTOCOL.IKE);

/** Nothing but the Delete of an IKE SA, in order: there is no cause to refuse it. */
const isPlain = ({ seen, content }: LintMessage): boolean =>
  content?.length === 1 && content[0]?.payload.kind === "Delete" && (seen.inner?.findings ?? []).length === 0;

const notEmpty = ofResponse("answer-to-ike-delete-not-empty", "IKEV2-044", ({ request, response }) => {
  const part = response.opened && ofIkeSa(request) ? response.content?.[0] : undefined;
  if (!part || (!isPlain(request) && hasError(response))) return NONE;
  return [breachIn(part, "the answer to the Delete of an IKE SA is empty")];
});

/** A Delete of the responder for the same pair that was under way when it answered. */
const crossed = ofResponse("delete-in-answer-to-crossed-delete", "IKEV2-043", ({ request, response }, sa) => {
  for (const { part, spi, by } of spisOf(response)) {
    const child = childBySpi(sa, spi);
    const isPair = child && spisOf(request).some((asked) => equal(asked.spi, child.spi[request.by]));
    if (!isPair || !equal(child.spi[response.by], spi) || !deletedItself(sa, response, spi)) continue;
    return [breachIn(part, `its own Delete of ${hex(spi)} is under way, so the answer has none`, by, "SPI")];
  }
  return NONE;
});

const deletedItself = (sa: LintIkeSa, response: LintMessage, spi: Uint8Array): boolean =>
  [...sa.exchanges.values()].some(
    (exchange) =>
      exchange.by === response.by &&
      !exchange.response &&
      exchange.request !== undefined &&
      spisOf(exchange.request).some((own) => equal(own.spi, spi)),
  );

const afterDelete = ofSa("request-after-ike-delete", "IKEV2-121", () => {
  const last: Partial<Record<Role, number>> = {};
  return (message, { as }) => {
    if (message.isResponse || !message.opened || as !== "first") return NONE;
    const { by, messageId } = message;
    if (messageId > (last[by] ?? Number.POSITIVE_INFINITY))
      return [{ reason: "a request after its own Delete of the IKE SA" }];
    if (message.exchangeType === EXCHANGE.INFORMATIONAL && ofIkeSa(message)) last[by] ??= messageId;
    return NONE;
  };
});

const ofDeletes = { payloads: [PAYLOAD.DELETE] };

export const deletes: readonly Rule[] = [
  ...concerning<Rule>(ofDeletes, [sizes, counted, both, echoed]),
  notEmpty,
  ...concerning(ofDeletes, [crossed]),
  afterDelete,
];
