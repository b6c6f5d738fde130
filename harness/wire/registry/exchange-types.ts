import { gIkev2 } from "../documents/g-ikev2.ts";
import { rfc9242 } from "../documents/rfc9242.ts";
import { rfc9370 } from "../documents/rfc9370.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 34, name: "IKE_SA_INIT", document: "RFC 7296" },
  { value: 35, name: "IKE_AUTH", document: "RFC 7296" },
  { value: 36, name: "CREATE_CHILD_SA", document: "RFC 7296" },
  { value: 37, name: "INFORMATIONAL", document: "RFC 7296" },
  { value: 38, name: "IKE_SESSION_RESUME", document: "RFC 5723" },
  ...gIkev2.codePoints.EXCHANGE,
  ...rfc9242.codePoints.EXCHANGE,
  ...rfc9370.codePoints.EXCHANGE,
  { value: 240, name: "ME_CONNECT", document: "private: strongSwan" },
] as const satisfies readonly RegistryEntry[];

/** IKEv2 Exchange Types. */
export const exchangeTypes = defineRegistry<RegistryEntry>("IKEv2 Exchange Types", table, [240, 255]);

export const EXCHANGE = constants(table);
