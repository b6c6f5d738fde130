import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "SHA1", document: "RFC 7427" },
  { value: 2, name: "SHA2_256", document: "RFC 7427" },
  { value: 3, name: "SHA2_384", document: "RFC 7427" },
  { value: 4, name: "SHA2_512", document: "RFC 7427" },
  { value: 5, name: "IDENTITY", document: "RFC 8420" },
  { value: 6, name: "STREEBOG_256", document: "RFC 9385" },
  { value: 7, name: "STREEBOG_512", document: "RFC 9385" },
  { value: 65101, name: "SHA3_256", document: "private: this harness (draft sha3)" },
  { value: 65102, name: "SHA3_384", document: "private: this harness (draft sha3)" },
  { value: 65103, name: "SHA3_512", document: "private: this harness (draft sha3)" },
  { value: 65104, name: "SHAKE128", document: "private: this harness (draft sha3)" },
  { value: 65105, name: "SHAKE256", document: "private: this harness (draft sha3)" },
  { value: 65201, name: "SM3", document: "private: this harness (draft shangmi)" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Hash Algorithms. */
export const hashAlgorithms = defineRegistry<RegistryEntry>("IKEv2 Hash Algorithms", table, [1024, 65535]);

export const HASH = constants(table);
