/** Names of transforms, whose ids mean something else in every type. */
import { encrTransforms } from "./encr.ts";
import { gcauthTransforms, kwaTransforms, sskdfTransforms } from "./group-transforms.ts";
import { integTransforms } from "./integ.ts";
import { keMethods } from "./ke.ts";
import { prfTransforms } from "./prf.ts";
import type { Registry } from "./registry.ts";
import { snTransforms } from "./sn.ts";
import { TRANSFORM } from "./transform-types.ts";

/** The registry of the ids of a transform type; undefined for an unknown type. */
export function transformRegistry(type: number): Registry | undefined {
  if (type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7) return keMethods;
  switch (type) {
    case TRANSFORM.ENCR:
      return encrTransforms;
    case TRANSFORM.PRF:
      return prfTransforms;
    case TRANSFORM.INTEG:
      return integTransforms;
    case TRANSFORM.KE:
      return keMethods;
    case TRANSFORM.SN:
      return snTransforms;
    case TRANSFORM.KWA:
      return kwaTransforms;
    case TRANSFORM.GCAUTH:
      return gcauthTransforms;
    case TRANSFORM.SSKDF:
      return sskdfTransforms;
    default:
      return undefined;
  }
}

/** `AES_GCM_16`; `unknown(77)` for what no registry lists. */
export function transformName(type: number, id: number): string {
  return transformRegistry(type)?.nameOf(id) ?? `unknown(${id})`;
}
