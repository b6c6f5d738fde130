/** Header compression for ESP: profiles and attributes (drafts diet-esp, ikev2-diet-esp-extension). */
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const hcpNamesTable = [
  { value: 0, name: "DIET_ESP", document: "draft ikev2-diet-esp-extension" },
] as const satisfies readonly RegistryEntry[];

/** Header Compression Profile names. */
export const hcpNames = defineRegistry<RegistryEntry>("Header Compression Profile names", hcpNamesTable);

export const HCP = constants(hcpNamesTable);

const hcpAttributesTable = [
  { value: 0, name: "DSCP_CDA", document: "draft ikev2-diet-esp-extension" },
  { value: 1, name: "ECN_CDA", document: "draft ikev2-diet-esp-extension" },
  { value: 2, name: "FLOW_LABEL_CDA", document: "draft ikev2-diet-esp-extension" },
  { value: 3, name: "ALIGNMENT", document: "draft ikev2-diet-esp-extension" },
  { value: 4, name: "ESP_SPI_LSB", document: "draft ikev2-diet-esp-extension" },
  { value: 5, name: "ESP_SN_LSB", document: "draft ikev2-diet-esp-extension" },
  {
    value: 6,
    name: "ESP_TRAILER",
    document: "private: this harness (draft ikev2-diet-esp-extension; no number in the draft)",
  },
  {
    value: 32767,
    name: "RANGE_AFRG_PROPOSAL",
    document: "private: this harness (draft ikev2-diet-esp-extension; 65535 does not fit the field)",
  },
] as const satisfies readonly RegistryEntry[];

/** Attributes for rule generation. */
export const hcpAttributes = defineRegistry<RegistryEntry>(
  "Attributes for rule generation",
  hcpAttributesTable,
);

export const HCP_ATTRIBUTE = constants(hcpAttributesTable);

const dscpCdaTable = [
  { value: 0, name: "NOT_COMPRESSED", document: "draft ikev2-diet-esp-extension" },
  { value: 1, name: "LOWER", document: "draft ikev2-diet-esp-extension" },
  { value: 2, name: "SA", document: "draft ikev2-diet-esp-extension" },
] as const satisfies readonly RegistryEntry[];

/** DSCP compression. */
export const dscpCda = defineRegistry<RegistryEntry>("DSCP compression", dscpCdaTable);

export const DSCP_CDA = constants(dscpCdaTable);

const ecnCdaTable = [
  { value: 0, name: "NOT_COMPRESSED", document: "draft ikev2-diet-esp-extension" },
  { value: 1, name: "LOWER", document: "draft ikev2-diet-esp-extension" },
] as const satisfies readonly RegistryEntry[];

/** ECN compression. */
export const ecnCda = defineRegistry<RegistryEntry>("ECN compression", ecnCdaTable);

export const ECN_CDA = constants(ecnCdaTable);

const flowLabelCdaTable = [
  { value: 0, name: "NOT_COMPRESSED", document: "draft ikev2-diet-esp-extension" },
  { value: 1, name: "LOWER", document: "draft ikev2-diet-esp-extension" },
  { value: 2, name: "GENERATED", document: "draft ikev2-diet-esp-extension" },
  { value: 3, name: "ZERO", document: "draft ikev2-diet-esp-extension" },
] as const satisfies readonly RegistryEntry[];

/** Flow label compression. */
export const flowLabelCda = defineRegistry<RegistryEntry>("Flow label compression", flowLabelCdaTable);

export const FLOW_LABEL_CDA = constants(flowLabelCdaTable);

const hcpAlignmentsTable = [
  { value: 0, name: "BITS_8", document: "draft ikev2-diet-esp-extension" },
  { value: 1, name: "BITS_16", document: "draft ikev2-diet-esp-extension" },
  { value: 2, name: "BITS_32", document: "draft ikev2-diet-esp-extension" },
  { value: 3, name: "BITS_64", document: "draft ikev2-diet-esp-extension" },
] as const satisfies readonly RegistryEntry[];

/** Alignment. */
export const hcpAlignments = defineRegistry<RegistryEntry>("Alignment", hcpAlignmentsTable);

export const HCP_ALIGNMENT = constants(hcpAlignmentsTable);

const hcpTrailersTable = [
  { value: 0, name: "MANDATORY", document: "draft ikev2-diet-esp-extension" },
  { value: 1, name: "OPTIONAL", document: "draft ikev2-diet-esp-extension" },
] as const satisfies readonly RegistryEntry[];

/** ESP trailer. */
export const hcpTrailers = defineRegistry<RegistryEntry>("ESP trailer", hcpTrailersTable);

export const HCP_TRAILER = constants(hcpTrailersTable);
