import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "INTERNAL_IP4_ADDRESS", document: "RFC 7296" },
  { value: 2, name: "INTERNAL_IP4_NETMASK", document: "RFC 7296" },
  { value: 3, name: "INTERNAL_IP4_DNS", document: "RFC 7296" },
  { value: 4, name: "INTERNAL_IP4_NBNS", document: "RFC 7296" },
  { value: 5, name: "INTERNAL_ADDRESS_EXPIRY", document: "RFC 4306; to be ignored" },
  { value: 6, name: "INTERNAL_IP4_DHCP", document: "RFC 7296" },
  { value: 7, name: "APPLICATION_VERSION", document: "RFC 7296" },
  { value: 8, name: "INTERNAL_IP6_ADDRESS", document: "RFC 7296" },
  { value: 10, name: "INTERNAL_IP6_DNS", document: "RFC 7296" },
  { value: 12, name: "INTERNAL_IP6_DHCP", document: "RFC 7296" },
  { value: 13, name: "INTERNAL_IP4_SUBNET", document: "RFC 7296" },
  { value: 14, name: "SUPPORTED_ATTRIBUTES", document: "RFC 7296" },
  { value: 15, name: "INTERNAL_IP6_SUBNET", document: "RFC 7296" },
  { value: 16, name: "MIP6_HOME_PREFIX", document: "RFC 5026" },
  { value: 17, name: "INTERNAL_IP6_LINK", document: "RFC 5739" },
  { value: 18, name: "INTERNAL_IP6_PREFIX", document: "RFC 5739" },
  { value: 19, name: "HOME_AGENT_ADDRESS", document: "3GPP TS 24.302" },
  { value: 20, name: "P_CSCF_IP4_ADDRESS", document: "RFC 7651" },
  { value: 21, name: "P_CSCF_IP6_ADDRESS", document: "RFC 7651" },
  { value: 22, name: "FTT_KAT", document: "3GPP TS 24.302" },
  { value: 23, name: "EXTERNAL_SOURCE_IP4_NAT_INFO", document: "3GPP TS 29.139" },
  { value: 24, name: "TIMEOUT_PERIOD_FOR_LIVENESS_CHECK", document: "3GPP TS 24.302" },
  { value: 25, name: "INTERNAL_DNS_DOMAIN", document: "RFC 8598" },
  { value: 26, name: "INTERNAL_DNSSEC_TA", document: "RFC 8598" },
  { value: 27, name: "ENCDNS_IP4", document: "RFC 9464" },
  { value: 28, name: "ENCDNS_IP6", document: "RFC 9464" },
  { value: 29, name: "ENCDNS_DIGEST_INFO", document: "RFC 9464" },
  { value: 23456, name: "INTERNAL_IP4_SERVER", document: "private: Microsoft" },
  { value: 23457, name: "INTERNAL_IP6_SERVER", document: "private: Microsoft" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Configuration Payload Attribute Types. */
export const cfgAttributes = defineRegistry<RegistryEntry>(
  "IKEv2 Configuration Payload Attribute Types",
  table,
  [16384, 32767],
);

export const CFG_ATTRIBUTE = constants(table);
