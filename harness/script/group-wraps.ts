/** Wrapped keys that no controller should send, and key downloads with them. */
import { createCipheriv } from "node:crypto";
import type { Wrapping } from "../group/keys.ts";
import { concat, u32 } from "../wire/bytes.ts";
import type { GroupKeyBag, KdPayload } from "../wire/group-types.ts";
import { GROUP_KEY_BAG_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { encodeWrappedKey } from "../wire/wrapped-key.ts";
import { type Damage, inPlaceOf } from "./group-damage.ts";

/** The value of an SA_KEY for these keys. */
export type SaKey = (wrapping: Wrapping, KEYMAT: Uint8Array) => Uint8Array;

const AIV = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);
const UNIT = 8;

/** RFC 5649 with a constant, a length and a padding of the test's own; `padded` has 16 octets at least. */
function wrapOddly(kek: Uint8Array, constant: Uint8Array, length: number, padded: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`id-aes${8 * kek.length}-wrap`, kek, concat(constant, u32(length)));
  return new Uint8Array(concat(cipher.update(padded), cipher.final()));
}

const padded = (key: Uint8Array, value = 0): Uint8Array =>
  concat(key, new Uint8Array((UNIT - (key.length % UNIT)) % UNIT).fill(value));

/** As it must be, but for the key inside and the ids. */
const wrapped = ({ kwa, GSK_w }: Wrapping, key: Uint8Array, keyId = 0, kwkId = 0): Uint8Array =>
  encodeWrappedKey({ keyId, kwkId, encryptedKey: kwa.wrap(GSK_w, key) });

const odd =
  (encrypt: (kek: Uint8Array, KEYMAT: Uint8Array) => Uint8Array): SaKey =>
  ({ GSK_w }, KEYMAT) =>
    encodeWrappedKey({ keyId: 0, kwkId: 0, encryptedKey: encrypt(GSK_w, KEYMAT) });

/** What fails the integrity check of the wrap. */
export const BROKEN_WRAPS: Record<string, SaKey> = {
  "a-wrong-constant": odd((kek, key) =>
    wrapOddly(kek, Uint8Array.of(0xa6, 0x59, 0x59, 0xa7), key.length, padded(key)),
  ),
  "a-length-beyond-its-data": odd((kek, key) => wrapOddly(kek, AIV, padded(key).length + 1, padded(key))),
  "a-length-of-4-gigabytes": odd((kek, key) => wrapOddly(kek, AIV, 0xffff_ffff, padded(key))),
  "a-length-far-below-its-data": odd((kek, key) => wrapOddly(kek, AIV, key.length - UNIT, padded(key))),
  "padding-other-than-zero": odd((kek, key) => wrapOddly(kek, AIV, key.length, padded(key, 1))),
};

const ofOctets = (count: number): SaKey => odd(() => new Uint8Array(count));

/** What is no output of a wrap at all. */
export const SHORT_WRAPS: Record<string, SaKey> = {
  "no-octets": ofOctets(0),
  "8-octets": ofOctets(8),
  "15-octets": ofOctets(15),
  "23-octets": ofOctets(23),
};

/** What has keys of another length than the SA needs. */
export const WRONG_LENGTHS: Record<string, SaKey> = {
  "keys-an-octet-short": (wrapping, KEYMAT) => wrapped(wrapping, KEYMAT.subarray(0, -1)),
  "keys-an-octet-long": (wrapping, KEYMAT) => wrapped(wrapping, concat(KEYMAT, new Uint8Array(1))),
};

/** Keys that are right, under ids that are not. */
export const WRONG_IDS: Record<string, SaKey> = {
  "key-id-7": (wrapping, KEYMAT) => wrapped(wrapping, KEYMAT, 7),
  "an-unknown-wrapping-key": (wrapping, KEYMAT) => wrapped(wrapping, KEYMAT, 0, 9),
};

const inKd = (change: (kd: KdPayload) => KdPayload): Damage =>
  inPlaceOf(PAYLOAD.KD, (kd) => (kd.kind === "KD" ? [change(kd)] : [kd]));

/** Changes the key bags of this protocol; an empty list leaves them out. */
const inBags = (protocolId: number, change: (bag: GroupKeyBag) => KdPayload["bags"]): Damage =>
  inKd((kd) => ({
    ...kd,
    bags: kd.bags.flatMap((bag) =>
      bag.kind === "group" && bag.protocolId === protocolId ? change(bag) : [bag],
    ),
  }));

/** Gives the SAs of this protocol another SA_KEY. */
export const withSaKey = (value: Uint8Array, protocolId: number = PROTOCOL.ESP): Damage =>
  inBags(protocolId, (bag) => [{ ...bag, attributes: [{ type: GROUP_KEY_BAG_ATTRIBUTE.SA_KEY, value }] }]);

/** Changes what the member key bags have under this type: a list of values in the place of the list there. */
export const inMemberBag = (
  type: number,
  change: (values: (number | Uint8Array)[]) => (number | Uint8Array)[],
): Damage =>
  inKd((kd) => {
    const own = kd.bags.flatMap((bag) => (bag.kind === "member" ? bag.attributes : []));
    const values = change(own.flatMap((a) => (a.type === type ? [a.value] : [])));
    const attributes = [...own.filter((a) => a.type !== type), ...values.map((value) => ({ type, value }))];
    const others = kd.bags.filter((bag) => bag.kind === "group");
    return { ...kd, bags: attributes.length > 0 ? [...others, { kind: "member", attributes }] : others };
  });

/** A key bag that belongs to none of the SAs, or to none of this protocol. */
export const STRANGE_BAGS: Record<string, Damage> = {
  "an-unknown-spi": inBags(PROTOCOL.ESP, (bag) => [{ ...bag, spi: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) }]),
  "the-spi-of-another-protocol": inBags(PROTOCOL.ESP, (bag) => [{ ...bag, protocolId: PROTOCOL.AH }]),
  "no-key-bag": inBags(PROTOCOL.ESP, () => []),
};

/** Keys `id` of a tree: each wraps the one that stands in front of it, `by`. */
interface Link {
  id: number;
  by: number;
}

/** The Rekey SA's keys under key 1, and WRAP_KEYs that never lead from there to a key that the member has. */
export function withPath(links: Link[], { kwa, GSK_w }: Wrapping, KEYMAT: Uint8Array): Damage {
  const keyOf = (id: number): Uint8Array => (id === 0 ? GSK_w : new Uint8Array(kwa.keyLength).fill(id));
  const value = (id: number, by: number, key: Uint8Array) =>
    encodeWrappedKey({ keyId: id, kwkId: by, encryptedKey: kwa.wrap(keyOf(by), key) });
  const path = links.map(({ id, by }) => value(id, by, keyOf(id === 0 ? 1 : id)));
  const way = withSaKey(value(0, 1, KEYMAT), PROTOCOL.GIKE_UPDATE);
  const keys = inMemberBag(MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY, () => path);
  return (payloads) => keys(way(payloads));
}

const chain = (length: number): Link[] => Array.from({ length }, (_, at) => ({ id: at + 1, by: at + 2 }));

export const PATHS_TO_NOWHERE: Record<string, Link[]> = {
  "a-loop-of-two": [
    { id: 1, by: 3 },
    { id: 3, by: 1 },
  ],
  "a-key-under-itself": [{ id: 1, by: 1 }],
  "a-key-that-never-comes": [{ id: 1, by: 9 }],
  "no-keys": [],
  "a-key-of-id-zero": [{ id: 0, by: 0 }],
  "a-chain-of-200-keys": chain(200),
  "a-loop-of-200-keys": [...chain(199), { id: 200, by: 1 }],
};
