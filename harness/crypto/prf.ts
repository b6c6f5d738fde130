import { createHmac } from "node:crypto";
import { concat, plain } from "../wire/bytes.ts";
import { aesCmac, aesXcbcMac } from "./aes-mac.ts";
import type { Prf } from "./types.ts";

const AES_KEY = 16;

function hmac(id: number, name: string, hash: string, size: number): Prf {
  return {
    id,
    name,
    keyLength: size,
    outputLength: size,
    compute: (key, data) => plain(createHmac(hash, key).update(data).digest()),
  };
}

/** RFC 4434: a short key is filled with zeros, a long one hashed under the zero key. */
function xcbcKey(key: Uint8Array): Uint8Array {
  const fixed = new Uint8Array(AES_KEY);
  if (key.length > AES_KEY) return aesXcbcMac(fixed, key);
  fixed.set(key);
  return fixed;
}

/** RFC 4615: a key of any other size is hashed under the zero key. */
function cmacKey(key: Uint8Array): Uint8Array {
  return key.length === AES_KEY ? key : aesCmac(new Uint8Array(AES_KEY), key);
}

const TRANSFORMS: ReadonlyMap<number, Prf> = new Map(
  [
    hmac(2, "PRF_HMAC_SHA1", "sha1", 20),
    {
      id: 4,
      name: "PRF_AES128_XCBC",
      keyLength: AES_KEY,
      outputLength: 16,
      compute: (key: Uint8Array, data: Uint8Array) => aesXcbcMac(xcbcKey(key), data),
    },
    hmac(5, "PRF_HMAC_SHA2_256", "sha256", 32),
    hmac(6, "PRF_HMAC_SHA2_384", "sha384", 48),
    hmac(7, "PRF_HMAC_SHA2_512", "sha512", 64),
    {
      id: 8,
      name: "PRF_AES128_CMAC",
      keyLength: AES_KEY,
      outputLength: 16,
      compute: (key: Uint8Array, data: Uint8Array) => aesCmac(cmacKey(key), data),
    },
  ].map((prf): [number, Prf] => [prf.id, prf]),
);

/** The pseudo-random function (type 2) of this IANA id; it takes keys of any length. */
export function prfTransform(id: number): Prf | undefined {
  return TRANSFORMS.get(id);
}

/** More octets were asked than the one-octet counter of prf+ can number. */
export interface PrfPlusError {
  error: "too-long";
  reason: string;
}

/** prf+ (RFC 7296 section 2.13): the first `octets` of T1 | T2 | ..., at most 255 blocks. */
export function prfPlus(
  prf: Prf,
  key: Uint8Array,
  seed: Uint8Array,
  octets: number,
): Uint8Array | PrfPlusError {
  const blocks = Math.ceil(octets / prf.outputLength);
  if (blocks > 255) return { error: "too-long", reason: `prf+ gives 255 blocks, ${blocks} are needed` };
  const out = new Uint8Array(blocks * prf.outputLength);
  let previous: Uint8Array = new Uint8Array(0);
  for (let block = 1; block <= blocks; block++) {
    previous = prf.compute(key, concat(previous, seed, Uint8Array.of(block)));
    out.set(previous, (block - 1) * prf.outputLength);
  }
  return out.subarray(0, octets);
}
