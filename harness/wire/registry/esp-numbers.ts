/** Numbers of the data plane: IP protocols, AGGFRAG, EESP, reserved SPIs. */
import { espPing } from "../documents/esp-ping.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const ipProtocolsTable = [
  { value: 0, name: "HOPOPT", document: "RFC 8200" },
  { value: 1, name: "ICMP", document: "RFC 792" },
  { value: 4, name: "IPV4", document: "RFC 2003" },
  { value: 6, name: "TCP", document: "RFC 9293" },
  { value: 17, name: "UDP", document: "RFC 768" },
  { value: 41, name: "IPV6", document: "RFC 2473" },
  { value: 43, name: "IPV6_ROUTE", document: "RFC 8200" },
  { value: 44, name: "IPV6_FRAG", document: "RFC 8200" },
  {
    value: 49,
    name: "EESP",
    document: "strongSwan and Linux prototypes, this harness (draft-ietf-ipsecme-eesp)",
  },
  { value: 50, name: "ESP", document: "RFC 4303" },
  { value: 51, name: "AH", document: "RFC 4302" },
  { value: 58, name: "ICMPV6", document: "RFC 4443" },
  { value: 59, name: "IPV6_NO_NEXT", document: "RFC 8200; dummy packet in RFC 4303" },
  { value: 60, name: "IPV6_OPTS", document: "RFC 8200" },
  { value: 132, name: "SCTP", document: "RFC 9260" },
  { value: 135, name: "MOBILITY", document: "RFC 6275" },
  { value: 136, name: "UDPLITE", document: "RFC 3828" },
  ...espPing.codePoints.IP_PROTOCOL,
] as const satisfies readonly RegistryEntry[];

/** IP protocol numbers as tests meet them. */
export const ipProtocols = defineRegistry<RegistryEntry>(
  "IP protocol numbers as tests meet them",
  ipProtocolsTable,
  [253, 254],
);

export const IP_PROTOCOL = constants(ipProtocolsTable);

const aggfragSubTypesTable = [
  { value: 0, name: "NON_CONGESTION_CONTROL", document: "RFC 9347" },
  { value: 1, name: "CONGESTION_CONTROL", document: "RFC 9347" },
  ...espPing.codePoints.AGGFRAG_SUB_TYPE,
] as const satisfies readonly RegistryEntry[];

/** ESP AGGFRAG_PAYLOAD Sub-Types. */
export const aggfragSubTypes = defineRegistry<RegistryEntry>(
  "ESP AGGFRAG_PAYLOAD Sub-Types",
  aggfragSubTypesTable,
);

export const AGGFRAG_SUB_TYPE = constants(aggfragSubTypesTable);

const eespOptionsTable = [
  { value: 0, name: "PAD1", document: "draft-ietf-ipsecme-eesp" },
  { value: 1, name: "PADN", document: "draft-ietf-ipsecme-eesp" },
  { value: 2, name: "CRYPT_OFFSET", document: "draft-ietf-ipsecme-eesp" },
] as const satisfies readonly RegistryEntry[];

/** EESP options. */
export const eespOptions = defineRegistry<RegistryEntry>("EESP options", eespOptionsTable, [224, 255]);

export const EESP_OPTION = constants(eespOptionsTable);

const reservedSpisTable = espPing.codePoints.RESERVED_SPI;

/** Security Parameters Index values 1-255. */
export const reservedSpis = defineRegistry<RegistryEntry>(
  "Security Parameters Index values 1-255",
  reservedSpisTable,
);

export const RESERVED_SPI = constants(reservedSpisTable);
