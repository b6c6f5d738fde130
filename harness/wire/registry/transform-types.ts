import { gIkev2 } from "../documents/g-ikev2.ts";
import { rfc9370 } from "../documents/rfc9370.ts";
import { rfc9827 } from "../documents/rfc9827.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "ENCR", document: "RFC 7296" },
  { value: 2, name: "PRF", document: "RFC 7296" },
  { value: 3, name: "INTEG", document: "RFC 7296" },
  { value: 4, name: "KE", document: "RFC 7296, RFC 9370" },
  ...rfc9827.codePoints.TRANSFORM,
  ...rfc9370.codePoints.TRANSFORM,
  ...gIkev2.codePoints.TRANSFORM,
  {
    value: 241,
    name: "SSKDF",
    document: "private: strongSwan branch, this harness (draft-ietf-ipsecme-eesp-ikev2)",
  },
] as const satisfies readonly RegistryEntry[];

/** Transform Type Values. */
export const transformTypes = defineRegistry<RegistryEntry>("Transform Type Values", table, [241, 255]);

export const TRANSFORM = constants(table);
