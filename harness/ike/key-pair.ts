/** Our side of a key exchange. */
import { keMethod } from "../crypto/ke.ts";
import type { Ke, KeyPair } from "../crypto/types.ts";
import type { Core } from "./core.ts";

const methodOf = (core: Core, group: number): Ke | undefined =>
  keMethod(core.policy.keIds?.get(group) ?? group);

/** Whether the method of this number is a KEM, whose responder checks the key that it gets. */
export const isKem = (core: Core, group: number): boolean => methodOf(core, group)?.respond !== undefined;

/** A fresh key pair, or a KEM's answer to `peerPublic`, unless an extension chooses another; undefined for a method we have no code for. */
export function freshKeyPair(core: Core, group: number, peerPublic?: Uint8Array): KeyPair | undefined {
  const method = methodOf(core, group);
  if (!method) return undefined;
  const { respond } = method;
  let make =
    peerPublic && respond ? () => respond(core.random, peerPublic) : () => method.generate(core.random);
  for (const extension of core.options.extensions) {
    const { keyPair } = extension;
    const inner = make;
    if (keyPair) make = () => keyPair(inner, peerPublic, method);
  }
  return make();
}
