/** The IKE header (RFC 7296 section 3.1). */
import { hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { FLAG } from "../../wire/types.ts";
import { breachInHeader, has, notify } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, type Rule } from "../rule.ts";
import { ofMessage } from "./rfc7296.ts";

const OFFSET = { spiI: 0, spiR: 8, version: 17, flags: 19, messageId: 20, length: 24 } as const;

const isZero = (spi: Uint8Array): boolean => spi.every((octet) => octet === 0);
const isInit = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;

const RESERVED_FLAGS = 0xff & ~(FLAG.initiator | FLAG.version | FLAG.response);

const reservedFlags = ofMessage("reserved-flag-set", "IKEV2-227", ({ seen }) => {
  const set = seen.message.header.flags & RESERVED_FLAGS;
  if (set === 0) return NONE;
  return [breachInHeader(OFFSET.flags, "flags", `reserved bits 0x${set.toString(16)} are set`)];
});

const versionFlag = ofMessage("version-flag-set", "IKEV2-229", ({ seen }) =>
  seen.message.header.flags & FLAG.version
    ? [breachInHeader(OFFSET.flags, "flags", "the Version flag is set, a speaker of version 2 clears it")]
    : NONE,
);

/** Without keys a message of IKE_SA_INIT tells it by itself; else both ends must have been where they were. */
function surelyBy(message: LintMessage, sa: LintIkeSa): boolean {
  if (isInit(message)) return true;
  const { initiator, responder } = sa.ends;
  if (!sa.begun || !message.protected || !initiator || !responder) return false;
  const [from, to] = message.by === "initiator" ? [initiator, responder] : [responder, initiator];
  const { source, destination } = message.seen;
  return from.host !== to.host && source.host === from.host && destination.host === to.host;
}

const initiatorFlag = ofMessage("initiator-flag-of-the-other", ["IKEV2-227", "IKEV2-030"], (message, sa) => {
  const set = (message.seen.message.header.flags & FLAG.initiator) !== 0;
  if (set === (message.by === "initiator") || !surelyBy(message, sa)) return NONE;
  const reason = set
    ? "the Initiator flag is set, but the sender is not the original initiator"
    : "the Initiator flag is clear, but the sender is the original initiator";
  const requirement = sa.begun === "rekey" ? "IKEV2-030" : "IKEV2-227";
  return [{ ...breachInHeader(OFFSET.flags, "flags", reason), requirement }];
});

const version = ofMessage("version-not-2-0", "IKEV2-226", ({ seen }) => {
  const octet = seen.message.header.version;
  if (octet === 0x20) return NONE;
  return [breachInHeader(OFFSET.version, "version", `version ${octet >>> 4}.${octet & 15} instead of 2.0`)];
});

/** The one-way message of section 1.5 may have a zero or random SPI; a response copies what it was sent. */
const zeroSpi = ofMessage("zero-initiator-spi", "IKEV2-224", (message) => {
  if (message.isResponse || !isZero(message.seen.message.header.spiI)) return NONE;
  if (!message.protected && message.exchangeType === EXCHANGE.INFORMATIONAL) return NONE;
  return [breachInHeader(OFFSET.spiI, "initiator SPI", "the initiator's SPI is zero")];
});

const responderSpi = ofMessage("responder-spi-in-first-request", "IKEV2-225", (message) => {
  const { spiR } = message.seen.message.header;
  if (!isInit(message) || message.isResponse || isZero(spiR)) return NONE;
  const reason = `the responder's SPI is ${hex(spiR)}, it is zero in requests of IKE_SA_INIT`;
  return [breachInHeader(OFFSET.spiR, "responder SPI", reason)];
});

const REFUSALS = [NOTIFY.COOKIE, NOTIFY.INVALID_KE_PAYLOAD, NOTIFY.NO_PROPOSAL_CHOSEN];

const spiOfRefusal = ofMessage("responder-spi-in-refusal", "IKEV2-103", (message) => {
  if (!isInit(message) || !message.isResponse || isZero(message.seen.message.header.spiR)) return NONE;
  if (has(message, PAYLOAD.SA) || !REFUSALS.some((type) => notify(message, type))) return NONE;
  return [
    breachInHeader(OFFSET.spiR, "responder SPI", "no IKE SA comes of it, so the responder's SPI is zero"),
  ];
});

const length = ofMessage("length-not-of-message", "IKEV2-232", ({ seen }) => {
  const { length: told } = seen.message.header;
  if (told === undefined) return NONE;
  return [
    breachInHeader(
      OFFSET.length,
      "length",
      `Length is ${told}, the message has ${seen.octets.length} octets`,
    ),
  ];
});

const initId = ofMessage("message-id-of-ike-sa-init", "IKEV2-063", (message) => {
  if (!isInit(message) || message.messageId === 0) return NONE;
  return [breachInHeader(OFFSET.messageId, "message ID", `${message.messageId} instead of 0 in IKE_SA_INIT`)];
});

export const header: readonly Rule[] = [
  ...[reservedFlags, versionFlag, initiatorFlag, version, zeroSpi],
  ...[responderSpi, spiOfRefusal, length, initId],
];
