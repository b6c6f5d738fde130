/** EAP packets in EAP payloads (RFC 7296 section 3.16). */
import type { EapPacket } from "../../eap/types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { EapPayload } from "../../wire/types.ts";

export const eapPayload = ({ code, identifier, data }: EapPacket): EapPayload => ({
  kind: "EAP",
  type: PAYLOAD.EAP,
  ...{ code, identifier, data },
});

export const eapPacket = ({ code, identifier, data }: EapPayload): EapPacket => ({ code, identifier, data });
