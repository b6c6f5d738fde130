/** Lies about Message IDs, retransmission, versions, critical payloads and other rules of every exchange. */
import type { IncomingMessage } from "../../../harness/ike/hooks.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { inMessage } from "./tools.ts";

/** Takes no notice of messages. */
const deaf = (to: (message: IncomingMessage) => boolean): LieBehaviour => ({
  ike: { incoming: (message) => (to(message) ? "drop" : undefined) },
});

/** Seals each retransmission anew and gives it the next Message ID. */
function countRetransmissions(): LieBehaviour {
  const sent = new Map<string, number>();
  return {
    ike: {
      decide: { retransmission: "sealed anew" },
      outgoing: ({ header, isResponse }) => {
        if (isResponse) return;
        const key = `${header.exchangeType} ${header.messageId}`;
        const copies = sent.get(key) ?? 0;
        sent.set(key, copies + 1);
        header.messageId += copies;
      },
    },
  };
}

const repeatLies: Lie[] = [
  lie("answers-repeats-anew", "IKEV2-055", "a repeated request is processed a second time", () => ({
    ike: { decide: { "retransmitted request": "answer anew" } },
  })),
  lie("ignores-repeats", "IKEV2-056", "no answer to a repeated request", () => ({
    ike: { decide: { "retransmitted request": "ignore" } },
  })),
  lie("answers-forgotten-requests", "IKEV2-057", "an answer to the repeat of an old request", () => ({
    ike: { decide: { "forgotten request": "answer anew" } },
  })),
  lie("finds-half-open-sas-by-spi-and-address", "IKEV2-061", "another's response for the same SPIi", () => ({
    ike: { decide: { "half-open SA": "found by SPIi and address" } },
  })),
  lie("never-retransmits", "IKEV2-058", "each request only once", () => ({
    ike: { decide: { retransmission: "never" } },
  })),
  lie(
    "counts-retransmissions",
    "IKEV2-062",
    "another Message ID in each retransmission",
    countRetransmissions,
  ),
  lie("retransmits-at-a-constant-pace", "IKEV2-083", "the same wait before each retransmission", () => ({
    ike: { decide: { "retransmission interval": "stays" } },
  })),
];

const messageIdLies: Lie[] = [
  lie("answers-with-the-next-message-id", "IKEV2-064", "Message ID + 1 in INFORMATIONAL responses", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.INFORMATIONAL,
        ({ header }) => {
          header.messageId += 1;
        },
        "response",
      ),
    },
  })),
  lie("skips-message-ids", "IKEV2-063", "every second Message ID", () => ({
    ike: {
      outgoing: ({ sa, isResponse }) => {
        if (sa && !isResponse) sa.nextMessageId += 1;
      },
    },
  })),
  lie("shares-one-message-id-counter", "IKEV2-065", "own requests counted on from the peer's", () => ({
    ike: {
      childEstablished: ({ ike }) => {
        if (ike.role === "responder") ike.nextMessageId = Math.max(ike.nextMessageId, 2);
      },
    },
  })),
  lie("sends-requests-at-once", "IKEV2-069", "a second request while the first is unanswered", () => ({
    ike: { decide: { window: "unbounded" } },
  })),
  lie("answers-nothing-while-it-waits", "IKEV2-071", "no response while an own request is open", () =>
    deaf(({ isResponse, sa }) => !isResponse && sa?.pending !== undefined),
  ),
  lie("answers-above-its-window", "IKEV2-074", "a response to any Message ID", () => ({
    ike: { decide: { "message id out of window": "process" } },
  })),
];

export const exchangeRuleLies: readonly Lie[] = [...repeatLies, ...messageIdLies];
