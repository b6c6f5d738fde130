import { gIkev2 } from "../documents/g-ikev2.ts";
import { rfc9827 } from "../documents/rfc9827.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  ...rfc9827.codePoints.SN,
  ...gIkev2.codePoints.SN,
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
