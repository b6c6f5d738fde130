/** AUTH payloads after EAP. */
import { authOctets, ownSecret, sharedKeyAuth } from "../ike/auth/octets.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { payload } from "../ike/payloads.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Script } from "./script.ts";
import type { SeenMessage } from "./trace.ts";

/** True for the message that has AUTH after EAP: those before it name an identity beside it. */
export const isAfterEap = ({ payloads }: Pick<SeenMessage, "payloads">): boolean =>
  payload(payloads, "AUTH") !== undefined && !payload(payloads, "ID");

/** Makes our AUTH with SK_pi or SK_pr, as for an EAP method that makes no key (RFC 7296 section 2.16). */
export function skAuthAfterEap(s: Script, { sa, payloads }: OutgoingMessage): void {
  const auth = payload(payloads, "AUTH");
  const [first] = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, sa?.role === "initiator" ? "us" : "peer");
  const own = sa?.role === "initiator" ? first?.request : first?.response;
  const id = payload(own?.payloads ?? [], "ID", sa?.role === "initiator" ? PAYLOAD.IDi : PAYLOAD.IDr);
  if (!sa || !auth || !id) return;
  auth.data = sharedKeyAuth(sa, ownSecret(sa, sa.role), authOctets(sa, sa.role, id));
}
