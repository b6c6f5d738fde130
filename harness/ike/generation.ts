/** The seven keys of an IKE SA, and those that take their place before IKE_AUTH: RFC 7296 section 2.14, RFC 9370 section 2.2.2. */
import { ikeKeys } from "../crypto/keys.ts";
import type { Core } from "./core.ts";
import type { IkeKeyInputs } from "./hooks.ts";
import type { IkeSa, IkeSuite } from "./sa.ts";

/** Makes the keys out of SKEYSEED and takes them into use, both ways and at once. */
export function installKeys(
  core: Core,
  sa: IkeSa,
  suite: IkeSuite,
  SKEYSEED: Uint8Array,
  { Ni, Nr, spiI, spiR }: Pick<IkeKeyInputs, "Ni" | "Nr" | "spiI" | "spiR"> = sa,
): void {
  const keys = ikeKeys(suite.prf, suite.encr, suite.integ, SKEYSEED, Ni, Nr, spiI, spiR);
  for (const extension of core.options.extensions) extension.afterIkeKeys?.(sa, keys);
  sa.install(suite, keys);
  core.emit({ type: "keys", sa });
}
