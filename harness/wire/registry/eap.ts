/** EAP codes and the methods tests meet (RFC 3748). */
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const eapCodesTable = [
  { value: 1, name: "REQUEST", document: "RFC 3748" },
  { value: 2, name: "RESPONSE", document: "RFC 3748" },
  { value: 3, name: "SUCCESS", document: "RFC 3748" },
  { value: 4, name: "FAILURE", document: "RFC 3748" },
] as const satisfies readonly RegistryEntry[];

/** EAP Packet Codes. */
export const eapCodes = defineRegistry<RegistryEntry>("EAP Packet Codes", eapCodesTable);

export const EAP_CODE = constants(eapCodesTable);

const eapTypesTable = [
  { value: 1, name: "IDENTITY", document: "RFC 3748" },
  { value: 2, name: "NOTIFICATION", document: "RFC 3748" },
  { value: 3, name: "NAK", document: "RFC 3748" },
  { value: 4, name: "MD5_CHALLENGE", document: "RFC 3748" },
  { value: 6, name: "GTC", document: "RFC 3748" },
  { value: 13, name: "TLS", document: "RFC 5216" },
  { value: 18, name: "SIM", document: "RFC 4186" },
  { value: 21, name: "TTLS", document: "RFC 5281" },
  { value: 23, name: "AKA", document: "RFC 4187" },
  { value: 25, name: "PEAP", document: "Microsoft" },
  { value: 26, name: "MSCHAPV2", document: "Microsoft" },
  { value: 50, name: "AKA_PRIME", document: "RFC 9048" },
  { value: 254, name: "EXPANDED", document: "RFC 3748" },
] as const satisfies readonly RegistryEntry[];

/** EAP Method Types. */
export const eapTypes = defineRegistry<RegistryEntry>("EAP Method Types", eapTypesTable);

export const EAP_TYPE = constants(eapTypesTable);
