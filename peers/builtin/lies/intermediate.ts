/** Lies about IKE_INTERMEDIATE: what AUTH covers of it is in `int-auth.ts`. */

import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { errorNotify, hasNotify, notifies, notify } from "../../../harness/ike/payloads.ts";
import { sendResponse } from "../../../harness/ike/send.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import type { NotifyPayload, Payload } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";
import { decides, eachPayload, inMessage } from "./tools.ts";

const ANNOUNCEMENT = NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;

const isAnnouncement = (p: Payload): p is NotifyPayload =>
  p.kind === "Notify" && p.notifyType === ANNOUNCEMENT;

const inAnnouncement = (change: (notify: NotifyPayload) => void): LieBehaviour => ({
  ike: {
    outgoing: inMessage(
      EXCHANGE.IKE_SA_INIT,
      eachPayload("Notify", (p) => {
        if (isAnnouncement(p)) change(p);
      }),
    ),
  },
});

const leaveOutAnnouncement = (message: OutgoingMessage): void => {
  message.payloads = message.payloads.filter((p) => !isAnnouncement(p));
};

const negotiation = [
  lie("announces-intermediate-with-data", "INT-03", "one octet of data in the notify", () =>
    inAnnouncement((p) => {
      p.data = Uint8Array.of(1);
    }),
  ),
  lie("announces-intermediate-for-a-protocol", "INT-03", "Protocol ID 1 in the notify", () =>
    inAnnouncement((p) => {
      p.protocolId = PROTOCOL.IKE;
    }),
  ),
  lie("announces-intermediate-unasked", "INT-02", "the notify in every IKE_SA_INIT response", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        ({ payloads }) => {
          if (!hasNotify(payloads, ANNOUNCEMENT)) payloads.push(notify(ANNOUNCEMENT));
        },
        "response",
      ),
    },
  })),
  lie("overlooks-announcements-with-data", "INT-04", "a notify with data negotiates nothing", () => ({
    ike: {
      incoming: (message) => {
        message.payloads = message.payloads.filter((p) => !isAnnouncement(p) || p.data.length === 0);
        return undefined;
      },
    },
  })),
  lie("announces-intermediate-once", "INT-01", "no notify in the request that returns a cookie", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        (message) => {
          if (notifies(message.payloads, NOTIFY.COOKIE).length > 0) leaveOutAnnouncement(message);
        },
        "request",
      ),
    },
  })),
];

const inIntermediate = (
  change: (message: OutgoingMessage) => void,
  which?: "request" | "response",
): LieBehaviour => ({
  ike: { outgoing: inMessage(EXCHANGE.IKE_INTERMEDIATE, change, which) },
});

/** Answers with nothing what the initiator must not be asked. */
const answersAsInitiator = (): LieBehaviour => ({
  ike: {
    incoming: (message, core) => {
      const { sa, header, isResponse } = message;
      const asked = header.exchangeType === EXCHANGE.IKE_INTERMEDIATE && !isResponse;
      if (asked && sa?.role === "initiator") sendResponse(core, sa, message, []);
      return undefined;
    },
  },
});

/** Serves CREATE_CHILD_SA before IKE_AUTH. */
const establishesEarly = (): LieBehaviour => ({
  ike: {
    incoming: ({ sa, header }) => {
      if (sa && header.exchangeType === EXCHANGE.CREATE_CHILD_SA && !sa.established) sa.state = "established";
      return undefined;
    },
  },
});

const course = [
  lie("sends-intermediate-in-clear", "INT-13", "IKE_INTERMEDIATE without SK", () =>
    inIntermediate((message) => {
      message.protected = false;
    }),
  ),
  lie("puts-key-exchanges-in-front-of-sk", "INT-14", "KE in clear", () =>
    inIntermediate((message) => {
      message.clear = message.payloads.filter((p) => p.kind === "KE");
      message.payloads = message.payloads.filter((p) => p.kind !== "KE");
    }),
  ),
  lie("begins-intermediate-with-message-id-2", "INT-10", "Message IDs 2, 3...", () =>
    inIntermediate(({ header }) => {
      header.messageId++;
    }, "request"),
  ),
  lie("gives-ike-auth-the-last-message-id", "INT-10a", "the Message ID of the last exchange again", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        ({ header }) => {
          header.messageId--;
        },
        "request",
      ),
    },
  })),
  decides(
    "begins-ike-auth-beside-intermediate",
    "INT-08",
    "IKE_AUTH before the response to IKE_INTERMEDIATE",
    { "IKE_AUTH beside IKE_INTERMEDIATE": "at once", window: "unbounded" },
  ),
  decides("takes-requests-with-any-message-id", "INT-11", "a response to whatever Message ID", {
    "message id out of window": "process",
    "forgotten request": "answer anew",
    "retransmitted request": "answer anew",
  }),
  decides("takes-responses-with-any-message-id", "INT-11", "a response answers whatever is asked", {
    "Message ID of a response": "any",
  }),
  decides(
    "answers-any-number-of-intermediate-exchanges",
    "INT-32",
    "a response to each IKE_INTERMEDIATE, however many came",
    { "IKE_INTERMEDIATE beyond the last round": "answer" },
  ),
  decides("answers-intermediate-between-eap-rounds", "INT-28", "IKE_INTERMEDIATE after IKE_AUTH has begun", {
    "IKE_INTERMEDIATE between rounds of EAP": "answer",
    "IKE_INTERMEDIATE beyond the last round": "answer",
  }),
  lie("answers-intermediate-as-initiator", "INT-28", "an answer to IKE_INTERMEDIATE of the responder", () =>
    answersAsInitiator(),
  ),
  decides("gives-up-at-a-wrong-icv", "INT-28", "a forged message ends the IKE SA", {
    "wrong ICV": "close the IKE SA",
  }),
  lie("overlooks-errors-in-intermediate", "INT-28", "an error in a response is no error", () => ({
    ike: {
      incoming: (message) => {
        const { header, isResponse, payloads } = message;
        if (isResponse && header.exchangeType === EXCHANGE.IKE_INTERMEDIATE)
          message.payloads = payloads.filter((p) => p !== errorNotify(payloads));
        return undefined;
      },
    },
  })),
  lie("serves-child-sas-before-ike-auth", "INT-09", "a Child SA without IKE_AUTH", () => establishesEarly()),
];

export const intermediateLies = [...negotiation, ...course];
