/** Lies about what AUTH covers of IKE_INTERMEDIATE exchanges: RFC 9242 section 3.3.2. */
import type { IkeKeys } from "../../../harness/crypto/keys.ts";
import { coveredOfReceived, coveredOfSent } from "../../../harness/extensions/int-auth.ts";
import { perIkeSa } from "../../../harness/extensions/per-ike-sa.ts";
import type { AuthInputs } from "../../../harness/ike/hooks.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import type { Address } from "../../../harness/link/types.ts";
import { concat, EMPTY, u32 } from "../../../harness/wire/bytes.ts";
import {
  decodeChain,
  decodeMessage,
  encodeChain,
  firstPayloadType,
  isFrameError,
} from "../../../harness/wire/index.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";

/** A message that AUTH covers. */
interface Covered {
  sa: IkeSa;
  isResponse: boolean;
  messageId: number;
  /** A | P as it should be, without payloads in clear in front of SK if there are any. */
  right: Uint8Array;
  /** Octets of P. */
  inner: number;
  /** True if it came in SKF. */
  fragmented: boolean;
  /** Whether it travels with the non-ESP marker in front. */
  marked: boolean;
}

/** How IntAuth is made otherwise. */
interface Bend {
  /** In the place of A | P. */
  covered?: (message: Covered) => Uint8Array;
  /** Of the keys that were there one after the other, those for exchange `n`; both from 0. */
  generation?: (n: number) => number;
  /** False: a value does not go into the next one. */
  chained?: false;
}

/** What an IKE SA had so far: its keys one after the other, and its messages by Message ID. */
interface State {
  keys: IkeKeys[];
  request: Map<number, Covered>;
  response: Map<number, Covered>;
}

/** The last value of the chain over `count` requests or responses, bent. */
function bentHalf(
  { sa }: AuthInputs,
  { keys, ...messages }: State,
  { covered = ({ right }) => right, generation = (n) => n, chained }: Bend,
  end: "request" | "response",
  count: number,
): Uint8Array {
  let value: Uint8Array = EMPTY;
  for (let n = 0; n < count; n++) {
    const message = messages[end].get(n + 1);
    const generationKeys = keys[Math.max(0, Math.min(generation(n), keys.length - 1))];
    const SK_p = end === "request" ? generationKeys?.SK_pi : generationKeys?.SK_pr;
    if (!message || !SK_p || !sa.suite) return EMPTY;
    const before = chained === false ? EMPTY : value;
    value = sa.suite.prf.compute(SK_p, concat(before, covered(message)));
  }
  return value;
}

/** Makes all of IntAuth anew, bent. */
function covering(bend: Bend): LieBehaviour {
  const stateOf = perIkeSa<State>(() => ({ keys: [], request: new Map(), response: new Map() }));
  const note = (message: Covered): void => {
    const state = stateOf(message.sa);
    (message.isResponse ? state.response : state.request).set(message.messageId, message);
  };
  return {
    ike: {
      afterIkeKeys: (sa, keys) => void stateOf(sa).keys.push({ ...keys }),
      beforeSeal: (message, inner) => {
        const { sa, header, isResponse, request } = message;
        if (!sa || header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) return;
        const right = coveredOfSent(message, inner);
        const marked = isMarked(request?.datagram.destination ?? sa.local);
        const { messageId } = header;
        note({ sa, isResponse, messageId, right, inner: inner.length, fragmented: false, marked });
      },
      incoming: ({ sa, header, isResponse, octets, inner, datagram }) => {
        const right = inner && coveredOfReceived(octets, inner);
        if (!sa || !right || header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) return undefined;
        const fragmented = octets[FIRST_TYPE] === PAYLOAD.SKF;
        const marked = isMarked(datagram.destination);
        const { messageId } = header;
        note({ sa, isResponse, messageId, right, inner: inner.length, fragmented, marked });
        return undefined;
      },
      authOctets: (inputs) => {
        if (!inputs.IntAuth || !inputs.sa.suite) return;
        const [, , first] = partsOf(inputs.IntAuth);
        const count = new DataView(first.buffer, first.byteOffset).getUint32(0) - 1;
        const half = (end: "request" | "response") => bentHalf(inputs, stateOf(inputs.sa), bend, end, count);
        inputs.IntAuth = concat(half("request"), half("response"), first);
      },
    },
  };
}

/** Places in a message without payloads in clear. */
const FIRST_TYPE = 16;
const LENGTH = 24;
const SK_HEADER = 28;
const INNER = 32;

/** Both halves of IntAuth, and the Message ID at its end. */
function partsOf(value: Uint8Array): [i: Uint8Array, r: Uint8Array, messageId: Uint8Array] {
  const half = (value.length - 4) / 2;
  return [value.subarray(0, half), value.subarray(half, 2 * half), value.subarray(2 * half)];
}

/** Changes IntAuth as a whole, where there is one. */
const bending = (
  change: (value: Uint8Array, inputs: AuthInputs) => Uint8Array | undefined,
): LieBehaviour => ({
  ike: {
    authOctets: (inputs) => {
      const bent = inputs.IntAuth && change(inputs.IntAuth, inputs);
      if (bent) inputs.IntAuth = bent;
      else delete inputs.IntAuth;
    },
  },
});

/** A copy with one octet changed. */
const withOctet = (octets: Uint8Array, at: number, value: (old: number) => number): Uint8Array =>
  octets.map((octet, i) => (i === at ? value(octet) : octet));

/** Padding as little as the cipher needs, and Pad Length. */
function trailerOf({ sa, inner }: Covered): Uint8Array {
  const block = sa.suite?.encr.blockSize ?? 1;
  const fill = (block - ((inner + 1) % block)) % block;
  return concat(new Uint8Array(fill), Uint8Array.of(fill));
}

/** With the lengths of the message as it travels. */
function withWireLengths(message: Covered): Uint8Array {
  const { encr, integ } = message.sa.suite ?? {};
  const icv = encr?.aead ? encr.icvLength : (integ?.icvLength ?? 0);
  const more = (encr?.ivLength ?? 0) + trailerOf(message).length + icv;
  const octets = message.right.slice();
  const view = new DataView(octets.buffer);
  view.setUint32(LENGTH, view.getUint32(LENGTH) + more);
  view.setUint16(SK_HEADER + 2, view.getUint16(SK_HEADER + 2) + more);
  return octets;
}

const isMarked = ({ port, transport }: Address): boolean => port === 4500 || transport !== undefined;

/** Four zeros in front where the message has them. */
const withMarker = ({ marked, right }: Covered): Uint8Array =>
  marked ? concat(new Uint8Array(4), right) : right;

/** Of the inner payloads only those that it knows. */
function knownOnly({ right }: Covered): Uint8Array {
  const { payloads } = decodeChain(right[SK_HEADER] ?? 0, right.subarray(INNER));
  return concat(right.subarray(0, INNER), encodeChain(payloads.filter((p) => p.kind !== "raw")));
}

/** Its inner payloads anew, with zero in reserved fields. */
function encodedAnew({ right }: Covered): Uint8Array {
  const { payloads } = decodeChain(right[SK_HEADER] ?? 0, right.subarray(INNER));
  for (const p of payloads) {
    delete p.reserved;
    if (p.kind === "KE") delete p.reserved2;
  }
  return concat(right.subarray(0, INNER), encodeChain(payloads));
}

const isClear = ({ kind }: Payload): boolean => kind !== "SK";

/** Without the payloads in front of SK, and lengths as if they had not been there. */
function withoutClear({ right }: Covered): Uint8Array {
  const message = decodeMessage(right);
  if (isFrameError(message) || !message.payloads.some(isClear)) return right;
  const clear = encodeChain(message.payloads.filter(isClear)).length;
  const octets = concat(right.subarray(0, SK_HEADER), right.subarray(SK_HEADER + clear));
  octets[FIRST_TYPE] = PAYLOAD.SK;
  new DataView(octets.buffer).setUint32(LENGTH, octets.length);
  return octets;
}

/** IntAuth where no exchange took place: without any message, the Message ID of IKE_AUTH is left of it. */
function coversNothing(): LieBehaviour {
  const announced = new WeakSet<IkeSa>();
  return {
    ike: {
      outgoing: ({ sa, header, payloads }) => {
        const said = payloads.some(
          (p) => p.kind === "Notify" && p.notifyType === NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED,
        );
        if (sa && header.exchangeType === EXCHANGE.IKE_SA_INIT && said) announced.add(sa);
      },
      authOctets: (inputs) => {
        if (!inputs.IntAuth && announced.has(inputs.sa)) inputs.IntAuth = u32(1);
      },
    },
  };
}

/** Octets of the inner payloads in each fragment. */
const PIECE = 40;

/** Cuts its own messages, and covers fragment by fragment. */
function coversFragmentsApart(): LieBehaviour {
  const apart = new Map<string, Uint8Array>();
  const keyOf = (isResponse: boolean, messageId: number) => `${isResponse} ${messageId}`;
  const { ike = {} } = covering({
    covered: ({ isResponse, messageId, right, fragmented }) =>
      (fragmented ? undefined : apart.get(keyOf(isResponse, messageId))) ?? right,
  });
  return {
    fragmentation: { chunk: Number.POSITIVE_INFINITY },
    ike: {
      ...ike,
      split: ({ sa, header, isResponse, payloads }, inner, seal) => {
        const able = sa?.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED);
        if (!able || header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE || inner.length <= PIECE)
          return undefined;
        const total = Math.ceil(inner.length / PIECE);
        const pieces = Array.from({ length: total }, (_, i) => inner.subarray(i * PIECE, (i + 1) * PIECE));
        const first = firstPayloadType(payloads);
        const datagrams = pieces.map((piece, i) =>
          seal(piece, i === 0 ? first : 0, { number: i + 1, total }),
        );
        const covered = datagrams.map((octets, i) => coveredOfReceived(octets, pieces[i] ?? EMPTY) ?? EMPTY);
        apart.set(keyOf(isResponse, header.messageId), concat(...covered));
        return datagrams;
      },
    },
  };
}

const values = [
  lie("covers-intermediate-that-never-was", "INT-06", "AUTH covers IKE_INTERMEDIATE that was skipped", () =>
    coversNothing(),
  ),
  lie("leaves-intermediate-out-of-auth", "INT-18", "AUTH as in RFC 7296 after IKE_INTERMEDIATE", () =>
    bending(() => undefined),
  ),
  lie("swaps-requests-and-responses-in-auth", "INT-19", "IntAuth_r in front of IntAuth_i", () =>
    bending((value) => {
      const [i, r, messageId] = partsOf(value);
      return concat(r, i, messageId);
    }),
  ),
  lie("covers-requests-alone", "INT-19", "IntAuth without its second half", () =>
    bending((value) => {
      const [i, , messageId] = partsOf(value);
      return concat(i, messageId);
    }),
  ),
  lie("covers-the-last-exchange-alone", "INT-19", "earlier values do not go into the last one", () =>
    covering({ chained: false }),
  ),
  lie("covers-the-message-id-of-intermediate", "INT-20", "one less than the Message ID of IKE_AUTH", () =>
    bending((value) => {
      const [i, r, messageId] = partsOf(value);
      const first = new DataView(messageId.buffer, messageId.byteOffset).getUint32(0);
      return concat(i, r, u32(first - 1));
    }),
  ),
  lie("covers-the-message-id-of-the-last-round", "INT-20", "the Message ID of the request that proves", () =>
    bending((value, { sa, of }) => {
      const [i, r] = partsOf(value);
      const next = of === "initiator" && sa.role === "initiator" ? 0 : 1;
      const current = sa.role === "responder" ? sa.expectedMessageId : sa.nextMessageId - next;
      return concat(i, r, u32(current));
    }),
  ),
];

const chunks = [
  lie("covers-the-non-esp-marker", "INT-21", "four zeros in front on port 4500 and over TCP", () =>
    covering({ covered: withMarker }),
  ),
  lie("leaves-payloads-in-clear-uncovered", "INT-21", "nothing between the header and SK", () =>
    covering({ covered: withoutClear }),
  ),
  lie("covers-padding", "INT-22", "padding and Pad Length behind the inner payloads", () =>
    covering({ covered: (message) => concat(message.right, trailerOf(message)) }),
  ),
  lie("covers-lengths-as-they-travel", "INT-22", "Length and Payload Length are not adjusted", () =>
    covering({ covered: withWireLengths }),
  ),
  lie("covers-known-payloads-alone", "INT-22", "unknown inner payloads are left out", () =>
    covering({ covered: knownOnly }),
  ),
  lie(
    "covers-reserved-fields-as-zero",
    "INT-22",
    "inner payloads are encoded anew, without reserved bits",
    () => covering({ covered: encodedAnew }),
  ),
  lie("leaves-out-the-header-of-an-empty-payload", "INT-23", "A ends before SK where SK is empty", () =>
    covering({ covered: ({ right, inner }) => (inner === 0 ? right.subarray(0, SK_HEADER) : right) }),
  ),
  lie("covers-fragments-apart", "INT-24", "A | P of each fragment of its own messages", () =>
    coversFragmentsApart(),
  ),
  lie("covers-skf-as-it-came", "INT-25", "Next Payload 53 of a message that came in fragments", () =>
    covering({
      covered: ({ right, fragmented }) =>
        fragmented ? withOctet(right, FIRST_TYPE, () => PAYLOAD.SKF) : right,
    }),
  ),
  lie("covers-no-reserved-bits", "INT-26", "RESERVED of SK taken for zero", () =>
    covering({ covered: ({ right }) => withOctet(right, SK_HEADER + 1, (octet) => octet & 0x80) }),
  ),
  lie("covers-no-critical-bit", "INT-21", "the C bit of SK taken for zero", () =>
    covering({ covered: ({ right }) => withOctet(right, SK_HEADER + 1, (octet) => octet & 0x7f) }),
  ),
  lie("covers-with-the-next-keys", "INT-27", "SK_p as it is after the exchange", () =>
    covering({ generation: (n) => n + 1 }),
  ),
  lie("covers-with-the-first-keys", "INT-27", "SK_p of IKE_SA_INIT for all exchanges", () =>
    covering({ generation: () => 0 }),
  ),
];

export const intAuthLies = [...values, ...chunks];
