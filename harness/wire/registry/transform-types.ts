import { gIkev2 } from "../documents/g-ikev2.ts";
import { rfc9827 } from "../documents/rfc9827.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 1, name: "ENCR", document: "RFC 7296" },
  { value: 2, name: "PRF", document: "RFC 7296" },
  { value: 3, name: "INTEG", document: "RFC 7296" },
  { value: 4, name: "KE", document: "RFC 7296, RFC 9370" },
  ...rfc9827.codePoints.TRANSFORM,
  { value: 6, name: "ADDKE1", document: "RFC 9370" },
  { value: 7, name: "ADDKE2", document: "RFC 9370" },
  { value: 8, name: "ADDKE3", document: "RFC 9370" },
  { value: 9, name: "ADDKE4", document: "RFC 9370" },
  { value: 10, name: "ADDKE5", document: "RFC 9370" },
  { value: 11, name: "ADDKE6", document: "RFC 9370" },
  { value: 12, name: "ADDKE7", document: "RFC 9370" },
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
