/** What strongSwan and the Linux kernel call transforms, and the key lengths that come of them. */
import { ALL_ENCR } from "../../harness/crypto/encr.ts";
import type { Encr } from "../../harness/crypto/types.ts";

/** Ciphers whose Key Length is that of AES; the others take none. */
const WITHOUT_BITS = new Set([3, 11, 28]);

/** Key Length in bits of a cipher, where it has one. */
export const keyBitsOf = (encr: Encr): number | undefined =>
  WITHOUT_BITS.has(encr.id) ? undefined : 8 * (encr.keyLength - encr.saltLength);

/** The cipher of this id whose KEYMAT has so many octets, salt included. */
export const encrOfLength = (id: number, octets: number): Encr | undefined =>
  ALL_ENCR.find((encr) => encr.id === id && encr.keyLength === octets);

/** strongSwan's names, as in a proposal without the key length, and IANA's ids. */
export const CHARON_ENCR: Readonly<Record<string, number>> = {
  "3DES_CBC": 3,
  NULL: 11,
  AES_CBC: 12,
  AES_CTR: 13,
  AES_CCM_8: 14,
  AES_CCM_12: 15,
  AES_CCM_16: 16,
  AES_GCM_8: 18,
  AES_GCM_12: 19,
  AES_GCM_16: 20,
  NULL_AES_GMAC: 21,
  CHACHA20_POLY1305: 28,
};

export const CHARON_INTEG: Readonly<Record<string, number>> = {
  HMAC_SHA1_96: 2,
  AES_XCBC_96: 5,
  AES_CMAC_96: 8,
  HMAC_SHA2_256_128: 12,
  HMAC_SHA2_384_192: 13,
  HMAC_SHA2_512_256: 14,
};
