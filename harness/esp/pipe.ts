import type { ChildSa } from "../ike/child.ts";
import type { EspReceiver } from "./inbound.ts";
import type { EspSender } from "./outbound.ts";

/** The data plane of a Child SA. An extension may put other ends in the place of those of RFC 4303. */
export interface Pipe {
  child: ChildSa;
  outbound: EspSender;
  inbound: EspReceiver;
}
