import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "RSA_DIGITAL_SIGNATURE", document: "RFC 7296" },
  { value: 2, name: "SHARED_KEY_MIC", document: "RFC 7296" },
  { value: 3, name: "DSS_DIGITAL_SIGNATURE", document: "RFC 7296" },
  { value: 9, name: "ECDSA_SHA256_P256", document: "RFC 4754" },
  { value: 10, name: "ECDSA_SHA384_P384", document: "RFC 4754" },
  { value: 11, name: "ECDSA_SHA512_P521", document: "RFC 4754" },
  { value: 12, name: "GSPM", document: "RFC 6467" },
  { value: 13, name: "NULL", document: "RFC 7619" },
  { value: 14, name: "DIGITAL_SIGNATURE", document: "RFC 7427" },
  { value: 201, name: "PQT_HYBRID", document: "private: this harness (draft hybrid-auth)" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Authentication Method. */
export const authMethods = defineRegistry<RegistryEntry>("IKEv2 Authentication Method", table, [201, 255]);

export const AUTH_METHOD = constants(table);
