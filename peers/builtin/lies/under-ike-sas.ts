/** Lies about what goes on under an IKE SA: windows, hints of strangers, half-closed Child SAs, SPIs. */
import type { ChildSa } from "../../../harness/ike/child.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import { equal, hex } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import type { DeletePayload, Payload, Proposal } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { decides, eachPayload, inMessage } from "./tools.ts";

const deletesIn = (payloads: Payload[]): DeletePayload[] =>
  payloads.filter((p): p is DeletePayload => p.kind === "Delete");

/** Takes a Child SA that a Delete names for one of the IKE SA that the Delete came under. */
function honourForeignDeletes(): LieBehaviour {
  const known: ChildSa[] = [];
  const adopt = (sa: ChildSa["ike"], spi: Uint8Array): void => {
    const child = known.find((c) => c.state === "installed" && equal(c.spiOut, spi));
    if (!child || child.ike === sa) return;
    child.ike.children.splice(child.ike.children.indexOf(child), 1);
    child.ike = sa;
    sa.children.push(child);
  };
  return {
    ike: {
      childEstablished: (child) => void known.push(child),
      incoming: ({ sa, isResponse, payloads }) => {
        const named = isResponse ? [] : deletesIn(payloads).flatMap((d) => d.spis);
        if (sa) for (const spi of named) adopt(sa, spi);
        return undefined;
      },
    },
  };
}

/** Changes what it offers or chooses of this protocol. */
const inProposals = (
  protocolId: number,
  change: (proposal: Proposal, message: OutgoingMessage) => Proposal,
): ((message: OutgoingMessage) => void) => {
  return (message) =>
    eachPayload("SA", (sa) => {
      sa.proposals = sa.proposals.map((p) => (p.protocolId === protocolId ? change(p, message) : p));
    })(message);
};

/** Gives later Child SAs the SPI of the first one that it deleted. */
function reuseSpi(): LieBehaviour {
  let free: Uint8Array | undefined;
  const again = inProposals(PROTOCOL.ESP, (p) => ({ ...p, spi: free ?? p.spi }));
  return {
    ike: {
      outgoing: (message) => {
        again(message);
        const esp = deletesIn(message.payloads).find((d) => d.protocolId === PROTOCOL.ESP);
        free ??= message.isResponse ? undefined : esp?.spis[0];
      },
    },
  };
}

const childLies: Lie[] = [
  lie(
    "honours-deletes-under-another-ike-sa",
    "IKEV2-035",
    "a Child SA ends by a Delete on an IKE SA that is not its own",
    honourForeignDeletes,
  ),
  lie("reuses-the-spi-of-a-deleted-child-sa", "IKEV2-045", "an SPI that is still in use", reuseSpi),
];

const twice = (message: OutgoingMessage): void => {
  if (message.isResponse) message.octets = (datagram) => [datagram, datagram];
};

const exchangeLies: Lie[] = [
  lie("sends-its-responses-twice", "IKEV2-054", "each response twice, though it was asked once", () => ({
    ike: { outgoing: inMessage(EXCHANGE.INFORMATIONAL, twice) },
  })),
  lie("announces-its-window-in-two-octets", "IKEV2-067", "SET_WINDOW_SIZE with two octets", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, ({ payloads }) => {
        payloads.push(notify(NOTIFY.SET_WINDOW_SIZE, Uint8Array.of(0, 1)));
      }),
    },
  })),
  decides(
    "reports-every-message-id-above-its-window",
    "IKEV2-075",
    "INVALID_MESSAGE_ID for each request that it drops",
    { "message id out of window": "complain each time" },
  ),
  decides("checks-liveness-at-every-hint", "IKEV2-082", "a liveness check for each unprotected message", {
    "unprotected message": "check liveness each time",
  }),
  lie("offers-the-spi-of-the-old-ike-sa", "IKEV2-101", "one SPI for an IKE SA and its successor", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.CREATE_CHILD_SA,
        inProposals(PROTOCOL.IKE, (p, { sa }) => ({ ...p, spi: sa?.ownSpi ?? p.spi })),
      ),
    },
  })),
];

/** Refuses for good an initiator that has had a cookie of it and comes without. */
function insistOnCookies(): LieBehaviour {
  const served = new Set<string>();
  return {
    ike: {
      incoming: ({ header, isResponse, payloads }) => {
        const begins = header.exchangeType === EXCHANGE.IKE_SA_INIT && !isResponse;
        if (!begins) return undefined;
        const initiator = hex(header.spiI);
        if (hasNotify(payloads, NOTIFY.COOKIE)) served.add(initiator);
        else if (served.has(initiator)) return "drop";
        return undefined;
      },
    },
  };
}

const initLies: Lie[] = [
  lie(
    "refuses-whoever-forgets-its-cookie",
    "IKEV2-112",
    "no answer to a further request without cookie",
    insistOnCookies,
  ),
];

export const underIkeSaLies: readonly Lie[] = [...childLies, ...exchangeLies, ...initLies];
