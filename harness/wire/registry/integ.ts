import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 0, name: "NONE", document: "RFC 7296" },
  { value: 1, name: "HMAC_MD5_96", document: "RFC 2403; deprecated by RFC 8247", short: "md5" },
  { value: 2, name: "HMAC_SHA1_96", document: "RFC 2404", short: "sha1" },
  { value: 3, name: "DES_MAC", document: "deprecated by RFC 8247" },
  { value: 4, name: "KPDK_MD5", document: "deprecated by RFC 8247" },
  { value: 5, name: "AES_XCBC_96", document: "RFC 3566", short: "aesxcbc" },
  { value: 6, name: "HMAC_MD5_128", document: "RFC 4595; deprecated by RFC 9395", short: "md5_128" },
  { value: 7, name: "HMAC_SHA1_160", document: "RFC 4595; deprecated by RFC 9395", short: "sha1_160" },
  { value: 8, name: "AES_CMAC_96", document: "RFC 4494", short: "aescmac" },
  { value: 9, name: "AES_128_GMAC", document: "RFC 4543", short: "aes128gmac_ah" },
  { value: 10, name: "AES_192_GMAC", document: "RFC 4543", short: "aes192gmac_ah" },
  { value: 11, name: "AES_256_GMAC", document: "RFC 4543", short: "aes256gmac_ah" },
  { value: 12, name: "HMAC_SHA2_256_128", document: "RFC 4868", short: "sha256" },
  { value: 13, name: "HMAC_SHA2_384_192", document: "RFC 4868", short: "sha384" },
  { value: 14, name: "HMAC_SHA2_512_256", document: "RFC 4868", short: "sha512" },
  { value: 1026, name: "HMAC_SHA2_256_96", document: "private: strongSwan", short: "sha256_96" },
  { value: 1030, name: "CAMELLIA_XCBC_96", document: "private: strongSwan", short: "camelliaxcbc" },
  { value: 1031, name: "HMAC_SM3_EXPERIMENTAL", document: "private: experimental strongSwan 6.0.3 tree" },
  { value: 1056, name: "HMAC_SM3_128_GMALG", document: "private: strongSwan fork gmalg" },
  { value: 1057, name: "HMAC_SM3_256_GMALG", document: "private: strongSwan fork gmalg" },
  { value: 65101, name: "KMAC_128", document: "private: this harness (draft sha3)", short: "kmac128" },
  { value: 65102, name: "KMAC_256", document: "private: this harness (draft sha3)", short: "kmac256" },
  { value: 65111, name: "HMAC_SHA3_256", document: "private: this harness (draft sha3)", short: "sha3_256" },
  { value: 65112, name: "HMAC_SHA3_384", document: "private: this harness (draft sha3)", short: "sha3_384" },
  { value: 65113, name: "HMAC_SHA3_512", document: "private: this harness (draft sha3)", short: "sha3_512" },
  { value: 65201, name: "HMAC_SM3_128", document: "private: this harness (draft shangmi)", short: "sm3" },
  { value: 65202, name: "HMAC_SM3_256", document: "private: this harness (draft shangmi)", short: "sm3_256" },
  { value: 65203, name: "HMAC_SM3_96", document: "private: this harness (draft shangmi)", short: "sm3_96" },
] as const satisfies readonly RegistryEntry[];

/** Integrity Algorithm Transform IDs. */
export const integTransforms = defineRegistry<RegistryEntry>(
  "Integrity Algorithm Transform IDs",
  table,
  [1024, 65535],
);

export const INTEG = constants(table);
