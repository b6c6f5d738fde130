/** The IKE header (RFC 7296 section 3.1). */
import { FLAG } from "../../wire/types.ts";
import { breachInHeader } from "../parts.ts";
import { type MessageRule, NONE } from "../rule.ts";

const OFFSET = {
  spiI: 0,
  spiR: 8,
  version: 17,
  exchangeType: 18,
  flags: 19,
  messageId: 20,
  length: 24,
} as const;

const rule = (name: string, requirement: string, check: MessageRule["check"]): MessageRule => ({
  ...{ document: "rfc7296", requirements: [requirement], scope: "message", name, check },
});

const RESERVED_FLAGS = 0xff & ~(FLAG.initiator | FLAG.version | FLAG.response);

const reservedFlags = rule("reserved-flag-set", "IKEV2-227", ({ seen }) => {
  const set = seen.message.header.flags & RESERVED_FLAGS;
  if (set === 0) return NONE;
  return [breachInHeader(OFFSET.flags, "flags", `reserved bits 0x${set.toString(16)} are set`)];
});

export const header: readonly MessageRule[] = [reservedFlags];
