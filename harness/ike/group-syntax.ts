/**
 * Which GSA and KD payloads are malformed (RFC 9838 sections 4.4 and 4.5). Who speaks G-IKEv2 asks this of the
 * messages of its exchanges; for everybody else these payloads are unknown, and judged by their length only.
 */
import type {
  GroupKeyBag,
  GroupWidePolicy,
  GsaPayload,
  GsaPolicy,
  KdPayload,
  MemberKeyBag,
} from "../wire/index.ts";
import {
  GROUP_KEY_BAG_ATTRIBUTE,
  GSA_ATTRIBUTE,
  GW_POLICY_ATTRIBUTE,
  MEMBER_KEY_BAG_ATTRIBUTE,
} from "../wire/registry/group-attributes.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Payload, TransformAttribute } from "../wire/types.ts";
import { malformedSelector, malformedTransform } from "./syntax.ts";

/** Octets of the ids in front of a wrapped key. */
const KEY_IDS = 8;

/** How many octets the value of an attribute may have; a TV value has none. */
type Sizes = (type: number) => { least: number; most: number } | "TV" | undefined;

/** Why the payloads GSA and KD of a message are malformed, or undefined. */
export function malformedGroup(payloads: readonly Payload[]): string | undefined {
  for (const type of [PAYLOAD.GSA, PAYLOAD.KD]) {
    const found = payloads.filter((p) => p.type === type);
    if (found.length > 1) return `${found.length} payloads ${type}`;
    if (found[0]?.kind === "raw") return `payload ${type}: body`;
  }
  for (const payload of payloads) {
    const reason = malformedPayload(payload);
    if (reason) return `payload ${payload.type}: ${reason}`;
  }
  return undefined;
}

function malformedPayload(payload: Payload): string | undefined {
  if (payload.kind === "GSA") return malformedGsa(payload);
  return payload.kind === "KD" ? malformedKd(payload) : undefined;
}

function malformedGsa({ policies, trailing }: GsaPayload): string | undefined {
  if (trailing) return "trailing octets";
  const sas = policies.filter((p) => p.kind === "SA");
  if (sas.length === 0) return "no policy of an SA";
  if (policies.length - sas.length > 1) return "several group-wide policies";
  if (sas.filter((p) => p.protocolId === PROTOCOL.GIKE_UPDATE).length > 1) return "several Rekey SAs";
  return first(policies, malformedPolicy);
}

function malformedPolicy(policy: GsaPolicy | GroupWidePolicy): string | undefined {
  if (misshapen(policy)) return "policy length";
  if (policy.kind !== "SA") return malformedAttributes(policy.attributes, groupWideSizes);
  if (wrongSpi(policy.protocolId, policy)) return "protocol or SPI size";
  if ([policy.source, policy.destination].some((ts) => ts.body !== undefined || malformedSelector(ts)))
    return "traffic selector";
  if (policy.transforms.length === 0 || policy.transforms.some(malformedTransform)) return "transforms";
  return malformedAttributes(policy.attributes, gsaSizes(policy.spi.length));
}

function malformedKd({ bags, trailing }: KdPayload): string | undefined {
  if (trailing) return "trailing octets";
  const members = bags.filter((bag) => bag.kind === "member").flatMap((bag) => bag.attributes);
  if (members.filter(({ type }) => type === MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY).length > 1)
    return "several AUTH_KEY";
  return first(bags, malformedBag);
}

function malformedBag(bag: GroupKeyBag | MemberKeyBag): string | undefined {
  if (misshapen(bag)) return "bag length";
  if (bag.kind === "member") return malformedAttributes(bag.attributes, memberSizes);
  if (wrongSpi(bag.protocolId, bag)) return "protocol or SPI size";
  return malformedAttributes(bag.attributes, groupSizes);
}

const misshapen = (part: { length?: number; trailing?: Uint8Array }): boolean =>
  part.length !== undefined || part.trailing !== undefined;

/** 16 octets for a Rekey SA, 4 for AH and ESP; there are no other protocols. */
function wrongSpi(protocolId: number, { spi, spiSize }: { spi: Uint8Array; spiSize?: number }): boolean {
  const known = [PROTOCOL.AH, PROTOCOL.ESP, PROTOCOL.GIKE_UPDATE].some((id) => id === protocolId);
  const size = protocolId === PROTOCOL.GIKE_UPDATE ? 16 : 4;
  return !known || spiSize !== undefined || spi.length !== size;
}

function malformedAttributes(attributes: readonly TransformAttribute[], sizes: Sizes): string | undefined {
  return first(attributes, ({ type, value, length }) => {
    const size = sizes(type);
    if (length !== undefined) return `length of attribute ${type}`;
    if (size === undefined) return undefined;
    const fits =
      size === "TV"
        ? typeof value === "number"
        : typeof value !== "number" && value.length >= size.least && value.length <= size.most;
    return fits ? undefined : `attribute ${type}`;
  });
}

const exactly = (octets: number) => ({ least: octets, most: octets });
const WRAPPED = { least: KEY_IDS, most: 0xffff };

const gsaSizes =
  (spi: number): Sizes =>
  (type) => {
    if (type === GSA_ATTRIBUTE.GSA_NEXT_SPI) return exactly(spi);
    const known = type === GSA_ATTRIBUTE.GSA_KEY_LIFETIME || type === GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID;
    return known ? exactly(4) : undefined;
  };

const groupWideSizes: Sizes = (type) =>
  Object.values(GW_POLICY_ATTRIBUTE).some((known) => known === type) ? "TV" : undefined;

const groupSizes: Sizes = (type) => (type === GROUP_KEY_BAG_ATTRIBUTE.SA_KEY ? WRAPPED : undefined);

const memberSizes: Sizes = (type) => {
  if (type === MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY) return WRAPPED;
  if (type === MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY) return { least: 1, most: 0xffff };
  return type === MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID ? { least: 1, most: 0xffff } : undefined;
};

/** The first reason that `judge` gives. */
function first<T>(items: readonly T[], judge: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const reason = judge(item);
    if (reason) return reason;
  }
  return undefined;
}
