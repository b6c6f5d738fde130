/** Keys of groups: RFC 9838 sections 3.1 to 3.4. Sizes in octets. */
import { encrTransform } from "../crypto/encr.ts";
import { integTransform } from "../crypto/integ.ts";
import { type KeyWrap, keyWrap } from "../crypto/key-wrap.ts";
import type { DirectionKeys } from "../crypto/keys.ts";
import { prfPlus } from "../crypto/prf.ts";
import type { Encr, Integ, Prf, SuiteTransforms } from "../crypto/types.ts";
import { keyLength } from "../ike/proposals.ts";
import type { IkeSa } from "../ike/sa.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Transform } from "../wire/types.ts";

const LABEL = new TextEncoder().encode("Key Wrap for G-IKEv2");

/** What keys are wrapped with that travel on an SA. */
export interface Wrapping {
  kwa: KeyWrap;
  GSK_w: Uint8Array;
}

/** The key wrap algorithm among the transforms of an IKE SA or a Rekey SA; undefined without one we have code for. */
export function kwaOf(transforms: readonly Transform[]): KeyWrap | undefined {
  const kwa = transforms.find(({ type }) => type === TRANSFORM.KWA);
  return kwa && keyWrap(kwa.id);
}

/** GSK_w of an IKE SA (section 3.1.1). */
export function deriveGskW(prf: Prf, SK_d: Uint8Array, kwa: KeyWrap): Uint8Array {
  const key = prfPlus(prf, SK_d, LABEL, kwa.keyLength);
  if (!(key instanceof Uint8Array)) throw new RangeError(key.reason);
  return key;
}

/** What wraps the keys that travel on this IKE SA; undefined if it negotiated no key wrap algorithm. */
export function wrappingOf(sa: IkeSa): Wrapping | undefined {
  const kwa = kwaOf(sa.proposal?.transforms ?? []);
  if (!kwa || !sa.suite || !sa.keys) return undefined;
  return { kwa, GSK_w: deriveGskW(sa.suite.prf, sa.keys.SK_d, kwa) };
}

/**
 * The transforms of a Rekey SA or an ESP SA; undefined for one that is unknown or does not fit the others. The INTEG
 * of an AEAD cipher is absent or NONE (section 4.4.2.1).
 */
export function suiteOf(transforms: readonly Transform[]): SuiteTransforms | undefined {
  const cipher = transforms.find(({ type }) => type === TRANSFORM.ENCR);
  const encr = cipher && encrTransform(cipher.id, keyLength(cipher));
  const integId = transforms.find(({ type }) => type === TRANSFORM.INTEG)?.id ?? 0;
  const integ = integTransform(integId);
  if (!encr || (encr.aead ? integId !== 0 : !integ)) return undefined;
  return integ ? { encr, integ } : { encr };
}

/** Keys of a Rekey SA. `GSK_a` is empty with an AEAD cipher, `GSK_e` holds the salt at its end. */
export interface RekeyKeys {
  GSK_e: Uint8Array;
  GSK_a: Uint8Array;
  GSK_w: Uint8Array;
}

/** Octets of KEYMAT of a Rekey SA. */
export const rekeyKeymatLength = ({ encr, integ }: SuiteTransforms, kwa: KeyWrap): number =>
  sum([encr.keyLength, integSize(encr, integ), kwa.keyLength]);

/** GSK_e | GSK_a | GSK_w; undefined for KEYMAT of any other length (section 4.5.2.1). */
export function splitRekeyKeymat(
  KEYMAT: Uint8Array,
  { encr, integ }: SuiteTransforms,
  kwa: KeyWrap,
): RekeyKeys | undefined {
  const parts = split(KEYMAT, [encr.keyLength, integSize(encr, integ), kwa.keyLength]);
  return parts && { GSK_e: parts[0]!, GSK_a: parts[1]!, GSK_w: parts[2]! };
}

/** The transforms of a Data-Security SA; AH has no cipher. */
export type DataTransforms = Partial<SuiteTransforms>;

/** Octets of KEYMAT of an ESP or AH SA. */
export const dataKeymatLength = ({ encr, integ }: DataTransforms): number =>
  sum([encr?.keyLength ?? 0, integSize(encr, integ)]);

/** The encryption key, then the integrity key (section 3.4); undefined for KEYMAT of any other length. */
export function splitDataKeymat(
  KEYMAT: Uint8Array,
  { encr, integ }: DataTransforms,
): DirectionKeys | undefined {
  const parts = split(KEYMAT, [encr?.keyLength ?? 0, integSize(encr, integ)]);
  return parts && { encr: parts[0]!, integ: parts[1]! };
}

const integSize = (encr: Encr | undefined, integ: Integ | undefined): number =>
  encr?.aead ? 0 : (integ?.keyLength ?? 0);

const sum = (sizes: number[]): number => sizes.reduce((total, size) => total + size, 0);

function split(KEYMAT: Uint8Array, sizes: number[]): Uint8Array[] | undefined {
  if (KEYMAT.length !== sum(sizes)) return undefined;
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return KEYMAT.subarray(at - size, at);
  });
}
