/** Planted breaches: header and payloads. */
import { fromHex } from "../../../../wire/bytes.ts";
import { PAYLOAD } from "../../../../wire/registry/payload-types.ts";
import { nonce } from "../payloads.ts";
import { whole, withCookie } from "./conversations.ts";
import { add, message, type Planted, payload, proposal } from "./rows.ts";

const unknown = (critical?: boolean) => ({
  ...{ kind: "raw" as const, type: 100, data: fromHex("00") },
  ...(critical && { critical }),
});

const inHeader: Planted[] = [
  {
    rule: "reserved-flag-set",
    of: whole,
    change: (said) => {
      message(said, 3).header = { flags: 0x0c };
    },
    at: "3 @19 header > flags",
  },
  {
    rule: "version-flag-set",
    of: whole,
    change: (said) => {
      message(said, 3).header = { flags: 0x18 };
    },
    at: "3 @19 header > flags",
  },
  {
    rule: "initiator-flag-of-the-other",
    of: whole,
    change: (said) => {
      message(said, 4).header = { flags: 0x28 };
    },
    at: "4 @19 header > flags",
  },
  {
    rule: "initiator-flag-of-the-other",
    is: "IKEV2-030",
    of: whole,
    change: (said) => {
      message(said, 13).header = { flags: 0x08 };
    },
    at: "13 @19 header > flags",
  },
  {
    rule: "version-not-2-0",
    of: whole,
    change: (said) => {
      message(said, 3).header = { version: 0x21 };
    },
    at: "3 @17 header > version",
  },
  {
    rule: "zero-initiator-spi",
    of: whole,
    change: (said) => {
      message(said, 1).header = { spiI: new Uint8Array(8) };
    },
    at: "1 @0 header > initiator SPI",
  },
  {
    rule: "responder-spi-in-first-request",
    of: whole,
    change: (said) => {
      message(said, 1).header = { spiR: fromHex("0000000000000001") };
    },
    at: "1 @8 header > responder SPI",
  },
  {
    rule: "responder-spi-in-refusal",
    of: withCookie,
    change: (said) => {
      message(said, 2).header = { spiR: fromHex("0000000000000001") };
    },
    at: "2 @8 header > responder SPI",
  },
  {
    rule: "length-not-of-message",
    of: whole,
    change: (said) => {
      message(said, 3).header = { length: 1000 };
    },
    at: "3 @24 header > length",
  },
  {
    rule: "message-id-of-ike-sa-init",
    of: whole,
    change: (said) => {
      message(said, 2).id = 1;
    },
    at: "2 @20 header > message ID",
  },
];

const inPayloads: Planted[] = [
  {
    rule: "critical-bit-of-core-payload",
    of: whole,
    change: (said) => {
      payload(said, 3, "AUTH").critical = true;
    },
    at: "3 @SK+35 AUTH > critical",
  },
  {
    rule: "critical-bit-in-response",
    of: whole,
    change: (said) => add(said, 4, unknown(true)),
    at: "4 @SK+166 unknown(100) > critical",
  },
  {
    rule: "reserved-bits-of-payload-header",
    of: whole,
    change: (said) => {
      payload(said, 3, "AUTH").reserved = 5;
    },
    at: "3 @SK+35 AUTH > reserved",
  },
  {
    rule: "reserved-field-not-zero",
    of: whole,
    change: (said) => {
      payload(said, 1, "KE").reserved2 = 3;
    },
    at: "1 @118 KE > reserved",
  },
  {
    rule: "reserved-field-not-zero",
    of: whole,
    change: (said) => {
      proposal(said, 1, 1).reserved = 1;
    },
    at: "1 @77 SA > proposal 2 > reserved",
  },
  {
    rule: "reserved-field-of-id",
    of: whole,
    change: (said) => {
      payload(said, 3, "ID").reserved3 = 1;
    },
    at: "3 @SK+5 IDi > reserved",
  },
  {
    rule: "reserved-field-of-ts",
    of: whole,
    change: (said) => {
      payload(said, 3, "TS").reserved3 = 1;
    },
    at: "3 @SK+143 TSi > reserved",
  },
  {
    rule: "payloads-out-of-order",
    of: whole,
    change: (said) => {
      message(said, 1).payloads.reverse();
    },
    at: "1 @120 KE",
  },
  {
    rule: "payload-behind-sk",
    of: whole,
    change: (said) => {
      message(said, 3).behind = fromHex("00000004");
    },
    at: "3 @28 SK",
  },
  {
    rule: "sk-inside-sk",
    of: whole,
    change: (said) => add(said, 3, { kind: "SK", type: PAYLOAD.SK, innerType: 0, data: new Uint8Array(48) }),
    at: "3 @SK+186 SK",
  },
  {
    rule: "ke-or-nonce-in-ike-auth",
    of: whole,
    change: (said) => add(said, 3, nonce(9)),
    at: "3 @SK+186 NONCE",
  },
  {
    rule: "informational-in-clear",
    of: whole,
    change: (said) => {
      message(said, 7).inClear = true;
      said.splice(8);
    },
    at: "7",
  },
];

export const plantedInHeader: readonly Planted[] = [...inHeader, ...inPayloads];
