/** Honest variants of the builtin peer: other legal choices, on which every test must pass as well. */
import { notify } from "../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { LieBehaviour } from "./lies/lie.ts";

interface Variant {
  name: string;
  /** How it differs from the ordinary builtin peer. */
  effect: string;
  behaviour: () => LieBehaviour;
}

/** An unassigned status notify and a vendor id in IKE_SA_INIT, fragmentation even where one datagram would do. */
const talkative: Variant = {
  name: "talkative",
  effect: "unknown status notifies, vendor ids, other payload order, always fragments",
  behaviour: () => ({
    ike: {
      outgoing: (message) => {
        const init = message.header.exchangeType === EXCHANGE.IKE_SA_INIT;
        if (!init || !message.payloads.some((p) => p.kind === "SA")) return;
        const extra = new TextEncoder().encode("ipsec-bakeoff honest variant");
        message.payloads.push(notify(60_000), { kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: extra });
      },
    },
    fragmentation: { always: true, chunk: 90 },
  }),
};

export const variants: readonly Variant[] = [talkative];

export const findVariant = (name: string): LieBehaviour | undefined =>
  variants.find((v) => v.name === name)?.behaviour();
