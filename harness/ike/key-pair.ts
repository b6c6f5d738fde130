/** Our side of a key exchange. */
import { keMethod } from "../crypto/ke.ts";
import type { KeyPair } from "../crypto/types.ts";
import type { Core } from "./core.ts";

/** A fresh key pair, or a KEM's answer to `peerPublic`, unless an extension chooses another; undefined for a method we have no code for. */
export function freshKeyPair(core: Core, group: number, peerPublic?: Uint8Array): KeyPair | undefined {
  const method = keMethod(core.policy.keIds?.get(group) ?? group);
  if (!method) return undefined;
  const { respond } = method;
  let make =
    peerPublic && respond ? () => respond(core.random, peerPublic) : () => method.generate(core.random);
  for (const extension of core.options.extensions) {
    const { keyPair } = extension;
    const inner = make;
    if (keyPair) make = () => keyPair(inner, peerPublic);
  }
  return make();
}
