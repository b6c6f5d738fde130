import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "ID_IPV4_ADDR", document: "RFC 7296" },
  { value: 2, name: "ID_FQDN", document: "RFC 7296" },
  { value: 3, name: "ID_RFC822_ADDR", document: "RFC 7296" },
  { value: 5, name: "ID_IPV6_ADDR", document: "RFC 7296" },
  { value: 9, name: "ID_DER_ASN1_DN", document: "RFC 7296" },
  { value: 10, name: "ID_DER_ASN1_GN", document: "RFC 7296" },
  { value: 11, name: "ID_KEY_ID", document: "RFC 7296" },
  { value: 12, name: "ID_FC_NAME", document: "RFC 4595" },
  { value: 13, name: "ID_NULL", document: "RFC 7619" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Identification Payload ID Types. */
export const idTypes = defineRegistry<RegistryEntry>(
  "IKEv2 Identification Payload ID Types",
  table,
  [201, 255],
);

export const ID_TYPE = constants(table);
