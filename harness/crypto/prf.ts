import { uninitialized } from "../wire/bytes.ts";
import { aesCmac, aesXcbcMac } from "./aes-mac.ts";
import { type HashName, hmac } from "./hash.ts";
import type { Prf } from "./types.ts";

const AES_KEY = 16;

function hmacPrf(id: number, name: string, hash: HashName, size: number): Prf {
  return {
    id,
    name,
    keyLength: size,
    outputLength: size,
    compute: (key, data) => hmac(hash, key, data),
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
    hmacPrf(2, "PRF_HMAC_SHA1", "sha1", 20),
    {
      id: 4,
      name: "PRF_AES128_XCBC",
      keyLength: AES_KEY,
      outputLength: 16,
      compute: (key: Uint8Array, data: Uint8Array) => aesXcbcMac(xcbcKey(key), data),
    },
    hmacPrf(5, "PRF_HMAC_SHA2_256", "sha256", 32),
    hmacPrf(6, "PRF_HMAC_SHA2_384", "sha384", 48),
    hmacPrf(7, "PRF_HMAC_SHA2_512", "sha512", 64),
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
  const size = prf.outputLength;
  const out = uninitialized(blocks * size);
  const input = uninitialized(size + seed.length + 1);
  input.set(seed, size);
  for (let block = 1; block <= blocks; block++) {
    input[size + seed.length] = block;
    // There is nothing in front of the seed the first time.
    const result = prf.compute(key, block === 1 ? input.subarray(size) : input);
    out.set(result, (block - 1) * size);
    input.set(result);
  }
  return out.subarray(0, octets);
}
