/** The key schedule of RFC 7296 sections 2.13-2.18 and the PSK AUTH value of section 2.15. */
import { concat } from "../wire/bytes.ts";
import { prfPlus } from "./prf.ts";
import type { Encr, Integ, Prf } from "./types.ts";

/** The seven secrets of an IKE SA; SK_ai and SK_ar are empty with an AEAD cipher, SK_ei and SK_er hold the salt at their end. */
export interface IkeKeys {
  SK_d: Uint8Array;
  SK_ai: Uint8Array;
  SK_ar: Uint8Array;
  SK_ei: Uint8Array;
  SK_er: Uint8Array;
  SK_pi: Uint8Array;
  SK_pr: Uint8Array;
}

/** Keys of one direction of a Child SA; `integ` is empty with an AEAD cipher, `encr` holds the salt at its end. */
export interface DirectionKeys {
  encr: Uint8Array;
  integ: Uint8Array;
}

/** "Initiator" is who started the exchange that made the Child SA. */
export interface ChildKeys {
  initiatorToResponder: DirectionKeys;
  responderToInitiator: DirectionKeys;
}

const KEY_PAD = new TextEncoder().encode("Key Pad for IKEv2");
const PRF_AES128_XCBC = 4;
const PRF_AES128_CMAC = 8;

/** SKEYSEED = prf(Ni | Nr, g^ir); the AES PRFs take 8 octets of each nonce (RFC 7296 section 2.14). */
export function skeyseed(prf: Prf, Ni: Uint8Array, Nr: Uint8Array, gir: Uint8Array): Uint8Array {
  const fixedKey = prf.id === PRF_AES128_XCBC || prf.id === PRF_AES128_CMAC;
  const key = fixedKey ? concat(Ni.subarray(0, 8), Nr.subarray(0, 8)) : concat(Ni, Nr);
  return prf.compute(key, gir);
}

/**
 * SKEYSEED of a rekeyed IKE SA, with the PRF of the old one (section 2.18); `further` are SK(1) to SK(n) of RFC 9370
 * section 2.2.4. Without them it is SKEYSEED(n) of section 2.2.2 as well, from SK_d(n-1) and SK(n).
 */
export function rekeyedSkeyseed(
  oldPrf: Prf,
  SK_d: Uint8Array,
  girNew: Uint8Array,
  Ni: Uint8Array,
  Nr: Uint8Array,
  further: Uint8Array[] = [],
): Uint8Array {
  return oldPrf.compute(SK_d, concat(girNew, Ni, Nr, ...further));
}

/** Cuts the first octets of prf+ into pieces of these sizes. */
function keyStream(prf: Prf, key: Uint8Array, seed: Uint8Array, sizes: number[]): Uint8Array[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const stream = prfPlus(prf, key, seed, total);
  if (!(stream instanceof Uint8Array)) throw new RangeError(stream.reason);
  let offset = 0;
  return sizes.map((size) => {
    offset += size;
    return stream.subarray(offset - size, offset);
  });
}

/** SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr (section 2.14). `integ` is undefined with an AEAD cipher. */
export function ikeKeys(
  prf: Prf,
  encr: Encr,
  integ: Integ | undefined,
  SKEYSEED: Uint8Array,
  Ni: Uint8Array,
  Nr: Uint8Array,
  SPIi: Uint8Array,
  SPIr: Uint8Array,
): IkeKeys {
  const sizeP = prf.keyLength;
  const sizeA = encr.aead ? 0 : (integ?.keyLength ?? 0);
  const sizeE = encr.keyLength;
  const sizes = [sizeP, sizeA, sizeA, sizeE, sizeE, sizeP, sizeP];
  const parts = keyStream(prf, SKEYSEED, concat(Ni, Nr, SPIi, SPIr), sizes);
  return {
    SK_d: parts[0]!,
    SK_ai: parts[1]!,
    SK_ar: parts[2]!,
    SK_ei: parts[3]!,
    SK_er: parts[4]!,
    SK_pi: parts[5]!,
    SK_pr: parts[6]!,
  };
}

/** SK_d, SK_pi or SK_pr with a PPK mixed in (RFC 8784 section 3); SKEYSEED' or SK_d' of RFC 9867, out of SK_d. */
export function mixPpk(prf: Prf, ppk: Uint8Array, key: Uint8Array): Uint8Array {
  const [mixed = key] = keyStream(prf, ppk, key, [key.length]);
  return mixed;
}

/**
 * KEYMAT of a Child SA (section 2.17). `girNew` only when CREATE_CHILD_SA carried a key exchange; `further` are SK(1) to
 * SK(n) of RFC 9370 section 2.2.4.
 */
export function childKeymat(
  prf: Prf,
  SK_d: Uint8Array,
  Ni: Uint8Array,
  Nr: Uint8Array,
  encr: Encr,
  integ: Integ | undefined,
  girNew: Uint8Array = new Uint8Array(0),
  further: Uint8Array[] = [],
): ChildKeys {
  const sizeA = encr.aead ? 0 : (integ?.keyLength ?? 0);
  const sizes = [encr.keyLength, sizeA, encr.keyLength, sizeA];
  const parts = keyStream(prf, SK_d, concat(girNew, Ni, Nr, ...further), sizes);
  return {
    initiatorToResponder: { encr: parts[0]!, integ: parts[1]! },
    responderToInitiator: { encr: parts[2]!, integ: parts[3]! },
  };
}

/** AUTH of a shared secret: prf(prf(secret, "Key Pad for IKEv2"), signed octets). */
export function pskAuth(prf: Prf, secret: Uint8Array, signed: Uint8Array): Uint8Array {
  return prf.compute(prf.compute(secret, KEY_PAD), signed);
}

/**
 * What AUTH is computed over (section 2.15): the own IKE_SA_INIT message from its SPIi on, the nonce of the
 * other side, and prf(SK_p, ID payload without its generic header).
 */
export function signedOctets(
  message: Uint8Array,
  nonce: Uint8Array,
  prf: Prf,
  SK_p: Uint8Array,
  idBody: Uint8Array,
): Uint8Array {
  return concat(message, nonce, prf.compute(SK_p, idBody));
}
