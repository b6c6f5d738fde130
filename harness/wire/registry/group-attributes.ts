/** Attributes of the GSA and KD payloads of G-IKEv2 (RFC 9838). */
import { gIkev2 } from "../documents/g-ikev2.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const gsaAttributesTable = gIkev2.codePoints.GSA_ATTRIBUTE;

/** GSA Attributes. */
export const gsaAttributes = defineRegistry<RegistryEntry>(
  "GSA Attributes",
  gsaAttributesTable,
  [16384, 32767],
);

export const GSA_ATTRIBUTE = constants(gsaAttributesTable);

const gwPolicyAttributesTable = gIkev2.codePoints.GW_POLICY_ATTRIBUTE;

/** Group-wide Policy Attributes. */
export const gwPolicyAttributes = defineRegistry<RegistryEntry>(
  "Group-wide Policy Attributes",
  gwPolicyAttributesTable,
  [16384, 32767],
);

export const GW_POLICY_ATTRIBUTE = constants(gwPolicyAttributesTable);

const groupKeyBagAttributesTable = gIkev2.codePoints.GROUP_KEY_BAG_ATTRIBUTE;

/** Group Key Bag Attributes. */
export const groupKeyBagAttributes = defineRegistry<RegistryEntry>(
  "Group Key Bag Attributes",
  groupKeyBagAttributesTable,
  [16384, 32767],
);

export const GROUP_KEY_BAG_ATTRIBUTE = constants(groupKeyBagAttributesTable);

const memberKeyBagAttributesTable = gIkev2.codePoints.MEMBER_KEY_BAG_ATTRIBUTE;

/** Member Key Bag Attributes. */
export const memberKeyBagAttributes = defineRegistry<RegistryEntry>(
  "Member Key Bag Attributes",
  memberKeyBagAttributesTable,
  [16384, 32767],
);

export const MEMBER_KEY_BAG_ATTRIBUTE = constants(memberKeyBagAttributesTable);
