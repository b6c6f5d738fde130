/** The payloads GSA and KD as a controller writes them: RFC 9838 sections 4.4 and 4.5. */
import { schemeByName } from "../crypto/signatures.ts";
import type { Address } from "../link/types.ts";
import { concat, u32 } from "../wire/bytes.ts";
import type { GroupWidePolicy, GsaPayload, GsaPolicy, KdPayload } from "../wire/group-types.ts";
import {
  GROUP_KEY_BAG_ATTRIBUTE,
  GSA_ATTRIBUTE,
  GW_POLICY_ATTRIBUTE,
  MEMBER_KEY_BAG_ATTRIBUTE,
} from "../wire/registry/group-attributes.ts";
import { GCAUTH } from "../wire/registry/group-transforms.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM_ATTRIBUTE } from "../wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { DeletePayload, TrafficSelector, Transform, TransformAttribute } from "../wire/types.ts";
import { encodeWrappedKey } from "../wire/wrapped-key.ts";
import type { DataSa, RekeySa } from "./controller-state.ts";
import type { TreeKey, Wrap } from "./key-tree.ts";
import type { Wrapping } from "./keys.ts";
import type { GroupPolicy, RekeyPolicy } from "./policy.ts";
import { hostSelector } from "./policy-of.ts";
import type { RekeyAuth } from "./rekey-message.ts";

/** Id 0 is the KEYMAT of an SA among keys, and GSK_w of the SA that the message travels on among those that wrap. */
const DEFAULT = 0;

/** GCAUTH with the AlgorithmIdentifier of signatures (section 4.4.2.1.1). */
export function gcauth({ auth }: RekeyPolicy): Transform {
  if (auth === "implicit") return { type: TRANSFORM.GCAUTH, id: GCAUTH.IMPLICIT, attributes: [] };
  const type = TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER;
  const value = schemeByName(auth).algorithmIdentifier;
  return { type: TRANSFORM.GCAUTH, id: GCAUTH.DIGITAL_SIGNATURE, attributes: [{ type, value }] };
}

/** A wildcard in the policy is the controller's own address. */
function rekeySource({ source }: RekeyPolicy, own: Address): TrafficSelector {
  const wildcard = source.startAddress.every((octet, i) => octet !== source.endAddress[i]);
  const self = hostSelector(own.host, own.port);
  return wildcard && self.tsType === source.tsType ? self : source;
}

export interface Circumstances {
  policy: GroupPolicy;
  own: Address;
  /** Milliseconds. */
  now: number;
  /** At registration the member learns how rekeys are authenticated, and how far they are. */
  registration: boolean;
  /** Set for a sender of SAs with counter-mode ciphers. */
  senderIdBits?: number;
}

/** What is left of a lifetime; where keys are renewed inband the controller alone minds it (section 4.4.2.2.1). */
function lifetime(seconds: number, madeAt: number, { policy, now }: Circumstances): TransformAttribute[] {
  if (!policy.rekey) return [];
  const left = Math.max(0, seconds - Math.floor((now - madeAt) / 1000));
  return [{ type: GSA_ATTRIBUTE.GSA_KEY_LIFETIME, value: u32(left) }];
}

const promise = (nextSpi: Uint8Array | undefined, { policy }: Circumstances): TransformAttribute[] =>
  nextSpi && policy.rekey ? [{ type: GSA_ATTRIBUTE.GSA_NEXT_SPI, value: nextSpi }] : [];

function rekeyPolicy(sa: RekeySa, circumstances: Circumstances): GsaPolicy {
  const { registration, own } = circumstances;
  const { policy, nextMessageId } = sa;
  const first = { type: GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID, value: u32(nextMessageId) };
  return {
    kind: "SA",
    protocolId: PROTOCOL.GIKE_UPDATE,
    spi: sa.spi,
    source: rekeySource(policy, own),
    destination: policy.destination,
    transforms: registration ? [...policy.transforms, gcauth(policy)] : policy.transforms,
    attributes: [
      ...lifetime(policy.lifetimeSeconds, sa.madeAt, circumstances),
      ...(nextMessageId === 0 ? [] : [first]),
      ...promise(sa.nextSpi, circumstances),
    ],
  };
}

function dataPolicy(sa: DataSa, circumstances: Circumstances): GsaPolicy {
  const { protocolId, source, destination, transforms, lifetimeSeconds } = sa.policy;
  const attributes = [
    ...lifetime(lifetimeSeconds, sa.madeAt, circumstances),
    ...promise(sa.nextSpi, circumstances),
  ];
  return { kind: "SA", protocolId, spi: sa.spi, source, destination, transforms, attributes };
}

function groupWide({ policy, senderIdBits }: Circumstances): GroupWidePolicy[] {
  const values: [number, number | undefined][] = [
    [GW_POLICY_ATTRIBUTE.GWP_ATD, policy.ATD],
    [GW_POLICY_ATTRIBUTE.GWP_DTD, policy.DTD],
    [GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS, senderIdBits],
  ];
  const attributes = values.flatMap(([type, value]) => (value === undefined ? [] : [{ type, value }]));
  return attributes.length === 0 ? [] : [{ kind: "group-wide", attributes }];
}

/** The policies of these SAs, and what goes for the group. */
export function gsaPayload(
  { rekey, data }: { rekey?: RekeySa | undefined; data: DataSa[] },
  circumstances: Circumstances,
): GsaPayload {
  const policies = [
    ...(rekey ? [rekeyPolicy(rekey, circumstances)] : []),
    ...data.map((sa) => dataPolicy(sa, circumstances)),
    ...groupWide(circumstances),
  ];
  return { kind: "GSA", type: PAYLOAD.GSA, policies };
}

/** Keys on their way, and what they are wrapped with. */
export interface Download {
  wrapping: Wrapping;
  /** `by` has the keys under which KEYMAT goes: those of the tree, or with none the default key. */
  rekey?: { sa: RekeySa; by: TreeKey[]; KEYMAT?: (index: number) => Uint8Array };
  data: DataSa[];
  /** Set to wrap the keys of data SAs otherwise than by the default key. */
  dataBy?: TreeKey | undefined;
  /** `by` not set: the default key. */
  wraps: (Omit<Wrap, "by"> & { by?: TreeKey })[];
  authKey?: Uint8Array | undefined;
  senderIds: number[];
}

function wrapped(
  { kwa, GSK_w }: Wrapping,
  key: { id: number; key: Uint8Array },
  by: TreeKey = { id: DEFAULT, key: GSK_w },
): Uint8Array {
  const encryptedKey = kwa.wrap(by.key, key.key);
  return encodeWrappedKey({ keyId: key.id, kwkId: by.id, encryptedKey });
}

const saKey = (value: Uint8Array): TransformAttribute => ({ type: GROUP_KEY_BAG_ATTRIBUTE.SA_KEY, value });

function memberAttributes({ wrapping, wraps, authKey, senderIds }: Download): TransformAttribute[] {
  const { WRAP_KEY, AUTH_KEY, GM_SENDER_ID } = MEMBER_KEY_BAG_ATTRIBUTE;
  return [
    ...wraps.map(({ key, by }) => ({ type: WRAP_KEY, value: wrapped(wrapping, key, by) })),
    ...(authKey ? [{ type: AUTH_KEY, value: authKey }] : []),
    ...senderIds.map((id) => ({ type: GM_SENDER_ID, value: u32(id) })),
  ];
}

export function kdPayload(download: Download): KdPayload {
  const { wrapping, rekey, data, dataBy } = download;
  const bags: KdPayload["bags"] = [];
  if (rekey) {
    const { sa, by, KEYMAT = () => sa.KEYMAT } = rekey;
    const ways = by.length === 0 ? [undefined] : by;
    const attributes = ways.map((way, index) =>
      saKey(wrapped(wrapping, { id: DEFAULT, key: KEYMAT(index) }, way)),
    );
    bags.push({ kind: "group", protocolId: PROTOCOL.GIKE_UPDATE, spi: sa.spi, attributes });
  }
  for (const { policy, spi, KEYMAT } of data) {
    const attributes = [saKey(wrapped(wrapping, { id: DEFAULT, key: KEYMAT }, dataBy))];
    bags.push({ kind: "group", protocolId: policy.protocolId, spi, attributes });
  }
  const attributes = memberAttributes(download);
  if (attributes.length > 0) bags.push({ kind: "member", attributes });
  return { kind: "KD", type: PAYLOAD.KD, bags };
}

/** Delete of these SAs; with an SPI of zero of all of the protocol (section 2.4.3). */
export const deleteOf = (protocolId: number, spis: Uint8Array[]): DeletePayload => ({
  kind: "Delete",
  type: PAYLOAD.DELETE,
  protocolId,
  spiSize: protocolId === PROTOCOL.GIKE_UPDATE ? 16 : 4,
  spis,
});

/** Delete of every SA of these protocols, each once. */
export const deleteAllOf = (protocolIds: number[]): DeletePayload[] =>
  [...new Set(protocolIds)].map((id) => deleteOf(id, [new Uint8Array(id === PROTOCOL.GIKE_UPDATE ? 16 : 4)]));

/** A DER SEQUENCE or BIT STRING with its length. */
function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.of(tag, ...size), content);
}

/**
 * The value of AUTH_KEY: SubjectPublicKeyInfo of the key that signs. For RSASSA-PSS its algorithm is that of the
 * signatures, with their parameters (section 4.5.3.2).
 */
export function authKeyOf(auth: RekeyAuth): Uint8Array | undefined {
  if (auth === "implicit") return undefined;
  const { publicKey, scheme, algorithmIdentifier } = auth;
  if (!scheme.name.startsWith("rsa-pss"))
    return new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const octets = new Uint8Array(publicKey.export({ type: "pkcs1", format: "der" }));
  const bits = der(0x03, concat(Uint8Array.of(0), octets));
  return der(0x30, concat(algorithmIdentifier, bits));
}
