import { aesCmac, aesXcbcMac } from "./aes-mac.ts";
import { type HashName, hmac } from "./hash.ts";
import type { Integ } from "./types.ts";

/** HMAC with a key of the hash's own size, truncated (RFC 2404, RFC 4868). */
function hmacInteg(id: number, name: string, hash: HashName, keyLength: number, icvLength: number): Integ {
  return {
    id,
    name,
    keyLength,
    icvLength,
    compute: (key, data) => hmac(hash, key, data).subarray(0, icvLength),
  };
}

const TRANSFORMS: ReadonlyMap<number, Integ> = new Map(
  [
    hmacInteg(2, "AUTH_HMAC_SHA1_96", "sha1", 20, 12),
    {
      id: 5,
      name: "AUTH_AES_XCBC_96",
      keyLength: 16,
      icvLength: 12,
      compute: (key: Uint8Array, data: Uint8Array) => aesXcbcMac(key, data).subarray(0, 12),
    },
    {
      id: 8,
      name: "AUTH_AES_CMAC_96",
      keyLength: 16,
      icvLength: 12,
      compute: (key: Uint8Array, data: Uint8Array) => aesCmac(key, data).subarray(0, 12),
    },
    hmacInteg(12, "AUTH_HMAC_SHA2_256_128", "sha256", 32, 16),
    hmacInteg(13, "AUTH_HMAC_SHA2_384_192", "sha384", 48, 24),
    hmacInteg(14, "AUTH_HMAC_SHA2_512_256", "sha512", 64, 32),
  ].map((integ): [number, Integ] => [integ.id, integ]),
);

/** The integrity transform (type 3) of this IANA id. */
export function integTransform(id: number): Integ | undefined {
  return TRANSFORMS.get(id);
}

/** Every transform there is, for tests that go through all of them. */
export const ALL_INTEG: readonly Integ[] = [...TRANSFORMS.values()];
