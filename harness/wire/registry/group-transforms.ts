/** The transforms of G-IKEv2 and EESP. */
import { gIkev2 } from "../documents/g-ikev2.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const kwaTransformsTable = gIkev2.codePoints.KWA;

/** Key Wrap Algorithm Transform IDs. */
export const kwaTransforms = defineRegistry<RegistryEntry>(
  "Key Wrap Algorithm Transform IDs",
  kwaTransformsTable,
  [1024, 65535],
);

export const KWA = constants(kwaTransformsTable);

const gcauthTransformsTable = gIkev2.codePoints.GCAUTH;

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
