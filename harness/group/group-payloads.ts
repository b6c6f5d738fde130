/** Reading what a controller sent: GSA, KD and the notifies beside them. */
import type { IncomingMessage } from "../ike/hooks.ts";
import type { GroupKeyBag, GroupWidePolicy, GsaPolicy, WrappedKey } from "../wire/group-types.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { GROUP_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { DeletePayload, Payload, Transform } from "../wire/types.ts";
import { readWrappedKey } from "../wire/wrapped-key.ts";

/** Exchange types of G-IKEv2. */
export const GROUP_EXCHANGES: readonly number[] = [
  EXCHANGE.GSA_AUTH,
  EXCHANGE.GSA_REGISTRATION,
  EXCHANGE.GSA_REKEY,
  EXCHANGE.GSA_INBAND_REKEY,
];

/** Payload types of G-IKEv2, SAg aside. */
const GROUP_PAYLOADS: readonly number[] = [PAYLOAD.IDg, PAYLOAD.GSA, PAYLOAD.KD];

export const isGroupPayload = ({ type }: Payload): boolean => GROUP_PAYLOADS.includes(type);

/** Who speaks G-IKEv2 knows these payloads: their C bit means nothing then (RFC 7296 section 2.5). */
export function ignoreCritical({ header, payloads }: IncomingMessage): undefined {
  if (!GROUP_EXCHANGES.includes(header.exchangeType)) return;
  for (const payload of payloads) if (isGroupPayload(payload)) delete payload.critical;
}

const policies = (payloads: readonly Payload[]): (GsaPolicy | GroupWidePolicy)[] =>
  payloads.flatMap((p) => (p.kind === "GSA" ? p.policies : []));

/** The policies of SAs; of one protocol, if one is named. */
export const saPolicies = (payloads: readonly Payload[], protocolId?: number): GsaPolicy[] =>
  policies(payloads)
    .filter((p) => p.kind === "SA")
    .filter((p) => protocolId === undefined || p.protocolId === protocolId);

export const groupWidePolicies = (payloads: readonly Payload[]): GroupWidePolicy[] =>
  policies(payloads).filter((p) => p.kind === "group-wide");

/** Values of an attribute in the group-wide policies. */
export const groupWideValues = (payloads: readonly Payload[], type: number): (number | Uint8Array)[] =>
  valuesOf(groupWidePolicies(payloads), type);

/** Values of an attribute in these policies or bags. */
export const valuesOf = (
  parts: readonly { attributes: { type: number; value: number | Uint8Array }[] }[],
  type: number,
): (number | Uint8Array)[] =>
  parts.flatMap(({ attributes }) => attributes.flatMap((a) => (a.type === type ? [a.value] : [])));

/** The key bags of SAs; of one protocol, if one is named. */
export const groupBags = (payloads: readonly Payload[], protocolId?: number): GroupKeyBag[] =>
  payloads
    .flatMap((p) => (p.kind === "KD" ? p.bags : []))
    .filter((bag) => bag.kind === "group")
    .filter((bag) => protocolId === undefined || bag.protocolId === protocolId);

/** Values of an attribute in the member key bags. */
export const memberValues = (payloads: readonly Payload[], type: number): (number | Uint8Array)[] =>
  valuesOf(
    payloads.flatMap((p) => (p.kind === "KD" ? p.bags : [])).filter((bag) => bag.kind === "member"),
    type,
  );

/** The SA_KEYs of a bag. */
export const saKeys = (bag: GroupKeyBag): WrappedKey[] =>
  wrappedKeys(valuesOf([bag], GROUP_KEY_BAG_ATTRIBUTE.SA_KEY));

export const wrappedKeys = (values: readonly (number | Uint8Array)[]): WrappedKey[] =>
  values.flatMap((value) => readWrappedKey(value) ?? []);

export const deletesOf = (payloads: readonly Payload[]): DeletePayload[] =>
  payloads.filter((p): p is DeletePayload => p.kind === "Delete");

/** The transforms of this type. */
export const transformsOfType = ({ transforms }: GsaPolicy, type: number): Transform[] =>
  transforms.filter((transform) => transform.type === type);
