import { gIkev2 } from "../documents/g-ikev2.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 0, name: "NONE", document: "RFC 7296" },
  { value: 33, name: "SA", document: "RFC 7296; SAg in RFC 9838" },
  { value: 34, name: "KE", document: "RFC 7296" },
  { value: 35, name: "IDi", document: "RFC 7296" },
  { value: 36, name: "IDr", document: "RFC 7296" },
  { value: 37, name: "CERT", document: "RFC 7296" },
  { value: 38, name: "CERTREQ", document: "RFC 7296" },
  { value: 39, name: "AUTH", document: "RFC 7296" },
  { value: 40, name: "NONCE", document: "RFC 7296", short: "No" },
  { value: 41, name: "NOTIFY", document: "RFC 7296", short: "N" },
  { value: 42, name: "DELETE", document: "RFC 7296", short: "D" },
  { value: 43, name: "VENDOR_ID", document: "RFC 7296", short: "V" },
  { value: 44, name: "TSi", document: "RFC 7296" },
  { value: 45, name: "TSr", document: "RFC 7296" },
  { value: 46, name: "SK", document: "RFC 7296" },
  { value: 47, name: "CP", document: "RFC 7296" },
  { value: 48, name: "EAP", document: "RFC 7296" },
  { value: 49, name: "GSPM", document: "RFC 6467" },
  ...gIkev2.codePoints.PAYLOAD,
  { value: 53, name: "SKF", document: "RFC 7383" },
  { value: 128, name: "ME_ID", document: "private: strongSwan (ID of the mediated peer)" },
  { value: 132, name: "IKEV1_FRAGMENT", document: "private: libreswan (IKEv1 fragment)" },
  {
    value: 200,
    name: "COMPRESSED_PAYLOADS",
    document: "private: this harness (draft extended-payload-format)",
  },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Payload Types. */
export const payloadTypes = defineRegistry<RegistryEntry>("IKEv2 Payload Types", table, [128, 255]);

export const PAYLOAD = constants(table);
