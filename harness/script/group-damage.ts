/** Group key management payloads that are not what they should be: whole payload lists in, damaged ones out. */
import { everything } from "../group/member.ts";
import { concat, readU16 } from "../wire/bytes.ts";
import { encodeChain } from "../wire/index.ts";
import { GSA_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";

/** Makes a damaged message of a good one. */
export type Damage = (payloads: Payload[]) => Payload[];

const HEADER = 4;
const SELECTORS_IPV4 = 32;
const FOREVER = 0xffff;

const bodyOf = (payload: Payload): Uint8Array => encodeChain([payload]).slice(HEADER);

/** Changes the octets of the payloads with this type; `change` gets a copy of the body. */
export const inBody =
  (type: number, change: (body: Uint8Array) => Uint8Array): Damage =>
  (payloads) =>
    payloads.map((p) => (p.type === type ? { kind: "raw", type, data: change(bodyOf(p)) } : p));

/** Puts other payloads in the place of those with this type. */
export const inPlaceOf =
  (type: number, change: (payload: Payload) => Payload[]): Damage =>
  (payloads) =>
    payloads.flatMap((p) => (p.type === type ? change(p) : [p]));

export const leavingOut = (type: number): Damage => inPlaceOf(type, () => []);
export const twice = (type: number): Damage => inPlaceOf(type, (p) => [p, p]);

/** Adds payloads, where there is one of this type. */
export const beside =
  (type: number, ...more: Payload[]): Damage =>
  (payloads) =>
    payloads.some((p) => p.type === type) ? [...payloads, ...more] : payloads;

/** Writes a 16-bit number. */
export function putU16(body: Uint8Array, at: number, value: number): Uint8Array {
  body[at] = value >> 8;
  body[at + 1] = value & 0xff;
  return body;
}

export function putU8(body: Uint8Array, at: number, value: number): Uint8Array {
  body[at] = value;
  return body;
}

/** Where the SPI of the first policy or key bag ends. */
const behindSpi = (body: Uint8Array): number => HEADER + (body[1] ?? 0);

/** Where the first transform of the first policy begins; the selectors are of IPv4. */
const firstTransform = (gsa: Uint8Array): number => behindSpi(gsa) + SELECTORS_IPV4;

function lastTransform(gsa: Uint8Array): number {
  let at = firstTransform(gsa);
  while (gsa[at] === 3) at += readU16(gsa, at + 2);
  return at;
}

/** A lifetime of so many octets that it leads outside. */
function withLongAttribute(gsa: Payload): Payload[] {
  if (gsa.kind !== "GSA") return [gsa];
  const attributes = [
    { type: GSA_ATTRIBUTE.GSA_KEY_LIFETIME, value: new Uint8Array([0, 0, 14, 16]), length: FOREVER },
  ];
  return [{ ...gsa, policies: gsa.policies.map((policy) => ({ ...policy, attributes })) }];
}

/** What can be wrong with the octets of a list of substructures, each of which begins with protocol, SPI Size, Length. */
const listDamages = (type: number, name: string, part: string): Record<string, Damage> => ({
  [`${name}-cut-short`]: inBody(type, (body) => body.subarray(0, -1)),
  [`a-${part}-of-length-zero`]: inBody(type, (body) => putU16(body, 2, 0)),
  [`a-${part}-longer-than-its-payload`]: inBody(type, (body) => putU16(body, 2, FOREVER)),
  [`a-${part}-with-an-spi-of-255-octets`]: inBody(type, (body) => putU8(body, 1, 0xff)),
  [`a-${part}-with-an-spi-of-no-octets`]: inBody(type, (body) => putU8(body, 1, 0)),
});

/** Nobody can make anything of these. */
export const MISSHAPEN: Record<string, Damage> = {
  ...listDamages(PAYLOAD.GSA, "gsa", "policy"),
  ...listDamages(PAYLOAD.KD, "kd", "key-bag"),
  "an-empty-gsa": inBody(PAYLOAD.GSA, () => new Uint8Array(0)),
  "a-policy-of-protocol-7": inBody(PAYLOAD.GSA, (body) => putU8(body, 0, 7)),
  "a-selector-of-length-zero": inBody(PAYLOAD.GSA, (body) => putU16(body, behindSpi(body) + 2, 0)),
  "a-selector-without-addresses": inBody(PAYLOAD.GSA, (body) => putU16(body, behindSpi(body) + 2, 8)),
  "a-transform-of-length-zero": inBody(PAYLOAD.GSA, (body) => putU16(body, firstTransform(body) + 2, 0)),
  "no-last-transform": inBody(PAYLOAD.GSA, (body) => putU8(body, lastTransform(body), 3)),
  "an-attribute-longer-than-its-policy": inPlaceOf(PAYLOAD.GSA, withLongAttribute),
  "a-wrapped-key-longer-than-its-bag": inBody(PAYLOAD.KD, (body) =>
    putU16(body, behindSpi(body) + 2, FOREVER),
  ),
  "gsa-without-kd": leavingOut(PAYLOAD.KD),
  "kd-without-gsa": leavingOut(PAYLOAD.GSA),
};

const IDg: Payload = { kind: "raw", type: PAYLOAD.IDg, data: new Uint8Array([11, 0, 0, 0, 0x67]) };

/** Who takes the message without what is too much does not harm anybody. */
export const SUPERFLUOUS: Record<string, Damage> = {
  "octets-behind-gsa": inBody(PAYLOAD.GSA, (body) => concat(body, new Uint8Array(3))),
  "octets-behind-kd": inBody(PAYLOAD.KD, (body) => concat(body, new Uint8Array(3))),
  "two-gsa": twice(PAYLOAD.GSA),
  "two-kd": twice(PAYLOAD.KD),
  "idg-of-a-member": beside(PAYLOAD.GSA, IDg),
  "sag-of-a-member": beside(PAYLOAD.GSA, { kind: "SA", type: PAYLOAD.SA, proposals: everything() }),
};
