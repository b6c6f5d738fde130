/** GSA and KD payloads in a few words, for ladders and logs. */
import { hex, readU32 } from "./bytes.ts";
import type {
  GroupKeyBag,
  GroupWidePolicy,
  GsaPayload,
  GsaPolicy,
  KdPayload,
  MemberKeyBag,
} from "./group-types.ts";
import {
  GROUP_KEY_BAG_ATTRIBUTE,
  GW_POLICY_ATTRIBUTE,
  groupKeyBagAttributes,
  gwPolicyAttributes,
  MEMBER_KEY_BAG_ATTRIBUTE,
  memberKeyBagAttributes,
} from "./registry/group-attributes.ts";
import { protocolIds } from "./registry/protocol-ids.ts";
import type { TransformAttribute } from "./types.ts";
import { readWrappedKey } from "./wrapped-key.ts";

/** More parts than this are counted, not listed. */
const MOST_PARTS = 8;
const MOST_ATTRIBUTES = 24;
/** Octets that are shown of an SPI. */
const SPI_SHOWN = 4;

/** `GSA(GIKE_UPDATE a0a1a2a3.., ESP c0000001, GW ATD 5 DTD 10)`. */
export function describeGsa({ policies }: GsaPayload): string {
  return `GSA(${listed(policies, MOST_PARTS, describePolicy, ", ")})`;
}

function describePolicy(policy: GsaPolicy | GroupWidePolicy): string {
  if (policy.kind === "SA") return describeSa(policy.protocolId, policy.spi);
  return `GW${listed(policy.attributes, MOST_ATTRIBUTES, describeGroupWide)}`;
}

function describeGroupWide({ type, value }: TransformAttribute): string {
  const name =
    type === GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS
      ? "SID bits"
      : gwPolicyAttributes.nameOf(type).replace("GWP_", "");
  return ` ${name} ${typeof value === "number" ? value : `0x${shortHex(value)}`}`;
}

/**
 * `KD(ESP c0000001 0{0}, 3{1} 7{3} 0{7})`: each key by its id, in braces the id of the key that wraps it, 0 for the
 * keys of the SA itself and for GSK_w.
 */
export function describeKd({ bags }: KdPayload): string {
  return `KD(${listed(bags, MOST_PARTS, describeBag, ", ")})`;
}

function describeBag(bag: GroupKeyBag | MemberKeyBag): string {
  if (bag.kind === "member") return `member${listed(bag.attributes, MOST_ATTRIBUTES, describeMemberKey)}`;
  return `${describeSa(bag.protocolId, bag.spi)}${listed(bag.attributes, MOST_ATTRIBUTES, describeGroupKey)}`;
}

function describeGroupKey({ type, value }: TransformAttribute): string {
  if (type === GROUP_KEY_BAG_ATTRIBUTE.SA_KEY) return describeWrapped(value);
  return ` ${groupKeyBagAttributes.nameOf(type)}`;
}

function describeMemberKey({ type, value }: TransformAttribute): string {
  if (type === MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY) return describeWrapped(value);
  if (type !== MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID) return ` ${memberKeyBagAttributes.nameOf(type)}`;
  return ` SID ${senderIdText(value)}`;
}

function senderIdText(value: number | Uint8Array): string {
  if (typeof value === "number") return String(value);
  return value.length === 4 ? String(readU32(value, 0)) : `0x${shortHex(value)}`;
}

function describeWrapped(value: number | Uint8Array): string {
  const key = readWrappedKey(value);
  return key === undefined ? " ?" : ` ${key.keyId}{${key.kwkId}}`;
}

const describeSa = (protocolId: number, spi: Uint8Array): string =>
  `${protocolIds.nameOf(protocolId)} ${shortHex(spi)}`;

const shortHex = (octets: Uint8Array): string =>
  octets.length > SPI_SHOWN ? `${hex(octets.subarray(0, SPI_SHOWN))}..` : hex(octets);

function listed<T>(items: readonly T[], most: number, describe: (item: T) => string, between = ""): string {
  const words = items.slice(0, most).map(describe);
  if (items.length > most) words.push(` ... ${items.length - most} more`);
  return words.join(between);
}
