import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 7, name: "TS_IPV4_ADDR_RANGE", document: "RFC 7296" },
  { value: 8, name: "TS_IPV6_ADDR_RANGE", document: "RFC 7296" },
  { value: 9, name: "TS_FC_ADDR_RANGE", document: "RFC 4595" },
  { value: 10, name: "TS_SECLABEL", document: "RFC 9478" },
  { value: 241, name: "TS_DSCP", document: "private: this harness (draft dscp-traffic-selector)" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Traffic Selector Types. */
export const tsTypes = defineRegistry<RegistryEntry>("IKEv2 Traffic Selector Types", table, [241, 255]);

export const TS_TYPE = constants(table);
