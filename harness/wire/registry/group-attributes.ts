/** Attributes of the GSA and KD payloads of G-IKEv2 (RFC 9838). */
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const gsaAttributesTable = [
  { value: 1, name: "GSA_KEY_LIFETIME", document: "RFC 9838" },
  { value: 2, name: "GSA_INITIAL_MESSAGE_ID", document: "RFC 9838" },
  { value: 3, name: "GSA_NEXT_SPI", document: "RFC 9838" },
] as const satisfies readonly RegistryEntry[];

/** GSA Attributes. */
export const gsaAttributes = defineRegistry<RegistryEntry>(
  "GSA Attributes",
  gsaAttributesTable,
  [16384, 32767],
);

export const GSA_ATTRIBUTE = constants(gsaAttributesTable);

const gwPolicyAttributesTable = [
  { value: 1, name: "GWP_ATD", document: "RFC 9838" },
  { value: 2, name: "GWP_DTD", document: "RFC 9838" },
  { value: 3, name: "GWP_SENDER_ID_BITS", document: "RFC 9838" },
] as const satisfies readonly RegistryEntry[];

/** Group-wide Policy Attributes. */
export const gwPolicyAttributes = defineRegistry<RegistryEntry>(
  "Group-wide Policy Attributes",
  gwPolicyAttributesTable,
  [16384, 32767],
);

export const GW_POLICY_ATTRIBUTE = constants(gwPolicyAttributesTable);

const groupKeyBagAttributesTable = [
  { value: 1, name: "SA_KEY", document: "RFC 9838" },
] as const satisfies readonly RegistryEntry[];

/** Group Key Bag Attributes. */
export const groupKeyBagAttributes = defineRegistry<RegistryEntry>(
  "Group Key Bag Attributes",
  groupKeyBagAttributesTable,
  [16384, 32767],
);

export const GROUP_KEY_BAG_ATTRIBUTE = constants(groupKeyBagAttributesTable);

const memberKeyBagAttributesTable = [
  { value: 1, name: "WRAP_KEY", document: "RFC 9838" },
  { value: 2, name: "AUTH_KEY", document: "RFC 9838" },
  { value: 3, name: "GM_SENDER_ID", document: "RFC 9838" },
] as const satisfies readonly RegistryEntry[];

/** Member Key Bag Attributes. */
export const memberKeyBagAttributes = defineRegistry<RegistryEntry>(
  "Member Key Bag Attributes",
  memberKeyBagAttributesTable,
  [16384, 32767],
);

export const MEMBER_KEY_BAG_ATTRIBUTE = constants(memberKeyBagAttributesTable);
