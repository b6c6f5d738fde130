import type { ChildSa } from "../ike/child.ts";
import type { InboundSa } from "./inbound.ts";
import type { OutboundSa } from "./outbound.ts";

/** The data plane of a Child SA. */
export interface Pipe {
  child: ChildSa;
  outbound: OutboundSa;
  inbound: InboundSa;
}
