/** How a group member can break RFC 9838, where it is no matter of its requests. */
import type { GroupDecisions } from "../../../harness/group/hooks.ts";
import { errorNotify } from "../../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { groupDecides } from "./group-tools.ts";
import { type Lie, lie } from "./lie.ts";
import { inMessage, without } from "./tools.ts";

const GDOI_PORT = 848;

const ports: readonly Lie[] = [
  lie("asks-the-controller-at-port-848", "G-IKEV2-01", "IKE_SA_INIT goes to port 848", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        (message) => {
          if (message.sa) message.destination = { ...message.sa.remote, port: GDOI_PORT };
        },
        "request",
      ),
    },
  })),
  lie("stays-on-port-848-behind-a-nat", "G-IKEV2-03", "GSA_AUTH on port 848 though there is a NAT", () => ({
    ike: { decide: { "NAT detected": "stay" } },
  })),
  lie("leaves-sag-out-on-port-848", "G-IKEV2-04", "SAg only on port 500", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.GSA_AUTH, (message) => {
        if (message.sa?.remote.port === GDOI_PORT) without(PAYLOAD.SA)(message);
      }),
    },
  })),
];

type Row = [
  name: string,
  breaks: string,
  effect: string,
  decide: Partial<{ [P in keyof GroupDecisions]: GroupDecisions[P] }>,
];

const rekeys: readonly Row[] = [
  ["takes-gcauth-in-rekeys", "G-IKEV2-B3", "does not mind GCAUTH", { "GCAUTH in a rekey": "take it" }],
  [
    "begins-with-rekey-number-one",
    "G-IKEV2-47",
    "drops message 0",
    { "first number of a Rekey SA that is taken": "one" },
  ],
  [
    "drops-fragments-of-rekeys",
    "G-IKEV2-41",
    "takes whole messages only",
    { "fragments of GSA_REKEY": "drop" },
  ],
  ["clears-reserved-bits-of-rekeys", "G-IKEV2-42", "RESERVED as zero", { "RESERVED of a GSA_REKEY": "zero" }],
  ["drops-old-rekey-sas-at-once", "G-IKEV2-49", "no delay", { "replaced Rekey SA": "drop at once" }],
  ["keeps-old-rekey-sas", "G-IKEV2-49", "no end", { "replaced Rekey SA": "keep" }],
  ["drops-deleted-data-sas-at-once", "G-IKEV2-50", "no delay", { "deleted data SA": "drop at once" }],
  ["keeps-deleted-data-sas", "G-IKEV2-50", "no end", { "deleted data SA": "keep" }],
  ["uses-sas-after-their-end", "G-IKEV2-87", "data after the lifetime", { "end of a lifetime": "keep" }],
  [
    "answers-inband-rekeys-with-a-notify",
    "G-IKEV2-52",
    "a status in the answer",
    { "answer to GSA_INBAND_REKEY": "not empty" },
  ],
  ["goes-on-though-excluded", "G-IKEV2-53", "keeps all SAs", { exclusion: "go on" }],
  ["stays-out-when-excluded", "G-IKEV2-53", "does not register again", { exclusion: "stay out" }],
];

const policies: readonly Row[] = [
  [
    "makes-child-sas-beside-groups",
    "G-IKEV2-06",
    "a Child SA on the IKE SA of a registration",
    { "Child SA on a registration SA": "make" },
  ],
  ["sends-without-sender-id", "G-IKEV2-48", "IVs without it", { "missing Sender-ID": "send without" }],
  ["does-without-sender-id", "G-IKEV2-48a", "does not ask", { "missing Sender-ID": "do without the SA" }],
  [
    "puts-other-addresses-into-tunnels",
    "G-IKEV2-77",
    "an inner source of its own",
    { "addresses in tunnel mode": "own" },
  ],
  [
    "takes-data-on-promised-spis",
    "G-IKEV2-91",
    "uses the keys that are there",
    { "promised SPI unannounced": "take with old keys" },
  ],
  ["sends-on-new-sas-at-once", "G-IKEV2-93", "no activation delay", { "activation delay": "none" }],
];

const others: readonly Lie[] = [
  lie("drops-group-errors-with-data", "G-IKEV2-103", "a refusal with data is no answer", () => ({
    ike: {
      incoming: ({ header, payloads }) =>
        header.exchangeType === EXCHANGE.GSA_AUTH && (errorNotify(payloads)?.data.length ?? 0) > 0
          ? "drop"
          : undefined,
    },
  })),
];

export const groupMemberLies: readonly Lie[] = [
  ...ports,
  ...[...rekeys, ...policies].map((row) => groupDecides(...row)),
  ...others,
];
