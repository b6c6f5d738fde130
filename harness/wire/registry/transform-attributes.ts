import { gIkev2 } from "../documents/g-ikev2.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 14, name: "KEY_LENGTH", document: "RFC 7296" },
  ...gIkev2.codePoints.TRANSFORM_ATTRIBUTE,
] as const satisfies readonly RegistryEntry[];

/** Transform Attribute Types. */
export const transformAttributes = defineRegistry<RegistryEntry>(
  "Transform Attribute Types",
  table,
  [16384, 32767],
);

export const TRANSFORM_ATTRIBUTE = constants(table);
