/** A NAT that is not there. */
import { notifies } from "../ike/payloads.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Script } from "./script.ts";

/** Makes the other end believe that we are behind a NAT; we act as if we were, too. `which` is our IKE_SA_INIT message. */
export function feignNat(s: Script, which: "request" | "response"): void {
  s.change(
    EXCHANGE.IKE_SA_INIT,
    ({ payloads }) => {
      for (const n of notifies(payloads, NOTIFY.NAT_DETECTION_SOURCE_IP))
        n.data = new Uint8Array(20).fill(0x4e);
    },
    which,
  );
  s.decide("NAT detection", "always");
}
