/** IKE_INTERMEDIATE (RFC 9242). */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { concerning } from "../concern.ts";
import { breachIn, breachInHeader } from "../parts.ts";
import { type LintMessage, NONE, type Rule } from "../rule.ts";
import { bothAnnounced, messageRule, missing, notifyForm, saRule } from "./forms.ts";

const rule = messageRule("rfc9242");
const SUPPORTED = NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;
const OFFSET = { exchangeType: 18, messageId: 20 };

const isIntermediate = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_INTERMEDIATE;

const form = notifyForm("rfc9242", "INT-03", "intermediate-notify-not-empty", { types: [SUPPORTED] });

const negotiated = rule("intermediate-not-negotiated", ["INT-05"], (message, sa) => {
  if (!isIntermediate(message) || message.isResponse || bothAnnounced(sa, SUPPORTED) !== false) return NONE;
  const reason = "IKE_INTERMEDIATE though not both ends sent INTERMEDIATE_EXCHANGE_SUPPORTED";
  return [breachInHeader(OFFSET.exchangeType, "exchange type", reason)];
});

/** An error about the header of the request goes in clear (RFC 7296 sections 2.5 and 2.21.4). */
const isError = ({ clear }: LintMessage): boolean =>
  clear.length === 1 &&
  clear[0]?.payload.kind === "Notify" &&
  clear[0].payload.notifyType < NOTIFY.INITIAL_CONTACT;

const inClear = rule("intermediate-in-clear", ["INT-13"], (message, sa) => {
  if (!isIntermediate(message) || message.protected || !bothAnnounced(sa, SUPPORTED)) return NONE;
  if (message.isResponse && isError(message)) return NONE;
  return [missing("SK", "a message of IKE_INTERMEDIATE without an Encrypted payload")];
});

const keyInClear = rule("key-exchange-in-front-of-sk", ["INT-14"], (message) => {
  if (!isIntermediate(message) || !message.protected) return NONE;
  return message.clear
    .filter(({ payload }) => payload.type === PAYLOAD.KE)
    .map((part) => breachIn(part, "key exchange data stand outside of the Encrypted payload"));
});

/** Exchanges between may be missing in the capture, but the initiator has no request of Message ID 0 behind IKE_SA_INIT. */
const ids = rule("intermediate-message-id-skipped", ["INT-10"], (message, sa) => {
  if (!isIntermediate(message) || message.isResponse || !message.protected) return NONE;
  if (message.by !== "initiator" || message.messageId !== 0 || sa.begun !== "IKE_SA_INIT") return NONE;
  const reason = "the first IKE_INTERMEDIATE has Message ID 0";
  return [breachInHeader(OFFSET.messageId, "message id", reason)];
});

const again = saRule("rfc9242")("ike-auth-with-used-message-id", ["INT-10a"], () => {
  let newest = 0;
  return (message) => {
    if (message.isResponse || !message.protected || message.by !== "initiator") return NONE;
    if (isIntermediate(message)) newest = Math.max(newest, message.messageId);
    if (message.exchangeType !== EXCHANGE.IKE_AUTH || message.messageId > newest || newest === 0) return NONE;
    const reason = `IKE_AUTH has Message ID ${message.messageId}, IKE_INTERMEDIATE had ${newest}`;
    return [breachInHeader(OFFSET.messageId, "message id", reason)];
  };
});

const late = saRule("rfc9242")("intermediate-after-ike-auth", ["INT-08"], () => {
  let auth = Number.POSITIVE_INFINITY;
  return (message) => {
    if (message.isResponse || !message.opened || message.by !== "initiator") return NONE;
    if (message.exchangeType === EXCHANGE.IKE_AUTH) auth = Math.min(auth, message.messageId);
    if (!isIntermediate(message) || message.messageId <= auth) return NONE;
    return [
      breachInHeader(OFFSET.exchangeType, "exchange type", "IKE_INTERMEDIATE after IKE_AUTH has begun"),
    ];
  };
});

/** Of RFC 9242. */
export const intermediate: readonly Rule[] = [
  form,
  ...concerning({ exchanges: [EXCHANGE.IKE_INTERMEDIATE] }, [negotiated, inClear, keyInClear, ids]),
  ...concerning({ exchanges: [EXCHANGE.IKE_INTERMEDIATE, EXCHANGE.IKE_AUTH] }, [again, late]),
];
