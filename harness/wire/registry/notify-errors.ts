/** IKEv2 Notify Message Error Types (0-16383, private use 8192-16383). */
import type { RegistryEntry } from "./registry.ts";

export const notifyErrors = [
  { value: 1, name: "UNSUPPORTED_CRITICAL_PAYLOAD", document: "RFC 7296", short: "CRIT" },
  { value: 4, name: "INVALID_IKE_SPI", document: "RFC 7296", short: "INVAL_IKE_SPI" },
  { value: 5, name: "INVALID_MAJOR_VERSION", document: "RFC 7296", short: "INVAL_MAJOR" },
  { value: 7, name: "INVALID_SYNTAX", document: "RFC 7296", short: "INVAL_SYN" },
  { value: 9, name: "INVALID_MESSAGE_ID", document: "RFC 7296", short: "INVAL_MID" },
  { value: 11, name: "INVALID_SPI", document: "RFC 7296", short: "INVAL_SPI" },
  { value: 14, name: "NO_PROPOSAL_CHOSEN", document: "RFC 7296", short: "NO_PROP" },
  { value: 17, name: "INVALID_KE_PAYLOAD", document: "RFC 7296", short: "INVAL_KE" },
  { value: 24, name: "AUTHENTICATION_FAILED", document: "RFC 7296", short: "AUTH_FAILED" },
  { value: 34, name: "SINGLE_PAIR_REQUIRED", document: "RFC 7296", short: "SINGLE_PAIR" },
  { value: 35, name: "NO_ADDITIONAL_SAS", document: "RFC 7296", short: "NO_ADD_SAS" },
  { value: 36, name: "INTERNAL_ADDRESS_FAILURE", document: "RFC 7296", short: "INT_ADDR_FAIL" },
  { value: 37, name: "FAILED_CP_REQUIRED", document: "RFC 7296", short: "FAIL_CP_REQ" },
  { value: 38, name: "TS_UNACCEPTABLE", document: "RFC 7296", short: "TS_UNACCEPT" },
  { value: 39, name: "INVALID_SELECTORS", document: "RFC 7296", short: "INVAL_SEL" },
  { value: 40, name: "UNACCEPTABLE_ADDRESSES", document: "RFC 4555" },
  { value: 41, name: "UNEXPECTED_NAT_DETECTED", document: "RFC 4555" },
  { value: 42, name: "USE_ASSIGNED_HoA", document: "RFC 5026" },
  { value: 43, name: "TEMPORARY_FAILURE", document: "RFC 7296", short: "TEMP_FAIL" },
  { value: 44, name: "CHILD_SA_NOT_FOUND", document: "RFC 7296", short: "NO_CHILD_SA" },
  { value: 48, name: "TS_MAX_QUEUE", document: "RFC 9611" },
  { value: 8192, name: "ME_CONNECT_FAILED", document: "private: strongSwan" },
  { value: 12345, name: "MS_NOTIFY_STATUS", document: "private: Microsoft, named by strongSwan" },
] as const satisfies readonly RegistryEntry[];
