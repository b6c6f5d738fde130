import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "HMAC_MD5", document: "RFC 2104; deprecated by RFC 8247", short: "prfmd5" },
  { value: 2, name: "HMAC_SHA1", document: "RFC 2104", short: "prfsha1" },
  { value: 3, name: "HMAC_TIGER", document: "deprecated by RFC 9395" },
  { value: 4, name: "AES128_XCBC", document: "RFC 4434", short: "prfaesxcbc" },
  { value: 5, name: "HMAC_SHA2_256", document: "RFC 4868", short: "prfsha256" },
  { value: 6, name: "HMAC_SHA2_384", document: "RFC 4868", short: "prfsha384" },
  { value: 7, name: "HMAC_SHA2_512", document: "RFC 4868", short: "prfsha512" },
  { value: 8, name: "AES128_CMAC", document: "RFC 4615", short: "prfaescmac" },
  { value: 9, name: "HMAC_STREEBOG_512", document: "RFC 9385" },
  { value: 1028, name: "CAMELLIA128_XCBC", document: "private: strongSwan", short: "prfcamelliaxcbc" },
  { value: 1029, name: "HMAC_SM3_EXPERIMENTAL", document: "private: experimental strongSwan 6.0.3 tree" },
  { value: 1052, name: "HMAC_SM3_GMALG", document: "private: strongSwan fork gmalg" },
  { value: 65101, name: "KMAC_128", document: "private: this harness (draft sha3)", short: "prfkmac128" },
  { value: 65102, name: "KMAC_256", document: "private: this harness (draft sha3)", short: "prfkmac256" },
  {
    value: 65111,
    name: "HMAC_SHA3_256",
    document: "private: this harness (draft sha3)",
    short: "prfsha3_256",
  },
  {
    value: 65112,
    name: "HMAC_SHA3_384",
    document: "private: this harness (draft sha3)",
    short: "prfsha3_384",
  },
  {
    value: 65113,
    name: "HMAC_SHA3_512",
    document: "private: this harness (draft sha3)",
    short: "prfsha3_512",
  },
  { value: 65201, name: "HMAC_SM3", document: "private: this harness (draft shangmi)", short: "prfsm3" },
] as const satisfies readonly RegistryEntry[];

/** Pseudorandom Function Transform IDs. */
export const prfTransforms = defineRegistry<RegistryEntry>(
  "Pseudorandom Function Transform IDs",
  table,
  [1024, 65535],
);

export const PRF = constants(table);
