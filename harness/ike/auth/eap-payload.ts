/** EAP packets in EAP payloads (RFC 7296 section 3.16). */
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
