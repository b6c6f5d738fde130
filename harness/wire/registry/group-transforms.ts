/** The transforms of G-IKEv2 and EESP. */
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const kwaTransformsTable = [
  { value: 1, name: "KW_5649_128", document: "RFC 9838", short: "kw128" },
  { value: 2, name: "KW_5649_192", document: "RFC 9838", short: "kw192" },
  { value: 3, name: "KW_5649_256", document: "RFC 9838", short: "kw256" },
  { value: 4, name: "KW_ARX", document: "RFC 9838", short: "kwarx" },
] as const satisfies readonly RegistryEntry[];

/** Key Wrap Algorithm Transform IDs. */
export const kwaTransforms = defineRegistry<RegistryEntry>(
  "Key Wrap Algorithm Transform IDs",
  kwaTransformsTable,
  [1024, 65535],
);

export const KWA = constants(kwaTransformsTable);

const gcauthTransformsTable = [
  { value: 1, name: "IMPLICIT", document: "RFC 9838", short: "gcimplicit" },
  { value: 2, name: "DIGITAL_SIGNATURE", document: "RFC 9838", short: "gcsignature" },
] as const satisfies readonly RegistryEntry[];

/** Group Controller Authentication Method Transform IDs. */
export const gcauthTransforms = defineRegistry<RegistryEntry>(
  "Group Controller Authentication Method Transform IDs",
  gcauthTransformsTable,
  [1024, 65535],
);

export const GCAUTH = constants(gcauthTransformsTable);

const sskdfTransformsTable = [
  { value: 0, name: "NONE", document: "draft-ietf-ipsecme-eesp-ikev2" },
  { value: 1, name: "HKDF_SHA2_256", document: "draft-ietf-ipsecme-eesp-ikev2", short: "sskdfsha256" },
  { value: 2, name: "HKDF_SHA2_384", document: "draft-ietf-ipsecme-eesp-ikev2", short: "sskdfsha384" },
  { value: 3, name: "HKDF_SHA2_512", document: "draft-ietf-ipsecme-eesp-ikev2", short: "sskdfsha512" },
  { value: 4, name: "AES256_CMAC", document: "draft-ietf-ipsecme-eesp-ikev2", short: "sskdfaescmac" },
] as const satisfies readonly RegistryEntry[];

/** Sub SA Key Derivation Function Transform IDs. */
export const sskdfTransforms = defineRegistry<RegistryEntry>(
  "Sub SA Key Derivation Function Transform IDs",
  sskdfTransformsTable,
  [1024, 65535],
);

export const SSKDF = constants(sskdfTransformsTable);
