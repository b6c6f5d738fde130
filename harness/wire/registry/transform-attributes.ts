import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 14, name: "KEY_LENGTH", document: "RFC 7296" },
  { value: 18, name: "SIGNATURE_ALGORITHM_IDENTIFIER", document: "RFC 9838" },
] as const satisfies readonly RegistryEntry[];

/** Transform Attribute Types. */
export const transformAttributes = defineRegistry<RegistryEntry>(
  "Transform Attribute Types",
  table,
  [16384, 32767],
);

export const TRANSFORM_ATTRIBUTE = constants(table);
