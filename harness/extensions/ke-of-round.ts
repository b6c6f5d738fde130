import type { Core } from "../ike/core.ts";
import type { KePayload, Payload } from "../wire/types.ts";

/** The KE payload, if there is one alone and of this method. */
export function keOf(core: Core, payloads: Payload[], method: number): KePayload | undefined {
  const all = payloads.filter((p): p is KePayload => p.kind === "KE");
  const [ke] = all;
  if (!ke || all.length > 1) return undefined;
  const right = ke.group === method;
  return right || core.decide("additional key exchange of another method", "refuse") === "accept"
    ? ke
    : undefined;
}
