/** Lies about fragments (RFC 7383): the message is cut into Encrypted Fragment payloads here, whatever was agreed. */
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { sealMessage } from "../../harness/ike/sk.ts";
import { concat, hex } from "../../harness/wire/bytes.ts";
import { encodeChain, firstPayloadType } from "../../harness/wire/index.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import {
  anyOctets,
  aSide,
  bend,
  MOST_DATAGRAMS,
  numberOr,
  octetsIn,
  type Side,
  sideOf,
  turnBit,
  whole,
} from "./bend.ts";
import type { Demand, Draft, IkeOperator } from "./operator.ts";

/** What a fragment is to be sealed from. */
interface Fragment {
  number: number;
  total: number;
  /** Next Payload: of the first inner payload in fragment 1, else 0. */
  type: number;
  chunk: Uint8Array;
  /** Added to the Message ID. */
  shift?: number;
  /** A bit of the ICV is turned. */
  forged?: true;
  /** The whole message, in SK. */
  whole?: true;
  /** With the payloads that stand in clear in front of fragment 1. */
  clear?: true;
  /** With a Vendor ID in clear. */
  vendor?: true;
}

interface Row extends Pick<IkeOperator, "name" | "effect" | "demand"> {
  /** Not set: a change without values. */
  draw?(dice: Dice): Draft;
  /** Number of fragments that the message is cut into; not set: 4. */
  pieces?(change: Draft): number | undefined;
  /** What becomes of the fragments of an honest sender; undefined if the change does not fit. */
  becomes(honest: Fragment[], change: Draft): Fragment[] | undefined;
}

const PIECES = 4;
const VENDOR: Payload = { kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: new Uint8Array(16) };
const bySetRules: Demand = { document: "rfc7383", requirement: "IKEFRAG-30", never: "answer" };

function honestly(inner: Uint8Array, pieces: number, type: number): Fragment[] {
  const size = Math.max(1, Math.ceil(inner.length / pieces));
  return Array.from({ length: pieces }, (_, at) => ({
    number: at + 1,
    total: pieces,
    type: at === 0 ? type : 0,
    chunk: inner.subarray(at * size, (at + 1) * size),
    ...(at === 0 && { clear: true as const }),
  }));
}

function sealedFragment(core: Core, message: OutgoingMessage, fragment: Fragment): Uint8Array[] {
  const keys = message.sa?.outbound;
  if (!keys) return [];
  const { number, total, type, chunk, shift = 0 } = fragment;
  const messageId = (message.header.messageId + shift) >>> 0;
  // Padding that was made for the whole message does not fit its parts.
  const { padding: _padding, ...seal } = message.seal;
  return [
    sealMessage(
      keys,
      core.random,
      { ...message.header, messageId },
      [...(fragment.clear ? message.clear : []), ...(fragment.vendor ? [VENDOR] : [])],
      chunk,
      type,
      { ...seal, ...(fragment.forged && { icv: (icv) => turnBit(icv, 0) }) },
      fragment.whole ? undefined : { number, total },
    ),
  ];
}

const ofFragments = ({ draw, pieces, becomes, ...row }: Row): IkeOperator => ({
  ...row,
  on: "ike",
  family: "fragment",
  draw: (message, dice) => (message.protected ? (draw ? draw(dice) : {}) : undefined),
  apply(message, change, { core }) {
    const count = pieces ? pieces(change) : PIECES;
    if (!message.sa?.outbound || !message.protected || count === undefined) return false;
    if (!becomes(honestly(new Uint8Array(64), count, PAYLOAD.NOTIFY), change)) return false;
    let sent = false;
    bend(message, () => {
      if (sent) return [];
      sent = true;
      const honest = honestly(encodeChain(message.payloads), count, firstPayloadType(message.payloads));
      const all = becomes(honest, change) ?? honest;
      return all.slice(0, MOST_DATAGRAMS).flatMap((fragment) => sealedFragment(core, message, fragment));
    });
    return true;
  },
});

/** The fragments with the one at `at`, counted in circles, changed. */
const changed = (honest: Fragment[], at: number, changes: Partial<Fragment>): Fragment[] =>
  honest.map((fragment, place) => (place === at % honest.length ? { ...fragment, ...changes } : fragment));

/** With another one in front of the one at `at`, or behind it. */
function beside(
  honest: Fragment[],
  at: number,
  other: (fragment: Fragment) => Fragment,
  side: Side,
): Fragment[] {
  return honest.flatMap((fragment, place) => {
    if (place !== at % honest.length) return [fragment];
    return side === "before" ? [other(fragment), fragment] : [fragment, other(fragment)];
  });
}

const TOTALS = [0, 5, 6, 255, 256, 0x7fff, 0xffff];

/** Rows that write a number into one fragment, which `at` counts from 0. */
const ofOne = (
  name: string,
  effect: string,
  numbers: readonly number[],
  changes: (value: number) => Partial<Fragment>,
  most = 0xffff,
): Row => ({
  name,
  effect,
  draw: (dice) => ({ at: String(dice.number(PIECES)), value: numberOr(dice, numbers, most + 1) }),
  becomes(honest, change) {
    const [at, value] = [place(change), whole(change, 0, most)];
    if (at === undefined || value === undefined) return undefined;
    const { number, total } = honest[at % honest.length] ?? {};
    const { number: newNumber = number, total: newTotal = total, shift = 0 } = changes(value);
    if (number === newNumber && total === newTotal && shift === 0) return undefined;
    return changed(honest, at, changes(value));
  },
});

const place = ({ at = "" }: Draft): number | undefined => (/^\d{1,3}$/.test(at) ? Number(at) : undefined);

const cuts: Row[] = [
  {
    name: "fragment-split",
    effect: "Cuts the message into so many fragments, as an honest sender may.",
    draw: (dice) => ({ value: dice.pick([1, 2, 3, 10, 100]) }),
    pieces: (change) => whole(change, 1, MOST_DATAGRAMS),
    becomes: (honest) => honest,
  },
  {
    name: "fragment-octets",
    effect: "Cuts the message into the most fragments that we send, of an octet or few.",
    pieces: () => MOST_DATAGRAMS,
    becomes: (honest) => honest,
  },
  {
    name: "fragment-empty",
    effect: "Puts so many empty fragments behind the first, all counted.",
    draw: (dice) => ({ value: dice.pick([1, 2, 50, 150]) }),
    becomes([first, ...rest], change) {
      const count = whole(change, 1, 190);
      if (count === undefined || !first) return undefined;
      const empty = Array.from({ length: count }, () => ({ ...first, type: 0, chunk: new Uint8Array(0) }));
      const all = [first, ...empty, ...rest];
      return all.map((fragment, at) => ({ ...fragment, number: at + 1, total: all.length }));
    },
  },
];

const numbers: Row[] = [
  ofOne("fragment-number", "Writes another Fragment Number into one fragment.", TOTALS, (number) => ({
    number,
  })),
  ofOne("fragment-total", "Writes another Total Fragments into one fragment.", TOTALS, (total) => ({
    total,
  })),
  {
    name: "fragment-type",
    effect: "Writes a Next Payload into all fragments but the first, which alone has one.",
    draw: (dice) => ({ value: dice.pick([...Object.values(PAYLOAD), 255].filter((type) => type > 0)) }),
    becomes(honest, change) {
      const type = whole(change, 1, 255);
      return type === undefined
        ? undefined
        : honest.map((fragment, at) => (at === 0 ? fragment : { ...fragment, type }));
    },
  },
  {
    name: "fragment-type-missing",
    effect: "Writes no Next Payload into the first fragment.",
    becomes: (honest) => changed(honest, 0, { type: 0 }),
  },
  ofOne(
    "fragment-id",
    "Gives one fragment a Message ID so far from the right one.",
    [1, 2, 100, 0x80000000, 0xffffffff],
    (shift) => ({ shift }),
    0xffffffff,
  ),
  {
    name: "fragment-number-zero",
    effect: "Numbers the fragments from 0.",
    demand: bySetRules,
    becomes: (honest) => honest.map((fragment) => ({ ...fragment, number: fragment.number - 1 })),
  },
  {
    name: "fragment-number-beyond",
    effect: "Numbers the last fragment beyond the total.",
    demand: bySetRules,
    draw: (dice) => ({ value: numberOr(dice, [1, 2, 1000], 0x8000) || 1 }),
    becomes(honest, change) {
      const by = whole(change, 1, 0xffff - PIECES);
      return by === undefined ? undefined : changed(honest, PIECES - 1, { number: PIECES + by });
    },
  },
  {
    name: "fragment-total-zero",
    effect: "Says in every fragment that there is none.",
    demand: bySetRules,
    becomes: (honest) => honest.map((fragment) => ({ ...fragment, total: 0 })),
  },
  {
    name: "fragment-total-all",
    effect: "Says in every fragment that there are so many: more never come.",
    draw: (dice) => ({ value: numberOr(dice, [5, 255, 256, 0x7fff, 0x8000, 0xffff], 0x10000) }),
    becomes(honest, change) {
      const total = whole(change, PIECES + 1, 0xffff);
      return total === undefined ? undefined : honest.map((fragment) => ({ ...fragment, total }));
    },
  },
];

const ORDERS: Readonly<Record<string, (honest: Fragment[]) => Fragment[]>> = {
  reversed: (honest) => honest.toReversed(),
  "last first": (honest) => [...honest.slice(-1), ...honest.slice(0, -1)],
  "first last": (honest) => [...honest.slice(1), ...honest.slice(0, 1)],
};

const orders: Row[] = [
  {
    name: "fragment-order",
    effect: "Sends the fragments in another order.",
    draw: (dice) => ({ at: dice.pick(Object.keys(ORDERS)) }),
    becomes: (honest, { at = "" }) => (Object.hasOwn(ORDERS, at) ? ORDERS[at]?.(honest) : undefined),
  },
  {
    name: "fragment-omit",
    effect: "Leaves out one fragment.",
    draw: (dice) => ({ value: dice.number(PIECES) }),
    becomes(honest, change) {
      const left = whole(change, 0, PIECES - 1);
      return left === undefined ? undefined : honest.filter((_, at) => at !== left);
    },
  },
  {
    name: "fragment-only",
    effect: "Sends one fragment, so many times, and no other.",
    draw: (dice) => ({ at: String(dice.number(PIECES)), value: dice.pick([1, 2, 100]) }),
    becomes(honest, change) {
      const [at, count] = [place(change), whole(change, 1, MOST_DATAGRAMS)];
      const only = at === undefined ? undefined : honest[at % honest.length];
      return only && count !== undefined ? Array.from({ length: count }, () => only) : undefined;
    },
  },
  {
    name: "fragment-duplicate",
    effect: "Sends one fragment twice.",
    draw: (dice) => ({ value: dice.number(PIECES) }),
    becomes(honest, change) {
      const at = whole(change, 0, PIECES - 1);
      return at === undefined ? undefined : beside(honest, at, (fragment) => fragment, "after");
    },
  },
];

/** A row that puts another fragment in front of the third, or behind it. */
const withOther = (
  name: string,
  effect: string,
  other: (fragment: Fragment, octets: Uint8Array) => Fragment,
): Row => ({
  name,
  effect,
  draw: (dice) => ({ at: aSide(dice), octets: hex(anyOctets(dice, dice.pick([0, 1, 16, 500]))) }),
  becomes(honest, change) {
    const side = sideOf(change);
    return side === undefined
      ? undefined
      : beside(honest, 1, (fragment) => other(fragment, octetsIn(change)), side);
  },
});

const others: Row[] = [
  withOther(
    "fragment-overlap",
    "Sends the second fragment once more with other content.",
    (fragment, chunk) => ({
      ...fragment,
      chunk,
    }),
  ),
  withOther(
    "fragment-forged",
    "Sends a second fragment whose ICV is wrong beside the right one.",
    (fragment, chunk) => ({
      ...fragment,
      chunk,
      forged: true,
    }),
  ),
  withOther(
    "fragment-smaller-total",
    "Sends a fragment of a smaller total in the midst of the set.",
    (fragment, chunk) => ({
      ...fragment,
      chunk,
      total: fragment.total - 1,
    }),
  ),
  withOther(
    "fragment-larger-total",
    "Sends a fragment of a larger total in the midst of the set.",
    (fragment, chunk) => ({
      ...fragment,
      chunk,
      total: fragment.total + 1,
    }),
  ),
  withOther(
    "fragment-other-message",
    "Sends a fragment of the next Message ID in the midst of the set.",
    (fragment, chunk) => ({
      ...fragment,
      chunk,
      shift: 1,
    }),
  ),
  {
    name: "fragment-and-whole",
    effect: "Sends the whole message in SK too, `before` the fragments or `after` them.",
    draw: (dice) => ({ at: aSide(dice) }),
    becomes(honest, change) {
      const [side, [first]] = [sideOf(change), honest];
      if (!side || !first) return undefined;
      const all: Fragment = { ...first, chunk: concat(...honest.map(({ chunk }) => chunk)), whole: true };
      return side === "before" ? [all, ...honest] : [...honest, all];
    },
  },
  {
    name: "fragment-clear",
    effect: "Puts a Vendor ID in clear in front of every fragment, not the first alone.",
    becomes: (honest) => honest.map((fragment) => ({ ...fragment, vendor: true as const })),
  },
];

export const fragmentOperators: readonly IkeOperator[] = [...cuts, ...numbers, ...orders, ...others].map(
  ofFragments,
);
