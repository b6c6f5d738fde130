import { aesCcm, aesGcm, aesGcmImplicitIv, chacha20Poly1305, nullAesGmac } from "./encr-aead.ts";
import { aesCbc, aesCtr, nullCipher, tripleDes } from "./encr-cipher.ts";
import type { Encr } from "./types.ts";

const AES_KEY_BITS = [128, 192, 256] as const;

/** One entry per (id, Key Length), so that a look-up costs nothing while packets flow. */
const TRANSFORMS: ReadonlyMap<string, Encr> = new Map([
  ...AES_KEY_BITS.flatMap((bits) => [
    aesCbc(bits),
    aesCtr(bits),
    ...[8, 12, 16].flatMap((icv) => [aesCcm(bits, icv), aesGcm(bits, icv)]),
    nullAesGmac(bits),
    aesGcmImplicitIv(bits),
  ]).map((encr): [string, Encr] => [`${encr.id}/${8 * (encr.keyLength - encr.saltLength)}`, encr]),
  ...[tripleDes, nullCipher, chacha20Poly1305].map((encr): [string, Encr] => [`${encr.id}/`, encr]),
]);

/**
 * The encryption transform (type 1) of this IANA id. `keyBits` is the Key Length attribute: required for AES,
 * forbidden for 3DES, NULL and ChaCha20-Poly1305 (RFC 7296 section 3.3.5); undefined if the two do not fit.
 */
export function encrTransform(id: number, keyBits?: number): Encr | undefined {
  return TRANSFORMS.get(`${id}/${keyBits ?? ""}`);
}

/** Every transform there is, for tests that go through all of them. */
export const ALL_ENCR: readonly Encr[] = [...TRANSFORMS.values()];
