/** Numbers worth telling a peer: boundaries of a width, and what the registries hold and do not hold. */
import { authMethods } from "../../harness/wire/registry/auth-methods.ts";
import { certEncodings } from "../../harness/wire/registry/cert-encodings.ts";
import { cfgAttributes } from "../../harness/wire/registry/cfg-attributes.ts";
import { cfgTypes } from "../../harness/wire/registry/cfg-types.ts";
import { eapCodes } from "../../harness/wire/registry/eap.ts";
import { exchangeTypes } from "../../harness/wire/registry/exchange-types.ts";
import { idTypes } from "../../harness/wire/registry/id-types.ts";
import { keMethods } from "../../harness/wire/registry/ke.ts";
import { notifyTypes } from "../../harness/wire/registry/notify-types.ts";
import { payloadTypes } from "../../harness/wire/registry/payload-types.ts";
import { protocolIds } from "../../harness/wire/registry/protocol-ids.ts";
import type { Registry } from "../../harness/wire/registry/registry.ts";
import { transformAttributes } from "../../harness/wire/registry/transform-attributes.ts";
import { transformTypes } from "../../harness/wire/registry/transform-types.ts";
import { transformRegistry } from "../../harness/wire/registry/transforms.ts";
import { tsTypes } from "../../harness/wire/registry/ts-types.ts";
import { kindOf, read } from "./grammar.ts";

/** Boundary numbers of a field of so many bits. */
export function boundaries(bits: number): readonly number[] {
  return BOUNDARIES.get(bits) ?? [0, 1];
}

const BOUNDARIES = new Map([1, 7, 8, 15, 16, 24].map((bits) => [bits, boundariesOf(bits)]));

function boundariesOf(bits: number): number[] {
  const whole = 2 ** bits;
  const all = [0, 1, 2, whole - 1, whole - 2, whole / 2, whole / 2 - 1, whole / 4, 3, 4, 5, 7, 8];
  return [...new Set(all.filter((number) => number < whole))];
}

interface Numbers {
  assigned: readonly number[];
  /** Unassigned, reserved and private. */
  unassigned: readonly number[];
}

function numbersOf({ entries, get }: Registry, bits: number): Numbers {
  const assigned = [...new Set(entries.map(({ value }) => value))];
  const near = assigned.flatMap((value) => [value - 1, value + 1]);
  const free = [...near, ...boundariesOf(bits), 2 ** bits - 16, 3 * 2 ** (bits - 2) + 1];
  const unassigned = [...new Set(free)].filter((n) => n >= 0 && n < 2 ** bits && !get(n));
  return { assigned, unassigned };
}

/** Every registry with the bits of its numbers. */
const WIDTHS: readonly (readonly [Registry, number])[] = [
  ...[authMethods, certEncodings, cfgTypes, eapCodes, exchangeTypes, idTypes].map((r) => [r, 8] as const),
  ...[payloadTypes, protocolIds, transformTypes, tsTypes].map((r) => [r, 8] as const),
  ...[cfgAttributes, transformAttributes].map((r) => [r, 15] as const),
  ...[keMethods, notifyTypes].map((r) => [r, 16] as const),
  ...Array.from({ length: 32 }, (_, type) => transformRegistry(type)).flatMap((r) =>
    r ? [[r, 16] as const] : [],
  ),
];
const NUMBERS = new Map(WIDTHS.map(([registry, bits]) => [registry, numbersOf(registry, bits)]));

const NONE: Numbers = { assigned: [], unassigned: [] };

export const numbersIn = (registry: Registry): Numbers => NUMBERS.get(registry) ?? NONE;

/** By kind of part and field. */
const REGISTRIES: { readonly [field: string]: Registry } = {
  "KE group": keMethods,
  "ID idType": idTypes,
  "CERT encoding": certEncodings,
  "CERTREQ encoding": certEncodings,
  "AUTH method": authMethods,
  "Notify protocolId": protocolIds,
  "Notify notifyType": notifyTypes,
  "Delete protocolId": protocolIds,
  "CP cfgType": cfgTypes,
  "EAP code": eapCodes,
  "proposal protocolId": protocolIds,
  "policy protocolId": protocolIds,
  "transform type": transformTypes,
  "attribute type": transformAttributes,
  "selector tsType": tsTypes,
  "config attribute type": cfgAttributes,
};

/** Fields that have a registry, by kind of part. */
export function registeredFields(part: object): readonly string[] {
  return REGISTERED.get(kindOf(part)) ?? [];
}

const REGISTERED = new Map<string, string[]>();
for (const key of [...Object.keys(REGISTRIES), "transform id"]) {
  const at = key.lastIndexOf(" ");
  const kind = key.slice(0, at);
  REGISTERED.set(kind, [...(REGISTERED.get(kind) ?? []), key.slice(at + 1)]);
}

export function registryOf(part: object, field: string): Registry | undefined {
  const kind = kindOf(part);
  if (kind === "transform" && field === "id") return transformRegistry(Number(read(part, "type")));
  return REGISTRIES[`${kind} ${field}`];
}
