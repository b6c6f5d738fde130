import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "REQUEST", document: "RFC 7296" },
  { value: 2, name: "REPLY", document: "RFC 7296" },
  { value: 3, name: "SET", document: "RFC 7296" },
  { value: 4, name: "ACK", document: "RFC 7296" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Configuration Payload CFG Types. */
export const cfgTypes = defineRegistry<RegistryEntry>(
  "IKEv2 Configuration Payload CFG Types",
  table,
  [128, 255],
);

export const CFG = constants(table);
