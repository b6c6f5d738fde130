/** Numbers that stand in the data of notifies. */
import { rfc8784 } from "../documents/rfc8784.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const ipcompTransformsTable = [
  { value: 1, name: "OUI", document: "RFC 7296" },
  { value: 2, name: "DEFLATE", document: "RFC 2394" },
  { value: 3, name: "LZS", document: "RFC 2395" },
  { value: 4, name: "LZJH", document: "RFC 3051" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Notification IPCOMP Transform IDs. */
export const ipcompTransforms = defineRegistry<RegistryEntry>(
  "IKEv2 Notification IPCOMP Transform IDs",
  ipcompTransformsTable,
  [241, 255],
);

export const IPCOMP = constants(ipcompTransformsTable);

const ppkIdTypesTable = rfc8784.codePoints.PPK_ID;

/** IKEv2 Post-quantum Preshared Key ID Types. */
export const ppkIdTypes = defineRegistry<RegistryEntry>(
  "IKEv2 Post-quantum Preshared Key ID Types",
  ppkIdTypesTable,
  [128, 255],
);

/** Types of PPK_IDs (RFC 8784 section 5.1). */
export const PPK_ID = constants(ppkIdTypesTable);

const gatewayIdTypesTable = [
  { value: 1, name: "IPV4", document: "RFC 5685" },
  { value: 2, name: "IPV6", document: "RFC 5685" },
  { value: 3, name: "FQDN", document: "RFC 5685" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Gateway Identity Types. */
export const gatewayIdTypes = defineRegistry<RegistryEntry>(
  "IKEv2 Gateway Identity Types",
  gatewayIdTypesTable,
  [241, 255],
);

export const GATEWAY_ID = constants(gatewayIdTypesTable);
