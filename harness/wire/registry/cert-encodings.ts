import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "PKCS7_X509", document: "RFC 7296" },
  { value: 2, name: "PGP", document: "RFC 7296" },
  { value: 3, name: "DNS_SIGNED_KEY", document: "RFC 7296" },
  { value: 4, name: "X509_SIGNATURE", document: "RFC 7296" },
  { value: 6, name: "KERBEROS_TOKENS", document: "RFC 7296" },
  { value: 7, name: "CRL", document: "RFC 7296" },
  { value: 8, name: "ARL", document: "RFC 7296" },
  { value: 9, name: "SPKI", document: "RFC 7296" },
  { value: 10, name: "X509_ATTRIBUTE", document: "RFC 7296" },
  { value: 11, name: "RAW_RSA_KEY", document: "RFC 5996; deprecated by RFC 7296" },
  { value: 12, name: "HASH_AND_URL_X509", document: "RFC 7296" },
  { value: 13, name: "HASH_AND_URL_BUNDLE", document: "RFC 7296" },
  { value: 14, name: "OCSP_CONTENT", document: "RFC 4806" },
  { value: 15, name: "RAW_PUBLIC_KEY", document: "RFC 7670" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Certificate Encodings. */
export const certEncodings = defineRegistry<RegistryEntry>("IKEv2 Certificate Encodings", table, [201, 255]);

export const CERT_ENCODING = constants(table);
