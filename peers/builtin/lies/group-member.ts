/** How a group member can break RFC 9838. */
import type { GroupDecisions } from "../../../harness/group/hooks.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { errorNotify, notifies } from "../../../harness/ike/payloads.ts";
import { u32 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { type Lie, lie } from "./lie.ts";
import { inMessage, without } from "./tools.ts";

/** A lie that is another decision of the member. */
const member = <P extends keyof GroupDecisions>(
  name: string,
  breaks: string,
  effect: string,
  point: P,
  answer: GroupDecisions[P],
): Lie => {
  const decide: Partial<{ [Q in keyof GroupDecisions]: GroupDecisions[Q] }> = { [point]: answer };
  return lie(name, breaks, effect, () => ({ group: { decide } }));
};

/** A lie in what asks for a group. */
const asking = (
  name: string,
  breaks: string,
  effect: string,
  change: (message: OutgoingMessage) => void,
): Lie => {
  const inAuth = inMessage(EXCHANGE.GSA_AUTH, change, "request");
  const later = inMessage(EXCHANGE.GSA_REGISTRATION, change, "request");
  return lie(name, breaks, effect, () => ({
    ike: {
      outgoing: (message) => {
        inAuth(message);
        later(message);
      },
    },
  }));
};

const senderIds = (message: OutgoingMessage): { data: Uint8Array; protocolId: number }[] =>
  notifies(message.payloads, NOTIFY.GROUP_SENDER);

const GDOI_PORT = 848;

const registrationLies: readonly Lie[] = [
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
  lie(
    "stays-on-port-848-behind-a-nat",
    "G-IKEV2-03",
    "GSA_AUTH goes to port 848 though there is a NAT",
    () => ({
      ike: { decide: { "NAT detected": "stay" } },
    }),
  ),
  asking("leaves-sag-out-on-port-848", "G-IKEV2-04", "SAg only on port 500", (message) => {
    if (message.sa?.remote.port === GDOI_PORT) without(PAYLOAD.SA)(message);
  }),
  member(
    "makes-child-sas-beside-groups",
    "G-IKEV2-06",
    "a Child SA on the IKE SA of a registration",
    "Child SA on a registration SA",
    "make",
  ),
  asking("asks-for-one-sender-id", "G-IKEV2-56", "one Sender-ID for all encryption modules", (message) => {
    for (const sender of senderIds(message)) sender.data = u32(1);
  }),
  member(
    "takes-any-policy",
    "G-IKEV2-11",
    "data under a policy that is forbidden",
    "unacceptable policy",
    "take it",
  ),
  lie("drops-group-errors-with-data", "G-IKEV2-103", "a refusal with data is no answer", () => ({
    ike: {
      incoming: ({ header, payloads }) =>
        header.exchangeType === EXCHANGE.GSA_AUTH && (errorNotify(payloads)?.data.length ?? 0) > 0
          ? "drop"
          : undefined,
    },
  })),
];

const stateLies: readonly Lie[] = [
  member("sends-as-a-receiver", "G-IKEV2-21", "ESP of who only receives", "sending of a receiver", "anyway"),
  member("delivers-its-own-traffic", "G-IKEV2-22", "a sender reads itself", "echo of a sender", "delivered"),
  member("sends-gsa-rekey-back", "G-IKEV2-23", "a member's GSA_REKEY", "GSA_REKEY that came", "send it back"),
  member(
    "takes-stale-initial-message-ids",
    "G-IKEV2-24",
    "goes back to old numbers",
    "stale GSA_INITIAL_MESSAGE_ID",
    "take",
  ),
  member(
    "keeps-old-sas-at-registration",
    "G-IKEV2-25",
    "SAs from before the last registration",
    "old SAs at registration",
    "keep",
  ),
  member(
    "takes-the-end-of-the-ike-sa-for-exclusion",
    "G-IKEV2-26",
    "no membership without IKE SA",
    "end of the IKE SA beside a Rekey SA",
    "excluded",
  ),
  member(
    "goes-on-without-ike-sa",
    "G-IKEV2-27",
    "takes data of a group that it is out of",
    "IKE SA without Rekey SA ends",
    "go on",
  ),
];

export const groupMemberLies: readonly Lie[] = [...registrationLies, ...stateLies];
