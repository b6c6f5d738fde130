/** A peer at an address, which nobody here starts or configures. */
import { parseAddress } from "../../harness/wire/address.ts";
import type { ChosenPeer } from "../definition.ts";

/** The peer at an address; undefined if this is none. */
export function addressPeer(spec: string): ChosenPeer | undefined {
  if (parseAddress(spec) === undefined) return undefined;
  const version = { version: "unknown" };
  return {
    definition: { name: spec, versions: [version], runtimes: ["address"] },
    ...{ version, runtime: "address", external: true },
  };
}
