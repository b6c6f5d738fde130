import { FRODOKEM_METHODS } from "./frodokem.ts";
import { ECP_METHODS } from "./ke-ecp.ts";
import { MODP_METHODS } from "./ke-modp.ts";
import { MONTGOMERY_METHODS } from "./ke-montgomery.ts";
import { ML_KEM_METHODS } from "./ml-kem.ts";
import type { Ke, KeError } from "./types.ts";

/** Every key exchange method there is, for tests that go through all of them. */
export const ALL_KE: readonly Ke[] = [
  ...MODP_METHODS,
  ...ECP_METHODS,
  ...MONTGOMERY_METHODS,
  ...ML_KEM_METHODS,
  ...FRODOKEM_METHODS,
];

const METHODS: ReadonlyMap<number, Ke> = new Map(ALL_KE.map((ke) => [ke.id, ke]));

/** The key exchange method (type 4) of this IANA id. */
export function keMethod(id: number): Ke | undefined {
  return METHODS.get(id);
}

/** Tells a refusal from a shared secret. */
export function isKeError(result: Uint8Array | KeError): result is KeError {
  return !(result instanceof Uint8Array);
}
