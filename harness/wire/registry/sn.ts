import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 0, name: "SEQUENTIAL_32", document: "RFC 9827", short: "noesn" },
  { value: 1, name: "PARTIAL_64", document: "RFC 9827 (Extended Sequence Numbers)", short: "esn" },
  { value: 2, name: "UNSPECIFIED_32", document: "RFC 9838", short: "unspec32" },
  {
    value: 1024,
    name: "SEQUENTIAL_64",
    document: "private: strongSwan branch, this harness (draft-ietf-ipsecme-eesp-ikev2)",
    short: "seq64",
  },
  {
    value: 1025,
    name: "NONE",
    document: "private: strongSwan branch, this harness (draft-ietf-ipsecme-eesp-ikev2)",
    short: "noseq",
  },
] as const satisfies readonly RegistryEntry[];

/** Sequence Numbers Transform IDs. */
export const snTransforms = defineRegistry<RegistryEntry>(
  "Sequence Numbers Transform IDs",
  table,
  [1024, 65535],
);

export const SN = constants(table);
