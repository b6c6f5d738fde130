/**
 * ESP echo in the form of draft-ietf-ipsecme-encrypted-esp-ping-05. Its SPIs and sub-types have no other use, but there
 * are older forms: a packet is judged where its lengths agree with this one.
 */
import { readU16, readU32 } from "../../wire/bytes.ts";
import { codePointOf } from "../../wire/documents/code-point.ts";
import { ENCR } from "../../wire/registry/encr.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import { type LintEspSa, NONE, type Rule } from "../rule.ts";
import type { SeenEsp } from "../seen.ts";
import { espRule } from "./esp.ts";

const rule = espRule("esp-ping");
const AGGFRAG = codePointOf("AGGFRAG");
const SUB_TYPE = {
  request: codePointOf("AGGFRAG_SUB_TYPE.ESP_ECHO_REQUEST"),
  reply: codePointOf("AGGFRAG_SUB_TYPE.ESP_ECHO_REPLY"),
};
const SPI = {
  request: codePointOf("RESERVED_SPI.ESP_ECHO_REQUEST"),
  reply: codePointOf("RESERVED_SPI.ESP_ECHO_REPLY"),
};
const HEADER = 12;
const ESP_HEADER = 8;
const REPLY_FLAG = 0x80;

interface Echo {
  subType: number;
  asksForReply: boolean;
  dataLength: number;
  replySpi: number;
  padLength: number;
}

/** Reads a packet outside of SAs; undefined unless every length in it agrees. */
function plainEcho({ spi, octets }: SeenEsp): Echo | undefined {
  if (spi !== SPI.request && spi !== SPI.reply) return undefined;
  const echo = octets.subarray(ESP_HEADER);
  const padLength = octets[octets.length - 2] ?? 0;
  const [subType = 0, flags = 0] = echo;
  if (echo.length < HEADER + 2 || octets.at(-1) !== AGGFRAG) return undefined;
  if (subType !== SUB_TYPE.request && subType !== SUB_TYPE.reply) return undefined;
  const dataLength = readU16(echo, 2);
  if (HEADER + dataLength + padLength + 2 !== echo.length) return undefined;
  const asksForReply = (flags & REPLY_FLAG) !== 0;
  return { subType, asksForReply, dataLength, replySpi: readU32(echo, 8), padLength };
}

const LEAST_ALIGNMENT = 3;

const plainPadding = rule("plain-echo-padded", ["ESP-PING-13"], () => (packet) => {
  const echo = plainEcho(packet);
  if (!echo || echo.padLength <= LEAST_ALIGNMENT) return NONE;
  return [
    { offset: packet.octets.length - 2, field: "Pad Length", reason: `${echo.padLength} octets of padding` },
  ];
});

const plainReplyPath = rule("plain-echo-names-another-reply-spi", ["ESP-PING-14"], () => (packet) => {
  const echo = plainEcho(packet);
  if (!echo || echo.subType !== SUB_TYPE.request || !echo.asksForReply || echo.replySpi === SPI.reply)
    return NONE;
  const reason = `the reply is wanted on SPI ${echo.replySpi}, not ${SPI.reply}`;
  return [{ offset: ESP_HEADER + 8, field: "Reply path SPI", reason }];
});

const plainSpi = rule("plain-echo-on-wrong-spi", ["ESP-PING-22"], () => (packet) => {
  const echo = plainEcho(packet);
  if (!echo || (echo.subType === SUB_TYPE.request) === (packet.spi === SPI.request)) return NONE;
  const what = echo.subType === SUB_TYPE.request ? "a request" : "a reply";
  return [{ offset: 0, field: "SPI", reason: `${what} on SPI ${packet.spi}` }];
});

/** An echo inside of an SA whose ends both announced this form. */
function sealedEcho(
  { child }: LintEspSa,
  { content }: SeenEsp,
): { payload: Uint8Array; padding: number } | undefined {
  if (!child || content?.nextHeader !== AGGFRAG || content.payload.length < HEADER) return undefined;
  const { initiator, responder } = child.ike.announced;
  if (!initiator.has(NOTIFY.ESP_ECHO_SUPPORTED) || !responder.has(NOTIFY.ESP_ECHO_SUPPORTED))
    return undefined;
  const [subType] = content.payload;
  const isEcho = subType === SUB_TYPE.request || subType === SUB_TYPE.reply;
  return isEcho ? { payload: content.payload, padding: content.padding.length } : undefined;
}

const joined = rule("echo-with-more-than-data", ["ESP-PING-05"], (sa) => (packet) => {
  const echo = sealedEcho(sa, packet);
  const expected = echo && HEADER + readU16(echo.payload, 2);
  if (!echo || expected === undefined || echo.payload.length <= expected) return NONE;
  const reason = `${echo.payload.length - expected} octets stand behind Data`;
  return [{ offset: expected, inside: true, field: "echo > data", reason }];
});

/** Octets to which a cipher pads. */
const blockOf = ({ child }: LintEspSa): number | undefined => {
  const cipher = child?.chosen.transforms.find(({ type }) => type === TRANSFORM.ENCR)?.id;
  if (cipher === ENCR.AES_CBC || cipher === ENCR.CAMELLIA_CBC) return 16;
  return cipher !== undefined && cipher >= ENCR.AES_CTR && cipher <= ENCR.NULL_AUTH_AES_GMAC ? 4 : undefined;
};

const padded = rule("echo-padded", ["ESP-PING-12"], (sa) => (packet) => {
  const echo = sealedEcho(sa, packet);
  const block = blockOf(sa);
  if (!echo || block === undefined || echo.padding < block) return NONE;
  const reason = `${echo.padding} octets of padding, where ${echo.padding % block} are enough`;
  return [{ offset: echo.payload.length, inside: true, field: "padding", reason }];
});

/** Of ESP echo. */
export const espEcho: readonly Rule[] = [plainPadding, plainReplyPath, plainSpi, joined, padded];
