/** ESP packets (RFC 4303 and the documents of its ciphers). What depends on the SA is judged where its negotiation was seen. */
import { hex, readU16 } from "../../wire/bytes.ts";
import { ENCR } from "../../wire/registry/encr.ts";
import { INTEG } from "../../wire/registry/integ.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { SN } from "../../wire/registry/sn.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import { type EspRule, type LintChild, type LintEspSa, NONE, otherRole, type Rule } from "../rule.ts";
import type { SeenEsp } from "../seen.ts";

/** Shortens the table of rules about packets. */
export const espRule =
  (document: string) =>
  (name: string, requirements: readonly [string, ...string[]], begin: EspRule["begin"]): EspRule => ({
    ...{ document, requirements, name, scope: "esp" },
    begin,
  });

const rule = espRule("rfc4303");

const OFFSET = { spi: 0, sequence: 4, iv: 8 };

const idOf = (child: LintChild, type: number): number | undefined =>
  child.chosen.transforms.find((transform) => transform.type === type)?.id;

/**
 * The Child SA of packets with the header of plain ESP and numbers that are counted: neither subspaces, which both ends
 * must ask for, nor numbers that mean nothing.
 */
function countedChild({ child }: LintEspSa): LintChild | undefined {
  if (!child || idOf(child, TRANSFORM.SN) === SN.UNSPECIFIED_32) return undefined;
  return child.asked.has(NOTIFY.ANTI_REPLAY_SUBSPACES) ? undefined : child;
}

const zeroSpi = rule("esp-with-spi-zero", ["ESP-02", "ESP-NAT-01"], () => ({ spi, transport }) => {
  if (spi !== 0) return NONE;
  const requirement = transport === "ip" ? "ESP-02" : "ESP-NAT-01";
  return [{ offset: OFFSET.spi, field: "SPI", reason: "the SPI is 0", requirement }];
});

/** From here on numbers may go on with 0. */
const NEAR_THE_END = 0x8000_0000;

const zeroNumber = rule("esp-number-zero", ["ESP-05"], (sa) => {
  let isNear = false;
  return ({ sequence }) => {
    isNear ||= sequence >= NEAR_THE_END;
    if (sequence !== 0 || isNear || !countedChild(sa)) return NONE;
    return [
      {
        offset: OFFSET.sequence,
        field: "sequence number",
        reason: "the number of a packet is 0, the first is 1",
      },
    ];
  };
});

/** Packets that are compared with those that follow. */
const MOST_PACKETS = 64;
/** Octets at the end of a packet that tell it from others. */
const END = 12;

/** What was seen lately under a key, and of which packet. */
class Recent {
  #packets = new Map<string, string>();

  /** True if another packet had it. */
  seenElsewhere(key: string, { octets, sequence }: SeenEsp): boolean {
    const packet = `${sequence} ${octets.length} ${hex(octets.subarray(-END))}`;
    const before = this.#packets.get(key);
    this.#packets.set(key, packet);
    if (this.#packets.size > MOST_PACKETS) this.#packets.delete(this.#packets.keys().next().value ?? "");
    return before !== undefined && before !== packet;
  }
}

const numberTwice = rule("esp-number-twice", ["ESP-07"], (sa) => {
  const recent = new Recent();
  let isNear = false;
  return (packet) => {
    isNear ||= packet.sequence >= NEAR_THE_END;
    if (isNear || !countedChild(sa) || !recent.seenElsewhere(`${packet.sequence}`, packet)) return NONE;
    const reason = `number ${packet.sequence} was that of another packet`;
    return [{ offset: OFFSET.sequence, field: "sequence number", reason }];
  };
});

/** Ciphers whose IV of 8 octets must never come twice, and what says so. */
const COUNTERS: ReadonlyMap<number, string> = new Map([
  [ENCR.AES_CTR, "ESP-CTR-01"],
  [ENCR.AES_GCM_8, "ESP-GCM-01"],
  [ENCR.AES_GCM_12, "ESP-GCM-01"],
  [ENCR.AES_GCM_16, "ESP-GCM-01"],
  [ENCR.NULL_AUTH_AES_GMAC, "ESP-GMAC-01"],
]);
const COUNTER_IV = 8;
const BLOCK = 16;

/** Octets of the IV and the requirement it is under. */
function ivOf(child: LintChild): { octets: number; requirement: string } | undefined {
  const cipher = idOf(child, TRANSFORM.ENCR);
  if (cipher === ENCR.AES_CBC) return { octets: BLOCK, requirement: "ESP-CBC-01" };
  const requirement = cipher === undefined ? undefined : COUNTERS.get(cipher);
  return requirement === undefined ? undefined : { octets: COUNTER_IV, requirement };
}

const ivTwice = rule("esp-iv-twice", ["ESP-GCM-01", "ESP-GMAC-01", "ESP-CTR-01", "ESP-CBC-01"], (sa) => {
  const recent = new Recent();
  return (packet) => {
    const child = countedChild(sa);
    const iv = child && ivOf(child);
    if (!iv || packet.octets.length < OFFSET.iv + iv.octets) return NONE;
    const value = hex(packet.octets.subarray(OFFSET.iv, OFFSET.iv + iv.octets));
    if (!recent.seenElsewhere(value, packet)) return NONE;
    const { requirement } = iv;
    return [{ offset: OFFSET.iv, field: "IV", reason: "the IV was that of another packet", requirement }];
  };
});

/** Octets of the ICV. */
const ICV: ReadonlyMap<number, number> = new Map([
  [INTEG.HMAC_SHA1_96, 12],
  [INTEG.AES_XCBC_96, 12],
  [INTEG.AES_CMAC_96, 12],
  [INTEG.HMAC_SHA2_256_128, 16],
  [INTEG.HMAC_SHA2_384_192, 24],
  [INTEG.HMAC_SHA2_512_256, 32],
]);

/** Octets of the ICV of an SA with AES-CBC. */
function cbcIcv(sa: LintEspSa): number | undefined {
  const child = countedChild(sa);
  const integ = child && idOf(child, TRANSFORM.INTEG);
  if (!child || integ === undefined || idOf(child, TRANSFORM.ENCR) !== ENCR.AES_CBC) return undefined;
  return ICV.get(integ);
}

const LAST_BLOCKS = 8;

const chainedIv = rule("esp-iv-chained", ["ESP-CBC-01"], (sa) => {
  const blocks: string[] = [];
  return ({ octets, repeats }) => {
    const icv = cbcIcv(sa);
    const end = octets.length - (icv ?? 0);
    if (icv === undefined || repeats !== undefined || end < OFFSET.iv + 2 * BLOCK) return NONE;
    const isChained = blocks.includes(hex(octets.subarray(OFFSET.iv, OFFSET.iv + BLOCK)));
    blocks.push(hex(octets.subarray(end - BLOCK, end)));
    if (blocks.length > LAST_BLOCKS) blocks.shift();
    const reason = "the IV is the last block of a packet before";
    return isChained ? [{ offset: OFFSET.iv, field: "IV", reason }] : NONE;
  };
});

/** The length of a packet of whole blocks with an ICV. */
const fits = (length: number, icv: number): boolean => {
  const ciphertext = length - OFFSET.iv - BLOCK - icv;
  return ciphertext > 0 && ciphertext % BLOCK === 0;
};

const CUT = 12;

const cutIcv = rule("esp-icv-cut-to-96-bits", ["ESP-HMAC-01"], (sa) => ({ octets: { length } }) => {
  const icv = cbcIcv(sa);
  if (icv === undefined || fits(length, icv) || !fits(length, CUT)) return NONE;
  return [{ offset: length - CUT, field: "ICV", reason: `the ICV has ${CUT} octets, not ${icv}` }];
});

const WORD = 4;

const alignment = rule("esp-not-aligned", ["ESP-13"], (sa) => ({ octets, content }) => {
  const length = content ? content.payload.length + content.padding.length + 2 : octets.length;
  if ((!content && !sa.child) || length % WORD === 0) return NONE;
  return [{ field: "padding", reason: "Next Header does not end on a boundary of 4 octets" }];
});

const padding = rule("esp-padding-not-counted", ["ESP-14"], () => ({ content }) => {
  const wrong = content ? content.padding.findIndex((octet, at) => octet !== at + 1) : -1;
  if (!content || wrong < 0) return NONE;
  const reason = `octet ${wrong + 1} of the padding is ${content.padding[wrong]}`;
  return [{ offset: content.payload.length + wrong, inside: true, field: "padding", reason }];
});

const IP = { v4: 4, v6: 41 };

/** Octets of an inner packet by its own header; undefined where that does not tell. */
function innerLength(nextHeader: number, payload: Uint8Array): number | undefined {
  const version = (payload[0] ?? 0) >>> 4;
  if (nextHeader === IP.v4 && version === 4 && payload.length >= 20) return readU16(payload, 2);
  if (nextHeader !== IP.v6 || version !== 6 || payload.length < 40) return undefined;
  const length = readU16(payload, 4);
  return length === 0 ? undefined : 40 + length;
}

/** Whether the receiver said in the negotiation that it takes no TFC padding. */
function refusesTfc({ child, by }: LintEspSa): boolean {
  if (!child || !by) return false;
  const said = otherRole(by) === child.requester ? child.asked : child.answered;
  return said.has(NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED);
}

const tfc = rule("tfc-padding-not-agreed", ["ESP-21"], (sa) => ({ content }) => {
  const length = content && refusesTfc(sa) ? innerLength(content.nextHeader, content.payload) : undefined;
  if (!content || length === undefined || length >= content.payload.length) return NONE;
  const reason = `${content.payload.length - length} octets stand behind the inner packet, which its receiver refused`;
  return [{ offset: length, inside: true, field: "TFC padding", reason }];
});

/** Of ESP packets. */
export const esp: readonly Rule[] = [
  ...[zeroSpi, zeroNumber, numberTwice, ivTwice, chainedIv, cutIcv, alignment, padding, tfc],
];
