import { gIkev2 } from "../documents/g-ikev2.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 0, name: "NONE", document: "RFC 7296" },
  { value: 1, name: "IKE", document: "RFC 7296" },
  { value: 2, name: "AH", document: "RFC 7296" },
  { value: 3, name: "ESP", document: "RFC 7296" },
  { value: 4, name: "FC_ESP_HEADER", document: "RFC 4595" },
  { value: 5, name: "FC_CT_AUTHENTICATION", document: "RFC 4595" },
  ...gIkev2.codePoints.PROTOCOL,
  {
    value: 249,
    name: "EESP",
    document: "private: strongSwan branch, this harness (draft-ietf-ipsecme-eesp-ikev2)",
  },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Security Protocol Identifiers. */
export const protocolIds = defineRegistry<RegistryEntry>(
  "IKEv2 Security Protocol Identifiers",
  table,
  [201, 255],
);

export const PROTOCOL = constants(table);
