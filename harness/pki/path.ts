/** Validation of certificate paths for the IKE core (RFC 5280 section 6, RFC 4945). Placeholder seam: its owner replaces it. */
import type { KeyObject } from "node:crypto";
import type { Identity } from "../ike/policy.ts";

export type Fault =
  | "malformed"
  | "expired"
  | "not yet valid"
  | "unknown issuer"
  | "bad signature"
  | "not a CA"
  | "usage"
  | "name"
  | "critical extension";

export function validatePath(
  _chain: Uint8Array[],
  _trust: Uint8Array[],
  _identity: Identity,
  _dateMs: number,
  _overlook: readonly Fault[] = [],
): { key: KeyObject } | { refused: string; because: Fault } {
  return { refused: "not built yet", because: "malformed" };
}

export function issuerHash(_ca: Uint8Array): Uint8Array {
  return new Uint8Array(20);
}
