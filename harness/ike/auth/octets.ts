/** What AUTH covers (RFC 7296 section 2.15), and the AUTH values of a shared secret. */
import { pskAuth, signedOctets } from "../../crypto/keys.ts";
import { concat, EMPTY } from "../../wire/bytes.ts";
import type { IdPayload } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import type { AuthInputs } from "../hooks.ts";
import type { Identity } from "../policy.ts";
import type { IkeSa } from "../sa.ts";

export type End = "initiator" | "responder";

export const otherEnd = (end: End): End => (end === "initiator" ? "responder" : "initiator");

export const idPayload = (type: number, id: Identity): IdPayload => ({
  kind: "ID",
  type,
  idType: id.type,
  data: id.data,
});

/** RestOfIDPayload: type, reserved octets as they came, data. */
function idBody(id: IdPayload): Uint8Array {
  const reserved = id.reserved3 ?? 0;
  return concat(
    Uint8Array.of(id.idType, (reserved >> 16) & 255, (reserved >> 8) & 255, reserved & 255),
    id.data,
  );
}

/** What an end's AUTH is made of, as the extensions have it; undefined while the SA has no keys. */
export function authInputs(sa: IkeSa, of: End, id: IdPayload, core?: Core): AuthInputs | undefined {
  if (!sa.keys) return undefined;
  const initiator = of === "initiator";
  const inputs: AuthInputs = {
    ...{ sa, of },
    message: initiator ? sa.initRequest : sa.initResponse,
    nonce: initiator ? sa.Nr : sa.Ni,
    SK_p: initiator ? sa.keys.SK_pi : sa.keys.SK_pr,
    idBody: idBody(id),
  };
  for (const extension of core?.options.extensions ?? []) extension.authOctets?.(inputs);
  return inputs;
}

/** The octets that these make; empty while no prf is agreed on. */
export function coveredOctets(inputs: AuthInputs): Uint8Array {
  const { sa, message, nonce, SK_p, IntAuth = EMPTY } = inputs;
  if (!sa.suite) return EMPTY;
  return concat(signedOctets(message, nonce, sa.suite.prf, SK_p, inputs.idBody), IntAuth);
}

/** InitiatorSignedOctets or ResponderSignedOctets; empty while the SA has no keys. */
export function authOctets(sa: IkeSa, of: End, id: IdPayload, core?: Core): Uint8Array {
  const inputs = authInputs(sa, of, id, core);
  return inputs ? coveredOctets(inputs) : EMPTY;
}

/** The AUTH value under a shared secret: the PSK, the MSK of EAP, or SK_p where there is neither (section 2.16). */
export function sharedKeyAuth(sa: IkeSa, secret: Uint8Array, octets: Uint8Array): Uint8Array {
  return sa.suite ? pskAuth(sa.suite.prf, secret, octets) : EMPTY;
}

/** SK_pi or SK_pr: the secret of NULL authentication (RFC 7619 section 2.1) and of EAP without MSK. */
export const ownSecret = (sa: IkeSa, of: End): Uint8Array =>
  (of === "initiator" ? sa.keys?.SK_pi : sa.keys?.SK_pr) ?? EMPTY;

/** The AUTH value that the SA's initiator or responder must send under this PSK. */
export const pskAuthValue = (sa: IkeSa, psk: Uint8Array, of: End, id: IdPayload, core?: Core): Uint8Array =>
  sharedKeyAuth(sa, psk, authOctets(sa, of, id, core));
