/** Lies about Message IDs, retransmission, versions, critical payloads and other rules of every exchange. */
import type { ChildSa } from "../../../harness/ike/child.ts";
import { deletePayload } from "../../../harness/ike/exchanges/informational.ts";
import type { IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { isKnown } from "../../../harness/ike/syntax.ts";
import { equal } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { type DeletePayload, FLAG, type Header, type Payload } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { eachPayload, inMessage } from "./tools.ts";

type Change = (message: OutgoingMessage) => void;

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

const isInformational = ({ header }: { header: Header }): boolean =>
  header.exchangeType === EXCHANGE.INFORMATIONAL;

const deletesOf = (payloads: Payload[]): DeletePayload[] =>
  payloads.filter((p): p is DeletePayload => p.kind === "Delete");

/** The Child SA that a Delete of the peer names. */
const namedChild = (sa: IkeSa | undefined, d: DeletePayload): ChildSa | undefined =>
  sa?.children.find((c) => d.spis.some((spi) => equal(spi, c.spiOut)));

/** Takes an IKE SA for established as soon as an INFORMATIONAL request comes. */
const obeysEarly = (): LieBehaviour => ({
  ike: {
    incoming: (message) => {
      if (isInformational(message) && !message.isResponse && message.sa) message.sa.state = "established";
      return undefined;
    },
  },
});

/** Sends nothing where it should send a Delete of its own. */
const silentDelete: Change = (message) => {
  if (deletesOf(message.payloads).length > 0) message.octets = () => [];
};

const bothSpis: Change = ({ sa, payloads }) => {
  for (const d of deletesOf(payloads)) {
    const pair = sa?.children.filter((c) => d.spis.some((spi) => equal(spi, c.spiIn))) ?? [];
    d.spis = [...d.spis, ...pair.map((c) => c.spiOut)];
  }
};

const spiOfIke: Change = ({ sa, payloads }) => {
  for (const d of deletesOf(payloads)) {
    if (!sa || d.protocolId !== PROTOCOL.IKE) continue;
    d.spiSize = 8;
    d.spis = [sa.ownSpi];
  }
};

/** Names its SPI in the response to a Delete that crosses its own. */
function deleteTwice(): LieBehaviour {
  let crossed: ChildSa | undefined;
  return {
    ike: {
      incoming: ({ sa, isResponse, payloads }) => {
        const [named] = deletesOf(payloads).flatMap((d) => namedChild(sa, d) ?? []);
        crossed = !isResponse && sa?.pending ? named : undefined;
        return undefined;
      },
      outgoing: ({ isResponse, payloads }) => {
        if (isResponse && crossed && payloads.length === 0)
          payloads.push(deletePayload(PROTOCOL.ESP, [crossed.spiIn]));
      },
    },
  };
}

const informationalLies: Lie[] = [
  lie("ignores-liveness-checks", "IKEV2-036", "no answer to an empty INFORMATIONAL", () =>
    deaf((message) => isInformational(message) && !message.isResponse && message.payloads.length === 0),
  ),
  lie("answers-liveness-with-an-error", "IKEV2-036", "INVALID_SYNTAX for an empty INFORMATIONAL", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.INFORMATIONAL,
        ({ payloads, request }) => {
          if (request?.payloads.length === 0) payloads.push(notify(NOTIFY.INVALID_SYNTAX));
        },
        "response",
      ),
    },
  })),
  lie("ignores-unknown-informational-requests", "IKEV2-036", "no answer to an unknown notify", () =>
    deaf(({ payloads }) => payloads.some((p) => p.kind === "Notify" && p.notifyType === 60_001)),
  ),
  lie("obeys-messages-in-clear", "IKEV2-034", "processes what is not protected", () => ({
    ike: { decide: { "unprotected message": "process" } },
  })),
  lie("obeys-before-ike-auth", "IKEV2-034", "an INFORMATIONAL before IKE_AUTH ends the SA", obeysEarly),
];

const deleteLies: Lie[] = [
  lie("answers-delete-with-both-spis", "IKEV2-040", "both SPIs in the answer to a Delete", () => ({
    ike: { decide: { "Delete of a Child SA": "answer both SPIs" } },
  })),
  lie("answers-delete-without-its-spi", "IKEV2-041", "an empty answer to a Delete", () => ({
    ike: { decide: { "Delete of a Child SA": "answer without Delete" } },
  })),
  lie("keeps-a-deleted-child-sa", "IKEV2-039", "ESP goes on after a Delete", () => ({
    ike: { decide: { "Delete of a Child SA": "keep the SA" } },
  })),
  lie("keeps-a-deleted-ike-sa", "IKEV2-039", "the IKE SA goes on after its Delete", () => ({
    ike: { decide: { "Delete of the IKE SA": "keep the SA" } },
  })),
  lie(
    "answers-ike-delete-with-delete",
    "IKEV2-044",
    "a Delete in the answer to a Delete of the IKE SA",
    () => ({
      ike: { decide: { "Delete of the IKE SA": "answer with Delete" } },
    }),
  ),
  lie("deletes-in-silence", "IKEV2-087", "no Delete on the wire for an SA that it ends", () => ({
    ike: { outgoing: inMessage(EXCHANGE.INFORMATIONAL, silentDelete, "request") },
  })),
  lie("names-both-spis-of-a-pair", "IKEV2-040", "a Delete of both directions' SPIs", () => ({
    ike: { outgoing: inMessage(EXCHANGE.INFORMATIONAL, bothSpis, "request") },
  })),
  lie("names-the-spi-of-the-ike-sa", "IKEV2-274", "an SPI in the Delete of an IKE SA", () => ({
    ike: { outgoing: inMessage(EXCHANGE.INFORMATIONAL, spiOfIke, "request") },
  })),
  lie("ignores-deletes-of-unknown-sas", "IKEV2-036", "no answer to the Delete of an unknown SPI", () =>
    deaf(({ sa, isResponse, payloads }) =>
      deletesOf(payloads).some((d) => !isResponse && d.protocolId === PROTOCOL.ESP && !namedChild(sa, d)),
    ),
  ),
  lie(
    "answers-a-crossing-delete-with-delete",
    "IKEV2-043",
    "a Delete in the answer when Deletes cross",
    deleteTwice,
  ),
];

/** Changes answers in clear outside of any IKE SA. */
const outsideOfSa = (change: Change): LieBehaviour => ({
  ike: {
    outgoing: (message) => {
      if (!message.sa && message.header.exchangeType !== EXCHANGE.IKE_SA_INIT) change(message);
    },
  },
});

const outsideLies: Lie[] = [
  lie("answers-unknown-spis-with-message-id-zero", "IKEV2-049", "Message ID 0 instead of the request's", () =>
    outsideOfSa(({ header }) => {
      header.messageId = 0;
    }),
  ),
  lie("answers-unknown-spis-with-invalid-syntax", "IKEV2-197", "INVALID_SYNTAX for an unknown SPI", () =>
    outsideOfSa((message) => {
      message.payloads = [notify(NOTIFY.INVALID_SYNTAX)];
    }),
  ),
  lie("answers-stray-responses", "IKEV2-196", "INVALID_IKE_SPI in answer to a response", () => ({
    ike: { decide: { "unexpected response": "answer" } },
  })),
  lie("answers-one-way-invalid-spi", "IKEV2-047", "INVALID_IKE_SPI in answer to INVALID_SPI", () => ({
    ike: { decide: { "one-way INVALID_SPI": "answer" } },
  })),
];

/** Changes every message. */
const always = (change: Change): LieBehaviour => ({ ike: { outgoing: change } });

const setsFlag = (flag: number): LieBehaviour =>
  always(({ header }) => {
    header.flags |= flag;
  });

/** True if the payloads do not stand as in the diagrams of section 1.2. */
function isUnordered(payloads: Payload[]): boolean {
  const at = (kind: Payload["kind"]) => payloads.findIndex((p) => p.kind === kind);
  const [sa, nonce, ts] = [at("SA"), at("Nonce"), at("TS")];
  return sa >= 0 && ((nonce >= 0 && nonce < sa) || (ts >= 0 && ts < sa));
}

const versionLies: Lie[] = [
  lie("sends-a-minor-version", "IKEV2-226", "version 2.1", () =>
    always(({ header }) => {
      header.version = 0x21;
    }),
  ),
  lie("sets-the-version-flag", "IKEV2-229", "the V flag", () => setsFlag(FLAG.version)),
  lie("sets-an-unknown-flag", "IKEV2-227", "a reserved bit of the flags octet", () => setsFlag(0x40)),
  lie("sets-reserved-bits-of-payloads", "IKEV2-093", "reserved bits beside C", () =>
    always(({ payloads }) => {
      for (const p of payloads) p.reserved = 1;
    }),
  ),
  lie("sets-reserved-octets-of-transforms", "IKEV2-093", "the octet beside Transform Type", () =>
    always(
      eachPayload("SA", (sa) => {
        for (const transform of sa.proposals.flatMap((p) => p.transforms)) transform.reserved2 = 1;
      }),
    ),
  ),
  lie("sets-the-critical-bit", "IKEV2-097", "C on every payload", () =>
    always(({ payloads }) => {
      for (const p of payloads) p.critical = true;
    }),
  ),
  lie("refuses-larger-minor-versions", "IKEV2-089", "no answer to version 2.15", () =>
    deaf(({ header }) => (header.version & 15) > 0),
  ),
  lie("processes-higher-major-versions", "IKEV2-090", "version 3.0 taken for 2.0", () => ({
    ike: { decide: { "higher major version": "process" } },
  })),
  lie(
    "echoes-the-higher-major-version",
    "IKEV2-091",
    "INVALID_MAJOR_VERSION in a message of version 3.0",
    () =>
      always(({ header, payloads }) => {
        if (hasNotify(payloads, NOTIFY.INVALID_MAJOR_VERSION)) header.version = 0x30;
      }),
  ),
  lie("refuses-unknown-flags", "IKEV2-228", "no answer to a reserved flag", () =>
    deaf(({ header }) => (header.flags & ~(FLAG.initiator | FLAG.version | FLAG.response)) !== 0),
  ),
  lie("refuses-reserved-bits-of-payloads", "IKEV2-094", "no answer to reserved bits beside C", () =>
    deaf(({ payloads }) => payloads.some((p) => p.reserved !== undefined)),
  ),
  lie("insists-on-the-order-of-payloads", "IKEV2-100", "no answer to payloads in another order", () =>
    deaf(({ payloads }) => isUnordered(payloads)),
  ),
];

const unknownLies: Lie[] = [
  lie("drops-messages-with-unknown-payloads", "IKEV2-095", "no answer to a payload of unknown type", () =>
    deaf(({ payloads }) => payloads.some((p) => !isKnown(p))),
  ),
  lie("skips-unknown-critical-payloads", "IKEV2-096", "C on an unknown payload without effect", () => ({
    ike: { decide: { "unknown critical payload": "skip" } },
  })),
  lie(
    "names-no-type-of-a-critical-payload",
    "IKEV2-096",
    "UNSUPPORTED_CRITICAL_PAYLOAD without its octet",
    () =>
      always(
        eachPayload("Notify", (n) => {
          if (n.notifyType === NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD) n.data = new Uint8Array();
        }),
      ),
  ),
];

const generalLies: Lie[] = [
  lie("drops-messages-over-1200-octets", "IKEV2-050", "no answer to a message of 1280 octets", () =>
    deaf(({ octets }) => octets.length > 1200),
  ),
  lie("omits-the-non-esp-marker", "IKEV2-052", "IKE on port 4500 without its marker", () => ({
    ike: { decide: { "non-ESP marker": "left out" } },
  })),
  lie("sends-initial-contact-anywhere", "IKEV2-078", "INITIAL_CONTACT in INFORMATIONAL", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.INFORMATIONAL, ({ payloads }) => {
        payloads.push(notify(NOTIFY.INITIAL_CONTACT));
      }),
    },
  })),
  lie("goes-deaf-after-an-error-in-clear", "IKEV2-080", "no answer to anybody after a forged error", () => {
    let lost = false;
    return deaf(({ protected: sealed, isResponse, payloads }) => {
      lost ||= isResponse && !sealed && hasNotify(payloads, NOTIFY.NO_PROPOSAL_CHOSEN);
      return lost;
    });
  }),
  lie("gives-every-ike-sa-the-same-spi", "IKEV2-101", "one SPIr for all", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        ({ header }) => {
          header.spiR = new Uint8Array(8).fill(0x77);
        },
        "response",
      ),
    },
  })),
];

export const exchangeRuleLies: readonly Lie[] = [
  ...repeatLies,
  ...messageIdLies,
  ...informationalLies,
  ...deleteLies,
  ...outsideLies,
  ...versionLies,
  ...unknownLies,
  ...generalLies,
];
