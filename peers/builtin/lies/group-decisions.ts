/** Lies about what the working group decided on G-IKEv2 in March 2022. */
import type { GroupHooks } from "../../../harness/group/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { hangsAt } from "./group-bad-input.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

const GDOI_PORT = 848;
const GROUP_ERRORS = [NOTIFY.INVALID_GROUP_ID, NOTIFY.AUTHORIZATION_FAILED, NOTIFY.REGISTRATION_FAILED];

function saysMoreOn848(): LieBehaviour {
  const marked = new WeakSet<IkeSa>();
  return {
    ike: {
      outgoing: ({ header, sa, isResponse, request, payloads }) => {
        if (!sa || !isResponse) return;
        const begins = header.exchangeType === EXCHANGE.IKE_SA_INIT;
        if (begins && request?.datagram.destination.port === GDOI_PORT) marked.add(sa);
        if (!begins && marked.has(sa))
          payloads.push({ kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: new Uint8Array(4) });
      },
    },
  };
}

/** SK_d of the first IKE SA stays with its successors, and so does GSK_w. */
function keepsSkD(): LieBehaviour {
  let first: Uint8Array | undefined;
  return {
    ike: {
      afterIkeKeys: (_sa, keys) => {
        first ??= keys.SK_d;
        keys.SK_d = first;
      },
    },
  };
}

const readsGrants = (change: (payloads: Payload[]) => Payload[]): LieBehaviour => ({
  ike: {
    incoming: (message) => {
      const grants = message.isResponse && message.payloads.some(({ type }) => type === PAYLOAD.GSA);
      if (grants) message.payloads = change(message.payloads);
      return undefined;
    },
  },
});

const isTransport = (p: Payload): boolean =>
  p.kind === "Notify" && p.notifyType === NOTIFY.USE_TRANSPORT_MODE;

const decides = (name: string, breaks: string, effect: string, decide: GroupHooks["decide"] & object): Lie =>
  lie(name, breaks, effect, () => ({ group: { decide } }));

export const groupDecisionLies = [
  lie("says-more-to-who-begins-on-848", "G-IKEV2-04", "a vendor id in the answers", saysMoreOn848),
  lie("hangs-at-group-errors", "G-IKEV2-103", "takes nothing after a refusal", () =>
    hangsAt((payloads) => GROUP_ERRORS.some((type) => hasNotify([...payloads], type))),
  ),
  lie(
    "keeps-the-first-gsk-w",
    "G-IKEV2-65",
    "keys on a rekeyed IKE SA are under those of the first",
    keepsSkD,
  ),
  lie("takes-every-group-for-transport-mode", "G-IKEV2-W5", "delivers no tunnelled packet", () =>
    readsGrants((payloads) => [...payloads, notify(NOTIFY.USE_TRANSPORT_MODE)]),
  ),
  lie("takes-every-group-for-tunnel-mode", "G-IKEV2-W5", "overlooks USE_TRANSPORT_MODE", () =>
    readsGrants((payloads) => payloads.filter((p) => !isTransport(p))),
  ),
  decides("sends-multicast-esp-in-udp", "G-IKEV2-W6", "behind a NAT multicast goes to UDP port 4500", {
    "ESP behind a NAT": "in UDP",
  }),
  decides("takes-any-policy-of-a-group", "G-IKEV2-B2", "takes 64-bit numbers, and what it did not offer", {
    "unacceptable policy": "take it",
  }),
  decides(
    "drops-equal-numbers-of-several-senders",
    "G-IKEV2-W7",
    "a replay window although the numbers are not of one sender",
    { "equal numbers of several senders": "drop" },
  ),
];
