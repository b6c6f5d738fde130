/** Messages in fragments (RFC 7383). */
import { hex } from "../../wire/bytes.ts";
import { decodeMessage, isFrameError } from "../../wire/message.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Message, SkfPayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, notify } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { bothAnnounced, messageRule, notifyForm, saRule } from "./forms.ts";

const rule = messageRule("rfc7383");

interface Piece {
  skf: SkfPayload;
  message: Message;
}

/** The fragments that a message came in, or the one that it is; none of a message that is whole. */
function piecesOf({ seen, clear }: LintMessage): Piece[] {
  if (!clear.some(({ payload }) => payload.kind === "SKF")) return [];
  const octets = seen.pieces ?? [seen.octets];
  return octets.flatMap((piece) => {
    const message = decodeMessage(piece);
    if (isFrameError(message)) return [];
    const skf = message.payloads.find((payload) => payload.kind === "SKF");
    return skf ? [{ skf, message }] : [];
  });
}

/** A breach in a fragment; the offset is within that of the message that is shown, fragment 1. */
const breachOf = (message: LintMessage, field: string, by: number, reason: string): Breach => {
  const part = message.clear.find(({ payload }) => payload.kind === "SKF");
  return part ? breachIn(part, reason, by, field) : { field: `SKF > ${field}`, reason };
};

const WITHOUT_SK: ReadonlySet<number> = new Set([EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_SESSION_RESUME]);

const unprotected = rule("fragment-before-keys", ["IKEFRAG-01"], (message) => {
  if (!WITHOUT_SK.has(message.exchangeType)) return NONE;
  const part = message.clear.find(({ payload }) => payload.kind === "SKF");
  return part ? [breachIn(part, "a message of an exchange that nothing encrypts is in fragments")] : NONE;
});

const form = notifyForm("rfc7383", "IKEFRAG-04", "fragmentation-notify-not-empty", {
  types: [NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED],
});

const negotiated = rule("fragments-not-negotiated", ["IKEFRAG-06"], (message, sa) => {
  const part = message.clear.find(({ payload }) => payload.kind === "SKF");
  if (!part || bothAnnounced(sa, NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) !== false) return NONE;
  return [breachIn(part, "a fragment though not both ends announced IKEV2_FRAGMENTATION_SUPPORTED")];
});

const last = rule("payload-behind-fragment", ["IKEFRAG-15"], (message) =>
  piecesOf(message).flatMap(({ skf, message: { header, payloads, trailing } }) => {
    const behind = payloads.at(-1) !== skf || (trailing !== undefined && header.length === undefined);
    return behind ? [breachOf(message, "payload length", 2, "octets stand behind SKF")] : [];
  }),
);

const numbers = rule("fragment-number-out-of-range", ["IKEFRAG-18"], (message) =>
  piecesOf(message).flatMap(({ skf: { fragmentNumber: number, totalFragments: total } }) =>
    number >= 1 && number <= total
      ? []
      : [breachOf(message, "fragment number", 4, `fragment ${number} of ${total}`)],
  ),
);

/** More than IV, one block and ICV of any cipher: there is content. */
const SURELY_CONTENT = 80;

const firstType = rule("first-fragment-names-no-payload", ["IKEFRAG-16"], (message) =>
  piecesOf(message).flatMap(({ skf }) =>
    skf.fragmentNumber === 1 && skf.innerType === 0 && skf.data.length > SURELY_CONTENT
      ? [breachOf(message, "next payload", 0, "Next Payload is 0 in the first fragment")]
      : [],
  ),
);

const laterTypes = rule("later-fragment-names-payload", ["IKEFRAG-17"], (message) =>
  piecesOf(message).flatMap(({ skf }) =>
    skf.fragmentNumber > 1 && skf.innerType !== 0
      ? [
          breachOf(
            message,
            "next payload",
            0,
            `Next Payload is ${skf.innerType} in fragment ${skf.fragmentNumber}`,
          ),
        ]
      : [],
  ),
);

const clearPayloads = rule("clear-payload-in-later-fragment", ["IKEFRAG-29"], (message) =>
  piecesOf(message).flatMap(({ skf, message: { payloads } }) =>
    skf.fragmentNumber > 1 && payloads[0] !== skf
      ? [breachOf(message, "fragment number", 4, `fragment ${skf.fragmentNumber} has a payload in clear`)]
      : [],
  ),
);

const headers = rule("fragment-headers-differ", ["IKEFRAG-19"], (message) => {
  const pieces = piecesOf(message);
  const first = pieces[0]?.message.header;
  return pieces.flatMap(({ skf, message: { header } }) =>
    first && (header.version !== first.version || header.flags !== first.flags)
      ? [
          breachOf(
            message,
            "fragment number",
            4,
            `the header of fragment ${skf.fragmentNumber} is another one`,
          ),
        ]
      : [],
  );
});

const synchronisation = rule("synchronisation-in-fragments", ["IKEFRAG-44"], (message) => {
  const part = message.seen.fragments && notify(message, NOTIFY.IKEV2_MESSAGE_ID_SYNC);
  return part ? [breachIn(part, "a message that synchronises Message IDs is in fragments")] : NONE;
});

/** Octets of the IV that are compared: each cipher of IKE has 8 or more. */
const IV = 8;
const NULL_CIPHER = 11;

const hasIv = (sa: LintIkeSa): boolean => {
  const encr = sa.suite?.transforms.find(({ type }) => type === TRANSFORM.ENCR)?.id;
  return encr !== undefined && encr !== NULL_CIPHER && (encr < 29 || encr > 31);
};

const ivs = rule("fragments-share-iv", ["IKEFRAG-14"], (message, sa) => {
  const pieces = piecesOf(message);
  if (pieces.length < 2 || !hasIv(sa)) return NONE;
  const seen = new Map<string, number>();
  return pieces.flatMap(({ skf }) => {
    if (skf.data.length < IV) return [];
    const iv = hex(skf.data.subarray(0, IV));
    const other = seen.get(iv);
    seen.set(iv, skf.fragmentNumber);
    return other === undefined
      ? []
      : [breachOf(message, "iv", 8, `fragments ${other} and ${skf.fragmentNumber} have the same IV`)];
  });
});

/** Messages whose totals are remembered, per IKE SA. */
const MOST_TOTALS = 64;

const totals = saRule("rfc7383")("fewer-fragments-than-before", ["IKEFRAG-25"], () => {
  const known = new Map<number, Set<number>>();
  return (message) => {
    const skf = message.clear.find(({ payload }) => payload.kind === "SKF")?.payload;
    if (message.isResponse || message.by !== "initiator" || skf?.kind !== "SKF") return NONE;
    const total = skf.totalFragments;
    const before = known.get(message.messageId) ?? new Set();
    // One that was seen earlier may be late.
    const fewer =
      !before.has(total) && before.size < MOST_TOTALS && [...before].some((other) => other > total);
    known.set(message.messageId, before.add(total));
    if (known.size > MOST_TOTALS) known.delete(Math.min(...known.keys()));
    return fewer
      ? [breachOf(message, "total fragments", 6, `${total} fragments, after more of the same message`)]
      : NONE;
  };
});

const inFragments = { payloads: [PAYLOAD.SKF] };

/** Of RFC 7383. */
export const fragmentation: readonly Rule[] = [
  ...concerning(inFragments, [unprotected]),
  form,
  ...concerning(inFragments, [negotiated, last, numbers, firstType, laterTypes, clearPayloads, headers]),
  ...concerning({ notifies: [NOTIFY.IKEV2_MESSAGE_ID_SYNC] }, [synchronisation]),
  ...concerning<Rule>(inFragments, [ivs, totals]),
];
