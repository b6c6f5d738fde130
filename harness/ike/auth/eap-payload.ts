/** EAP in IKE_AUTH: packets in EAP payloads (RFC 7296 section 3.16), and what EAP alone must be like (RFC 5998). */
import { eapMethods } from "../../eap/index.ts";
import type { EapManners, EapOptions, EapPacket } from "../../eap/types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { EapPayload } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import type { EapLogin } from "../policy.ts";

export const eapPayload = ({ code, identifier, data }: EapPacket): EapPayload => ({
  kind: "EAP",
  type: PAYLOAD.EAP,
  ...{ code, identifier, data },
});

export const eapPacket = ({ code, identifier, data }: EapPayload): EapPacket => ({ code, identifier, data });

/** What a conversation is begun with. */
export const eapOptions = (
  { random }: Core,
  { user, tls }: EapLogin,
  manners: EapManners | undefined,
): EapOptions => ({ user, random, ...(tls && { tls }), ...(manners && { manners }) });

/** Why this method must not be the only proof of both ends (RFC 5998 section 4); undefined if it may. */
export function unsafeAlone(core: Core, { user: { type } }: EapLogin): string | undefined {
  const accepts = core.decide("EAP-only without MSK", "refuse") === "accept";
  return accepts || eapMethods[type].makesKey ? undefined : `EAP alone, but ${type} makes no key`;
}
