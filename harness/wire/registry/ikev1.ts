/** What a tester needs of IKEv1, to send it and to recognise it (RFC 2408, RFC 2409). */
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const ikev1ExchangeTypesTable = [
  { value: 1, name: "BASE", document: "RFC 2408" },
  { value: 2, name: "MAIN", document: "RFC 2408" },
  { value: 3, name: "AUTH_ONLY", document: "RFC 2408" },
  { value: 4, name: "AGGRESSIVE", document: "RFC 2408" },
  { value: 5, name: "INFORMATIONAL", document: "RFC 2408" },
  { value: 6, name: "TRANSACTION", document: "draft-ietf-ipsec-isakmp-mode-cfg" },
  { value: 32, name: "QUICK", document: "RFC 2409" },
  { value: 33, name: "NEW_GROUP", document: "RFC 2409" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 Exchange Types. */
export const ikev1ExchangeTypes = defineRegistry<RegistryEntry>(
  "IKEv1 Exchange Types",
  ikev1ExchangeTypesTable,
  [240, 255],
);

export const IKEV1_EXCHANGE = constants(ikev1ExchangeTypesTable);

const ikev1PayloadTypesTable = [
  { value: 1, name: "SA", document: "RFC 2408" },
  { value: 2, name: "PROPOSAL", document: "RFC 2408" },
  { value: 3, name: "TRANSFORM", document: "RFC 2408" },
  { value: 4, name: "KE", document: "RFC 2408" },
  { value: 5, name: "ID", document: "RFC 2408" },
  { value: 6, name: "CERT", document: "RFC 2408" },
  { value: 7, name: "CR", document: "RFC 2408" },
  { value: 8, name: "HASH", document: "RFC 2408" },
  { value: 9, name: "SIG", document: "RFC 2408" },
  { value: 10, name: "NONCE", document: "RFC 2408" },
  { value: 11, name: "NOTIFY", document: "RFC 2408" },
  { value: 12, name: "DELETE", document: "RFC 2408" },
  { value: 13, name: "VENDOR_ID", document: "RFC 2408" },
  { value: 20, name: "NAT_D", document: "RFC 3947" },
  { value: 21, name: "NAT_OA", document: "RFC 3947" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 Payload Types. */
export const ikev1PayloadTypes = defineRegistry<RegistryEntry>(
  "IKEv1 Payload Types",
  ikev1PayloadTypesTable,
  [128, 255],
);

export const IKEV1_PAYLOAD = constants(ikev1PayloadTypesTable);

const ikev1AttributesTable = [
  { value: 1, name: "ENCRYPTION", document: "RFC 2409" },
  { value: 2, name: "HASH", document: "RFC 2409" },
  { value: 3, name: "AUTHENTICATION", document: "RFC 2409" },
  { value: 4, name: "GROUP", document: "RFC 2409" },
  { value: 11, name: "LIFE_TYPE", document: "RFC 2409" },
  { value: 12, name: "LIFE_DURATION", document: "RFC 2409" },
  { value: 14, name: "KEY_LENGTH", document: "RFC 2409" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 phase 1 attributes. */
export const ikev1Attributes = defineRegistry<RegistryEntry>(
  "IKEv1 phase 1 attributes",
  ikev1AttributesTable,
  [16384, 32767],
);

export const IKEV1_ATTRIBUTE = constants(ikev1AttributesTable);

const ikev1EncryptionTable = [
  { value: 1, name: "DES_CBC", document: "RFC 2409" },
  { value: 5, name: "3DES_CBC", document: "RFC 2409" },
  { value: 7, name: "AES_CBC", document: "RFC 3602" },
  { value: 129, name: "SM4_CBC", document: "GM/T 0022-2023" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 encryption algorithms. */
export const ikev1Encryption = defineRegistry<RegistryEntry>(
  "IKEv1 encryption algorithms",
  ikev1EncryptionTable,
);

export const IKEV1_ENCRYPTION = constants(ikev1EncryptionTable);

const ikev1HashTable = [
  { value: 1, name: "MD5", document: "RFC 2409" },
  { value: 2, name: "SHA1", document: "RFC 2409" },
  { value: 4, name: "SHA2_256", document: "RFC 4868" },
  { value: 20, name: "SM3", document: "GM/T 0022-2023" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 hash algorithms. */
export const ikev1Hash = defineRegistry<RegistryEntry>("IKEv1 hash algorithms", ikev1HashTable);

export const IKEV1_HASH = constants(ikev1HashTable);

const ikev1AuthenticationTable = [
  { value: 1, name: "PRE_SHARED_KEY", document: "RFC 2409" },
  { value: 3, name: "RSA_SIGNATURES", document: "RFC 2409" },
  { value: 10, name: "DIGITAL_ENVELOPE", document: "GM/T 0022-2023" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 authentication methods. */
export const ikev1Authentication = defineRegistry<RegistryEntry>(
  "IKEv1 authentication methods",
  ikev1AuthenticationTable,
);

export const IKEV1_AUTHENTICATION = constants(ikev1AuthenticationTable);

const ikev1NotifyTable = [
  { value: 5, name: "INVALID_MAJOR_VERSION", document: "RFC 2408" },
  { value: 14, name: "NO_PROPOSAL_CHOSEN", document: "RFC 2408" },
] as const satisfies readonly RegistryEntry[];

/** IKEv1 notify types used as refusal. */
export const ikev1Notify = defineRegistry<RegistryEntry>(
  "IKEv1 notify types used as refusal",
  ikev1NotifyTable,
);

export const IKEV1_NOTIFY = constants(ikev1NotifyTable);
