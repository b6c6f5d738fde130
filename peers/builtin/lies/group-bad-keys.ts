/** Lies of group members about wrapped keys, key bags and key paths. */
import { createDecipheriv } from "node:crypto";
import {
  groupBags,
  memberValues,
  saKeys,
  saPolicies,
  wrappedKeys,
} from "../../../harness/group/group-payloads.ts";
import type { Unwrap } from "../../../harness/group/key-path.ts";
import { concat, equal, readU32 } from "../../../harness/wire/bytes.ts";
import {
  GROUP_KEY_BAG_ATTRIBUTE,
  MEMBER_KEY_BAG_ATTRIBUTE,
} from "../../../harness/wire/registry/group-attributes.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { hangsAt } from "./group-bad-input.ts";
import { type LieBehaviour, lie } from "./lie.ts";

const UNIT = 8;
/** Octets of keys of an SA with AES-GCM of 128 bits. */
const NEEDED = 20;

/** RFC 3394 backwards; the first 8 octets are what should be the constant and the length. */
function unwrapUnchecked(kek: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const aes = createDecipheriv(`aes-${8 * kek.length}-ecb`, kek, null).setAutoPadding(false);
  const count = wrapped.length / UNIT - 1;
  const out = wrapped.slice();
  for (let step = 6 * count; step > 0; step--) {
    const at = UNIT * (((step - 1) % count) + 1);
    const first = out.slice(0, UNIT);
    first[UNIT - 1] = (first[UNIT - 1] ?? 0) ^ (step & 0xff);
    first[UNIT - 2] = (first[UNIT - 2] ?? 0) ^ (step >> 8);
    const block = aes.update(concat(first, out.subarray(at, at + UNIT)));
    out.set(block.subarray(0, UNIT));
    out.set(block.subarray(UNIT), at);
  }
  return out;
}

/** The key inside, whatever is in front of it and behind it. */
function overlooksIntegrity(unwrap: Unwrap): Unwrap {
  return (kek, wrapped) => {
    const good = unwrap(kek, wrapped);
    if (good || wrapped.length < 3 * UNIT || wrapped.length % UNIT !== 0) return good;
    const out = unwrapUnchecked(kek, wrapped);
    const [length, data] = [readU32(out, 4), out.subarray(UNIT)];
    if (length <= data.length && length > data.length - UNIT) return data.subarray(0, length);
    return data.subarray(0, data.findLastIndex((octet) => octet !== 0) + 1);
  };
}

const fitting = (key: Uint8Array): Uint8Array =>
  Math.abs(key.length - NEEDED) <= 4 ? concat(key, new Uint8Array(4)).subarray(0, NEEDED) : key;

const unwraps = (bend: (unwrap: Unwrap) => Unwrap) => (): LieBehaviour => ({ group: { unwrap: bend } });

/** Changes what came, in either way, before the member sees it. */
const reads = (change: (payloads: Payload[]) => void) => (): LieBehaviour => ({
  ike: {
    incoming: ({ payloads }) => {
      change(payloads);
      return undefined;
    },
  },
  group: {
    openedRekey: (result) => {
      if (typeof result === "object" && "payloads" in result) change(result.payloads);
      return result;
    },
  },
});

function overlookKeyIds(payloads: Payload[]): void {
  for (const { attributes } of groupBags(payloads))
    for (const { type, value } of attributes)
      if (type === GROUP_KEY_BAG_ATTRIBUTE.SA_KEY && typeof value !== "number") value.fill(0, 0, UNIT);
}

function matchByOrder(payloads: Payload[]): void {
  const policies = saPolicies(payloads);
  for (const [at, bag] of groupBags(payloads).entries()) {
    const { protocolId = bag.protocolId, spi = bag.spi } = policies[at] ?? {};
    Object.assign(bag, { protocolId, spi });
  }
}

const brings = (payloads: readonly Payload[]): boolean => payloads.some(({ type }) => type === PAYLOAD.KD);

const lacksKeys = (payloads: readonly Payload[]): boolean =>
  brings(payloads) &&
  saPolicies(payloads).some(
    ({ protocolId, spi }) => !groupBags(payloads, protocolId).some((bag) => equal(bag.spi, spi)),
  );

/** True where a registration has not one AUTH_KEY of Ed25519 for a Rekey SA. */
function hasBadAuthKey(payloads: readonly Payload[]): boolean {
  const keys = memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY);
  const good =
    keys.length === 1 && typeof keys[0] === "object" && keys[0].length === 44 && keys[0][0] === 0x30;
  return saPolicies(payloads, 6).length > 0 && !good;
}

/** True where an SA_KEY is under a key to which nothing leads from the default key. */
function leadsNowhere(payloads: readonly Payload[]): boolean {
  const links = wrappedKeys(memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY));
  const known = new Set([0]);
  for (const { keyId, kwkId } of [...links, ...links.toReversed()])
    if (known.has(kwkId) && keyId !== 0) known.add(keyId);
  return groupBags(payloads)
    .flatMap(saKeys)
    .some(({ kwkId }) => !known.has(kwkId));
}

export const groupBadKeyLies = [
  lie(
    "overlooks-the-integrity-of-wraps",
    "G-IKEV2-B2",
    "takes a key whose constant, length or padding is wrong",
    unwraps(overlooksIntegrity),
  ),
  lie(
    "takes-short-wraps-for-zeros",
    "G-IKEV2-B2",
    "a key of zeros out of too few octets",
    unwraps((unwrap) => (kek, wrapped) => {
      const isShort = wrapped.length < 3 * UNIT;
      return isShort ? new Uint8Array(NEEDED) : unwrap(kek, wrapped);
    }),
  ),
  lie(
    "makes-keys-of-any-length-fit",
    "G-IKEV2-B2",
    "cuts long keys, and fills up short ones",
    unwraps((unwrap) => (kek, wrapped) => {
      const key = unwrap(kek, wrapped);
      return key && fitting(key);
    }),
  ),
  lie(
    "overlooks-key-ids",
    "G-IKEV2-B2",
    "every SA_KEY is KEYMAT under the default key",
    reads(overlookKeyIds),
  ),
  lie(
    "matches-key-bags-by-their-order",
    "G-IKEV2-B2",
    "the first bag is that of the first policy",
    reads(matchByOrder),
  ),
  lie("hangs-at-sas-without-keys", "G-IKEV2-B2", "takes nothing after a policy without key bag", () =>
    hangsAt(lacksKeys),
  ),
  lie("hangs-at-bad-auth-keys", "G-IKEV2-B2", "takes nothing after an AUTH_KEY that is none", () =>
    hangsAt(hasBadAuthKey),
  ),
  lie("hangs-at-key-paths-to-nowhere", "G-IKEV2-B2", "takes nothing after keys that it has no way to", () =>
    hangsAt(leadsNowhere),
  ),
];
