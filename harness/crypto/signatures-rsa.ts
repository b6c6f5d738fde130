/** RSA signatures of RFC 8017: PKCS#1 v1.5, and PSS with a salt from the injected randomness. */
import { constants, type KeyObject, privateEncrypt, sign, verify } from "node:crypto";
import { concat, u32 } from "../wire/bytes.ts";
import { leftPad } from "./bytes.ts";
import { digest, type HashName } from "./hash.ts";
import type { Random } from "./types.ts";

export const isRsa = (key: KeyObject): boolean => key.asymmetricKeyType === "rsa";

/** Also a public key that says itself that it is for PSS (RFC 4055 section 1.2). */
export const isRsaForPss = (key: KeyObject): boolean =>
  isRsa(key) || (key.type === "public" && key.asymmetricKeyType === "rsa-pss");

const modulusBits = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0;
const modulusOctets = (key: KeyObject): number => Math.ceil(modulusBits(key) / 8);

export function signPkcs1(hash: HashName, key: KeyObject, octets: Uint8Array): Uint8Array {
  return new Uint8Array(sign(hash, octets, { key, padding: constants.RSA_PKCS1_PADDING }));
}

export function verifyPkcs1(
  hash: HashName,
  key: KeyObject,
  octets: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyRsa(hash, key, octets, signature, { padding: constants.RSA_PKCS1_PADDING });
}

/** node:crypto draws a salt of its own; so the encoding is ours, and only the private operation its. */
export function signPss(hash: HashName, key: KeyObject, octets: Uint8Array, random: Random): Uint8Array {
  const encoded = encodePss(hash, octets, random, modulusBits(key) - 1);
  const block = leftPad(encoded, modulusOctets(key));
  return new Uint8Array(privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block));
}

export function verifyPss(
  hash: HashName,
  key: KeyObject,
  octets: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyRsa(hash, key, octets, signature, {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
}

function verifyRsa(
  hash: HashName,
  key: KeyObject,
  octets: Uint8Array,
  signature: Uint8Array,
  options: { padding: number; saltLength?: number },
): boolean {
  if (signature.length !== modulusOctets(key)) return false;
  return verify(hash, octets, { key, ...options }, signature);
}

/** EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) with a salt as long as the hash. */
function encodePss(hash: HashName, octets: Uint8Array, random: Random, bits: number): Uint8Array {
  const messageHash = digest(hash, octets);
  const hashLength = messageHash.length;
  const length = Math.ceil(bits / 8);
  if (length < 2 * hashLength + 2) throw new Error(`an RSA key of ${bits + 1} bits is too short for ${hash}`);
  const salt = random(hashLength);
  const h = digest(hash, concat(new Uint8Array(8), messageHash, salt));
  const db = leftPad(concat(Uint8Array.of(1), salt), length - hashLength - 1);
  const mask = mgf1(hash, h, db.length);
  for (const [index, octet] of mask.entries()) db[index]! ^= octet;
  db[0]! &= 0xff >>> (8 * length - bits);
  return concat(db, h, Uint8Array.of(0xbc));
}

/** RFC 8017 appendix B.2.1. */
function mgf1(hash: HashName, seed: Uint8Array, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let made = 0; made < length; made += parts.at(-1)!.length) {
    parts.push(digest(hash, concat(seed, u32(parts.length))));
  }
  return concat(...parts).subarray(0, length);
}
