/** Lies about the order of messages: left out, repeated, held back, replayed, beside others that nobody asked for. */

import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { notify } from "../../harness/ike/payloads.ts";
import { sealMessage } from "../../harness/ike/sk.ts";
import { concat, EMPTY, hex } from "../../harness/wire/bytes.ts";
import { encodeChain, encodeMessage, firstPayloadType } from "../../harness/wire/index.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import { FLAG, type Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { MESSAGE_SKIP } from "../trace.ts";
import { anyOctets, aSide, bend, numberOr, octetsIn, type Side, sideOf, whole } from "./bend.ts";
import type { Draft, IkeOperator, LieContext } from "./operator.ts";

interface Row extends Pick<IkeOperator, "name" | "effect" | "demand" | "apply"> {
  /** Not set: a change without values. */
  draw?(dice: Dice, message: OutgoingMessage): Draft | undefined;
}

const ofSequence = ({ draw, ...row }: Row): IkeOperator => ({
  ...row,
  on: "ike",
  family: "sequence",
  draw: (message, dice) => (draw ? draw(dice, message) : {}),
});

const rhythm: Row[] = [
  {
    name: MESSAGE_SKIP,
    effect: "Does not send the message.",
    apply(_message, _change, { copies }) {
      copies(0);
      return true;
    },
  },
  {
    name: "message-repeat",
    effect: "Sends the message so many times.",
    draw: (dice) => ({ value: dice.pick([2, 3, 10, 50]) }),
    apply(_message, change, { copies }) {
      const times = whole(change, 2, 50);
      if (times === undefined) return false;
      copies(times);
      return true;
    },
  },
  {
    name: "message-hold",
    effect: "Sends the message behind our next one.",
    apply(_message, _change, { hold }) {
      hold();
      return true;
    },
  },
];

/** The datagrams of a message we sent; 0 is the last. */
const earlier = ({ sent }: LieContext, back: number): readonly Uint8Array[] | undefined =>
  sent[sent.length - 1 - back];

const replays: Row[] = [
  {
    name: "message-replay",
    effect: "Sends an earlier message of ours again, `before` or `after` this one; 0: the last.",
    draw: (dice) => ({ at: aSide(dice), value: dice.number(4) }),
    apply(_message, change, context) {
      const [side, back] = [sideOf(change), whole(change, 0, 63)];
      const octets = back === undefined ? undefined : earlier(context, back);
      if (!side || !octets || octets.length === 0) return false;
      for (const datagram of octets) context.also(datagram, side);
      return true;
    },
  },
  {
    name: "message-replace",
    effect: "Sends an earlier message of ours in the place of this one; 0: the last.",
    draw: (dice) => ({ value: dice.number(4) }),
    apply(message, change, context) {
      const back = whole(change, 0, 63);
      const octets = back === undefined ? undefined : earlier(context, back);
      if (!octets || octets.length === 0) return false;
      let first = true;
      bend(message, () => {
        const all = first ? [...octets] : [];
        first = false;
        return all;
      });
      return true;
    },
  },
  {
    name: "message-reflect",
    effect: "Gives the peer its request, or IKE_SA_INIT, back `before` or `after` our message.",
    draw: (dice) => ({ at: aSide(dice) }),
    apply({ sa, request }, change, { also }) {
      const side = sideOf(change);
      const own = sa?.role === "initiator" ? sa.initResponse : sa?.initRequest;
      const octets = request?.octets ?? own ?? EMPTY;
      if (!side || octets.length === 0) return false;
      also(octets, side);
      return true;
    },
  },
  {
    name: "message-init-again",
    effect: "Sends our IKE_SA_INIT once more, on the running SA.",
    draw: (dice, { sa }) => (sa?.keys ? { at: aSide(dice) } : undefined),
    apply({ sa }, change, { also }) {
      const side = sideOf(change);
      const octets = sa?.role === "initiator" ? sa.initRequest : sa?.initResponse;
      if (!side || !sa?.keys || !octets || octets.length === 0) return false;
      also(octets, side);
      return true;
    },
  },
];

/** An INFORMATIONAL message of ours beside the one at hand, sealed under the SA's keys; undefined while there are none. */
function extra(
  { core }: LieContext,
  { sa, header }: OutgoingMessage,
  { shift, isResponse }: { shift: number; isResponse: boolean },
  payloads: Payload[] = [],
): Uint8Array | undefined {
  if (!sa?.outbound) return undefined;
  const flags = (header.flags & FLAG.initiator) | (isResponse ? FLAG.response : 0);
  const messageId = (header.messageId + shift) >>> 0;
  const { spiI, spiR } = sa;
  const own = { ...header, spiI, spiR, exchangeType: EXCHANGE.INFORMATIONAL, flags, messageId };
  const type = firstPayloadType(payloads);
  return sealMessage(sa.outbound, core.random, own, [], encodeChain(payloads), type);
}

/** Sends such a message; false while there are no keys. */
function send(context: LieContext, octets: Uint8Array | undefined, side: Side | undefined): boolean {
  if (!octets || !side) return false;
  context.also(octets, side);
  return true;
}

const DELETE_IKE: Payload = { kind: "Delete", type: PAYLOAD.DELETE, protocolId: 1, spiSize: 0, spis: [] };

const unasked: Row[] = [
  {
    name: "message-response-unasked",
    effect: "Sends an INFORMATIONAL response unasked, its Message ID so far from ours.",
    draw: (dice, message) =>
      message.protected ? { at: aSide(dice), value: numberOr(dice, [0, 1, -1], 100) } : undefined,
    apply(message, change, context) {
      const shift = whole(change, -1000, 2 ** 31);
      if (shift === undefined) return false;
      return send(context, extra(context, message, { shift, isResponse: true }), sideOf(change));
    },
  },
  {
    name: "message-requests-ahead",
    effect: "Sends so many INFORMATIONAL requests beyond the window of one.",
    draw: (dice, message) =>
      message.protected ? { at: aSide(dice), value: dice.pick([1, 2, 8, 32]) } : undefined,
    apply(message, change, context) {
      const [count, side] = [whole(change, 1, 48), sideOf(change)];
      if (count === undefined || !side || !message.sa?.outbound) return false;
      for (let shift = 1; shift <= count; shift++)
        send(context, extra(context, message, { shift, isResponse: false }), side);
      return true;
    },
  },
  {
    name: "message-same-id",
    effect: "Sends an INFORMATIONAL message as well, under the same Message ID.",
    draw: (dice, message) => (message.protected ? { at: aSide(dice) } : undefined),
    apply(message, change, context) {
      const { isResponse } = message;
      return send(context, extra(context, message, { shift: 0, isResponse }), sideOf(change));
    },
  },
  {
    name: "message-delete-beside",
    effect: "Deletes the IKE SA by a request whose Message ID is so far from this one.",
    draw: (dice, message) => (message.protected ? { at: aSide(dice), value: dice.number(2) } : undefined),
    apply(message, change, context) {
      const shift = whole(change, -1000, 2 ** 31);
      if (shift === undefined) return false;
      return send(
        context,
        extra(context, message, { shift, isResponse: false }, [DELETE_IKE]),
        sideOf(change),
      );
    },
  },
  {
    name: "message-clear-beside",
    effect: "Sends the message in clear as well, its payloads right behind the same header.",
    draw: (dice, message) => (message.protected ? { at: aSide(dice) } : undefined),
    apply(message, change, { also }) {
      const side = sideOf(change);
      if (!side || !message.protected) return false;
      also(encodeMessage({ header: message.header, payloads: message.payloads }), side);
      return true;
    },
  },
  {
    name: "message-notify-in-clear",
    effect: "Sends a notification of this type in clear, exchange and Message ID the same.",
    draw: (dice) => ({ at: aSide(dice), value: dice.pick([...Object.values(NOTIFY)]) }),
    apply(message, change, { also }) {
      const [type, side] = [whole(change, 0, 0xffff), sideOf(change)];
      if (type === undefined || !side) return false;
      const { nextPayload: _type, length: _length, ...header } = message.header;
      also(encodeMessage({ header, payloads: [notify(type)] }), side);
      return true;
    },
  },
];

const STRAYS = [
  "",
  "00",
  "ff",
  "ffffffff",
  "00000000",
  "00000000ff",
  "00000001",
  "00".repeat(27),
  "00".repeat(28),
  "ff".repeat(28),
];

const datagrams: Row[] = [
  {
    name: "datagram-stray",
    effect: "Sends these octets as a datagram of their own.",
    draw: (dice) => ({
      at: aSide(dice),
      octets: dice.chance(0.7) ? dice.pick(STRAYS) : hex(anyOctets(dice, dice.number(64))),
    }),
    apply(_message, change, { also }) {
      const side = sideOf(change);
      if (!side) return false;
      also(octetsIn(change), side);
      return true;
    },
  },
  {
    name: "datagram-marker",
    effect: "Puts so many non-ESP markers in front of the message, beside the one that is due.",
    draw: (dice) => ({ value: 1 + dice.number(3) }),
    apply(message, change) {
      const count = whole(change, 1, 100);
      if (count === undefined) return false;
      bend(message, (datagram) => [concat(new Uint8Array(4 * count), datagram)]);
      return true;
    },
  },
];

export const sequenceOperators: readonly IkeOperator[] = [
  ...rhythm,
  ...replays,
  ...unasked,
  ...datagrams,
].map(ofSequence);
