/** Lies about RFC 7383 fragmentation. */
import type { Decisions, OutgoingMessage, Sealer } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import { firstPayloadType } from "../../../harness/wire/index.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { NotifyPayload } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";
import { eachPayload, inMessage } from "./tools.ts";

const ANNOUNCEMENT = NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED;

const inAnnouncement = (change: (notify: NotifyPayload) => void): LieBehaviour => ({
  ike: {
    outgoing: inMessage(
      EXCHANGE.IKE_SA_INIT,
      eachPayload("Notify", (p) => {
        if (p.notifyType === ANNOUNCEMENT) change(p);
      }),
    ),
  },
});

const decides = <P extends keyof Decisions>(point: P, answer: Decisions[P]): LieBehaviour => {
  const decide: Partial<{ [Q in keyof Decisions]: Decisions[Q] }> = { [point]: answer };
  return { ike: { decide } };
};

/** A fragment before it is sealed, and the message it is cut from, whose header can be changed for each. */
interface Piece {
  index: number;
  number: number;
  total: number;
  innerType: number;
}

const bothAnnounced = (message: OutgoingMessage): boolean => message.sa?.announced.has(ANNOUNCEMENT) ?? false;

/** Of the plaintext in each fragment. */
const OCTETS = 400;

/** Cuts long messages itself, each piece changed. */
const cutting = (
  change: (piece: Piece, message: OutgoingMessage) => void,
  when = bothAnnounced,
): LieBehaviour => ({
  fragmentation: { chunk: Number.POSITIVE_INFINITY },
  ike: {
    split: (message, inner, seal) => {
      if (!when(message) || inner.length <= OCTETS) return undefined;
      const total = Math.ceil(inner.length / OCTETS);
      const first = firstPayloadType(message.payloads);
      const { header } = message;
      return Array.from({ length: total }, (_, index) => {
        const piece = { index, number: index + 1, total, innerType: index === 0 ? first : 0 };
        message.header = { ...header };
        change(piece, message);
        return seal(inner.subarray(index * OCTETS, (index + 1) * OCTETS), piece.innerType, piece);
      });
    },
  },
});

/** So many fragments of about the same length. */
function cutInto(
  total: number,
  { payloads }: OutgoingMessage,
  inner: Uint8Array,
  seal: Sealer,
): Uint8Array[] {
  const size = Math.ceil(inner.length / total);
  const first = firstPayloadType(payloads);
  return Array.from({ length: total }, (_, i) =>
    seal(inner.subarray(i * size, (i + 1) * size), i === 0 ? first : 0, { number: i + 1, total }),
  );
}

const sending = [
  lie("announces-fragmentation-with-data", "IKEFRAG-04", "one octet of data in the notify", () =>
    inAnnouncement((p) => {
      p.data = Uint8Array.of(1);
    }),
  ),
  lie("announces-fragmentation-for-esp", "IKEFRAG-04", "Protocol ID 3 in the notify", () =>
    inAnnouncement((p) => {
      p.protocolId = 3;
    }),
  ),
  lie("announces-fragmentation-unasked", "IKEFRAG-03", "the notify in every IKE_SA_INIT response", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        (message) => {
          if (!hasNotify(message.payloads, ANNOUNCEMENT)) message.payloads.push(notify(ANNOUNCEMENT));
        },
        "response",
      ),
    },
  })),
  lie("fragments-without-negotiation", "IKEFRAG-06", "SKF to a peer that announced nothing", () =>
    cutting(
      () => {},
      () => true,
    ),
  ),
  lie("numbers-fragments-from-zero", "IKEFRAG-18", "Fragment Number 0, 1, 2...", () =>
    cutting((piece) => {
      piece.number = piece.index;
    }),
  ),
  lie("names-the-first-payload-in-every-fragment", "IKEFRAG-17", "Next Payload not 0 behind fragment 1", () =>
    cutting((piece, message) => {
      piece.innerType = firstPayloadType(message.payloads);
    }),
  ),
  lie("names-no-first-payload", "IKEFRAG-16", "Next Payload 0 in fragment 1", () =>
    cutting((piece) => {
      piece.innerType = 0;
    }),
  ),
  lie("seals-all-fragments-with-one-iv", "IKEFRAG-14", "the same IV in all fragments", () =>
    cutting((_piece, message) => {
      message.seal.iv = new Uint8Array(message.sa?.suite?.encr.ivLength ?? 0);
    }),
  ),
  lie("cuts-repeats-into-fewer-fragments", "IKEFRAG-25", "larger fragments at each retransmission", () => {
    const cuts = new Map<number, number>();
    return {
      fragmentation: { chunk: Number.POSITIVE_INFINITY },
      ike: {
        decide: { retransmission: "sealed anew" },
        split: (message, inner, seal) => {
          const { messageId } = message.header;
          const before = cuts.get(messageId) ?? 0;
          if (!bothAnnounced(message) || message.isResponse) return undefined;
          cuts.set(messageId, before + 1);
          return cutInto(Math.max(1, 4 - before), message, inner, seal);
        },
      },
    };
  }),
  lie("counts-message-ids-in-fragments", "IKEFRAG-19", "another Message ID in each fragment", () =>
    cutting((piece, message) => {
      message.header.messageId += piece.index;
    }),
  ),
  lie("puts-a-payload-behind-skf", "IKEFRAG-15", "SKF is not the last payload", () => {
    const behind = Uint8Array.of(0, 0, 0, 8, 0, 0, 0xea, 0x60);
    return {
      fragmentation: { chunk: 400 },
      ike: {
        outgoing: (message) => {
          message.octets = (datagram) => [
            datagram[16] === PAYLOAD.SKF ? followedBy(datagram, behind) : datagram,
          ];
        },
      },
    };
  }),
];

/** Appends a Notify in clear behind the payloads. */
function followedBy(datagram: Uint8Array, payload: Uint8Array): Uint8Array {
  const longer = new Uint8Array(datagram.length + payload.length);
  longer.set(datagram);
  longer.set(payload, datagram.length);
  new DataView(longer.buffer).setUint32(24, longer.length);
  return longer;
}

const receiving = [
  lie("drops-fragments", "IKEFRAG-12", "never takes a fragmented message", () => decides("fragment", "drop")),
  lie("joins-fragments-in-reverse", "IKEFRAG-35", "puts the last fragment first", () =>
    decides("fragment reassembly", "reversed"),
  ),
  lie("acts-on-the-first-fragment", "IKEFRAG-49", "does not wait for the rest", () =>
    decides("fragment reassembly", "first fragment only"),
  ),
  lie("fails-at-duplicate-fragments", "IKEFRAG-32", "a duplicate throws the set away", () =>
    decides("duplicate fragment", "fail the set"),
  ),
  lie("fails-at-wrong-fragment-icv", "IKEFRAG-33", "a forged fragment throws the set away", () =>
    decides("wrong fragment ICV", "fail the set"),
  ),
  lie("keeps-the-smaller-total", "IKEFRAG-34", "ignores a set with a larger total", () =>
    decides("fragment total grows", "keep"),
  ),
  lie("restarts-at-a-smaller-total", "IKEFRAG-31", "takes a set with a smaller total", () =>
    decides("fragment total shrinks", "restart"),
  ),
  lie("takes-any-fragment-number", "IKEFRAG-30", "stores numbers 0 and above the total", () =>
    decides("fragment number", "any"),
  ),
  lie("closes-at-a-wrong-fragment-number", "IKEFRAG-30", "a forged number ends the IKE SA", () =>
    decides("fragment number", "close the IKE SA"),
  ),
  lie("answers-every-repeated-fragment", "IKEFRAG-42", "the response again for each fragment", () =>
    decides("retransmitted fragment", "every one"),
  ),
  lie("closes-at-skf-without-negotiation", "IKEFRAG-52", "an unexpected SKF ends the IKE SA", () =>
    decides("SKF without negotiation", "close the IKE SA"),
  ),
  lie("takes-only-fragments-once-fragmented", "IKEFRAG-12", "drops plain SK once SKF came", () => {
    let fragmented = false;
    return {
      ike: {
        incoming: ({ octets, protected: isProtected }) => {
          fragmented ||= octets[16] === PAYLOAD.SKF;
          return fragmented && isProtected && octets[16] !== PAYLOAD.SKF ? "drop" : undefined;
        },
      },
    };
  }),
];

export const fragmentationLies = [...sending, ...receiving];
