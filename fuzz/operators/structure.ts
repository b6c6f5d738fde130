/** Which payloads there are, how often, and in which order; and the parts inside of them. */
import { EMPTY, fromHex, readU16, u16 } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD, payloadTypes } from "../../harness/wire/registry/payload-types.ts";
import type { Payload, RawPayload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import {
  anyPayload,
  clamp,
  MOST_OCTETS,
  messageOperator,
  otherThan,
  payloadOperator,
  sizeOf,
} from "./build.ts";
import { numbersIn } from "./numbers.ts";
import { bodyOf, withBody } from "./octets.ts";
import type { IkeOperator } from "./operator.ts";
import { followingType } from "./parts.ts";
import { drawPayload, placeOf, replaceAt } from "./place.ts";

type Words = Pick<IkeOperator, "name" | "effect" | "demand">;

/** An operator that takes one payload of the message and needs no more than its place. */
const onOne = (
  named: Words,
  change: (payloads: readonly Payload[], index: number, payload: Payload) => Payload[] | undefined,
): IkeOperator =>
  messageOperator({
    ...named,
    family: "structure",
    draw(message, dice) {
      const drawn = drawPayload(message, dice);
      return drawn && change(message.payloads, drawn.index, drawn.payload) && { at: drawn.at };
    },
    apply(message, { index }) {
      const payload = message.payloads[index];
      const changed = payload && change(message.payloads, index, payload);
      if (changed) message.payloads = changed;
      return changed !== undefined;
    },
  });

const orderOperators: readonly IkeOperator[] = [
  onOne({ name: "payload-omit", effect: "Leaves a payload out." }, (payloads, index) =>
    payloads.toSpliced(index, 1),
  ),
  onOne(
    { name: "payload-duplicate", effect: "Sends a payload twice, one behind the other." },
    (payloads, index, payload) => payloads.toSpliced(index, 0, payload),
  ),
  onOne(
    { name: "payload-repeat-last", effect: "Sends a payload again at the end." },
    (payloads, _, payload) => [...payloads, payload],
  ),
  onOne({ name: "payload-first", effect: "Moves a payload to the front." }, (payloads, index, payload) =>
    index === 0 ? undefined : [payload, ...payloads.toSpliced(index, 1)],
  ),
  onOne({ name: "payload-last", effect: "Moves a payload to the end." }, (payloads, index, payload) =>
    index === payloads.length - 1 ? undefined : [...payloads.toSpliced(index, 1), payload],
  ),
  onOne({ name: "payload-alone", effect: "Leaves all payloads out but one." }, (payloads, _, payload) =>
    payloads.length < 2 ? undefined : [payload],
  ),
  onOne({ name: "payload-cut", effect: "Leaves out a payload and all that follow it." }, (payloads, index) =>
    payloads.slice(0, index),
  ),
  messageOperator({
    name: "payload-swap",
    family: "structure",
    effect: "Lets a payload and another change places.",
    draw(message, dice) {
      const { length } = message.payloads;
      if (length < 2) return undefined;
      const one = dice.number(length);
      const other = (one + 1 + dice.number(length - 1)) % length;
      return { at: placeOf(message.payloads, one), value: other };
    },
    apply(message, { index, value }) {
      const [one, other] = [message.payloads[index], message.payloads[value]];
      if (!one || !other || index === value) return false;
      message.payloads = message.payloads.with(index, other).with(value, one);
      return true;
    },
  }),
  messageOperator({
    name: "payload-reverse",
    family: "structure",
    effect: "Sends all payloads in reversed order.",
    draw: ({ payloads }) => (payloads.length < 2 ? undefined : {}),
    apply(message) {
      if (message.payloads.length < 2) return false;
      message.payloads = message.payloads.toReversed();
      return true;
    },
  }),
  messageOperator({
    name: "chain-empty",
    family: "structure",
    effect: "Sends no payload at all.",
    draw: ({ payloads }) => (payloads.length === 0 ? undefined : {}),
    apply(message) {
      if (message.payloads.length === 0) return false;
      message.payloads = [];
      return true;
    },
  }),
];

/** A payload of any type from octets; `before` is an index, -1 the end. */
function put(payloads: readonly Payload[], before: number, type: number, body: Uint8Array): Payload[] {
  const raw: RawPayload = { kind: "raw", type: type & 0xff, data: body };
  return payloads.toSpliced(before < 0 ? payloads.length : before, 0, withBody(raw, body));
}

/** Where a draw puts a payload: in front of one, or at the end. */
function drawGap(message: Parameters<IkeOperator["draw"]>[0], dice: Dice): { at?: string } {
  const index = dice.number(message.payloads.length + 1);
  return index === message.payloads.length ? {} : { at: placeOf(message.payloads, index) };
}

/** Bodies of payloads as other exchanges have them, by type; short, and none of them true. */
const FOREIGN: readonly (readonly [type: number, body: string])[] = [
  [PAYLOAD.SA, "0000002c010100040300000c0100000c800e01000300000802000005030000080300000c000000080400001f"],
  [PAYLOAD.SA, "0000002401030402c0ffee010300000c01000014800e0080000000080500000000000000"],
  [PAYLOAD.KE, `001f0000${"09".repeat(32)}`],
  [PAYLOAD.KE, `000e0000${"02".repeat(256)}`],
  [PAYLOAD.IDi, "02000000746573746572"],
  [PAYLOAD.IDr, "0d000000"],
  [PAYLOAD.CERT, "043000"],
  [PAYLOAD.CERTREQ, `04${"00".repeat(20)}`],
  [PAYLOAD.AUTH, `02000000${"00".repeat(32)}`],
  [PAYLOAD.AUTH, "0d000000"],
  [PAYLOAD.NONCE, "55".repeat(32)],
  [PAYLOAD.NOTIFY, "0000400c"],
  [PAYLOAD.NOTIFY, "03044009c0ffee01"],
  [PAYLOAD.NOTIFY, "00000018"],
  [PAYLOAD.DELETE, "01000000"],
  [PAYLOAD.DELETE, "03040001c0ffee01"],
  [PAYLOAD.VENDOR_ID, "00112233445566778899aabbccddeeff"],
  [PAYLOAD.TSi, "01000000070000100000ffffcb007100cb00710f"],
  [PAYLOAD.TSr, `01000000080000280000ffff${"00".repeat(16)}${"ff".repeat(16)}`],
  [PAYLOAD.SK, "00".repeat(48)],
  [PAYLOAD.SKF, `00010002${"00".repeat(48)}`],
  [PAYLOAD.CP, "0100000000010000"],
  [PAYLOAD.CP, "0200000000010004cb007105"],
  [PAYLOAD.EAP, "0101000501"],
  [PAYLOAD.EAP, "03010004"],
  [PAYLOAD.EAP, "0201000a017465737465"],
  [PAYLOAD.GSA, "00000004"],
  [PAYLOAD.KD, "00000004"],
  [PAYLOAD.GSPM, "0001"],
  [PAYLOAD.IDg, "0b00000067726f7570"],
];

const spliceOperators: readonly IkeOperator[] = [
  messageOperator({
    name: "payload-splice",
    family: "structure",
    effect: "Puts in a payload as other exchanges have it.",
    draw(message, dice) {
      const [type, body] = dice.pick(FOREIGN);
      return { ...drawGap(message, dice), value: type, octets: fromHex(body) };
    },
    apply(message, { index, value, octets }) {
      message.payloads = put(message.payloads, index, value, octets);
      return true;
    },
  }),
  messageOperator({
    name: "payload-unknown",
    family: "structure",
    effect: "Puts in a payload of an unassigned or private type, not critical.",
    draw: (message, dice) => ({
      ...drawGap(message, dice),
      value: dice.pick(numbersIn(payloadTypes).unassigned),
      octets: dice.octets(dice.number(40)),
    }),
    apply(message, { index, value, octets }) {
      message.payloads = put(message.payloads, index, value, octets);
      return true;
    },
  }),
  messageOperator({
    name: "payload-unknown-critical",
    family: "structure",
    effect: "Puts in a critical payload of an unassigned or private type.",
    demand: { document: "rfc7296", requirement: "IKEV2-096", never: "child" },
    draw: (message, dice) => ({
      ...drawGap(message, dice),
      value: dice.pick(dice.chance(0.5) ? UNASSIGNED : PRIVATE),
      octets: dice.octets(dice.number(40)),
    }),
    apply(message, { index, value, octets }) {
      if (!UNASSIGNED.includes(value) && !PRIVATE.includes(value)) return false;
      const before = index < 0 ? message.payloads.length : index;
      const raw: RawPayload = { kind: "raw", type: value, critical: true, data: octets };
      message.payloads = message.payloads.toSpliced(before, 0, raw);
      return true;
    },
  }),
  messageOperator({
    name: "payload-in-clear",
    family: "structure",
    effect: "Puts a payload in clear in front of SK.",
    draw({ protected: sealed }, dice) {
      const [type, body] = dice.pick(FOREIGN);
      return sealed ? { value: type, octets: fromHex(body) } : undefined;
    },
    apply(message, { value, octets }) {
      if (!message.protected || sizeOf(message.clear) + octets.length > MOST_OCTETS / 2) return false;
      message.clear = put(message.clear, -1, value, octets);
      return true;
    },
  }),
  messageOperator({
    name: "payload-retype",
    family: "structure",
    effect: "Gives a payload another type, with the body that it has.",
    draw(message, dice) {
      const drawn = drawPayload(message, dice);
      if (!drawn) return undefined;
      const { assigned, unassigned } = numbersIn(payloadTypes);
      const numbers = dice.chance(0.8) ? assigned : unassigned;
      return { at: drawn.at, value: otherThan(dice, numbers, drawn.payload.type) };
    },
    apply(message, { index, value }) {
      const payload = message.payloads[index];
      const type = value & 0xff;
      if (!payload || payload.type === type) return false;
      return replaceAt(message, index, withBody({ ...payload, type }, bodyOf(payload)));
    },
  }),
  payloadOperator({
    name: "payload-next",
    family: "structure",
    effect: "Announces another type behind a payload than follows, or one behind the last.",
    fits: anyPayload,
    draw(payload, dice, message) {
      const { assigned, unassigned } = numbersIn(payloadTypes);
      const numbers = dice.chance(0.7) ? assigned : unassigned;
      return { value: otherThan(dice, numbers, followingType(message, payload)) };
    },
    apply({ payload }, { value }) {
      if (payload.next === (value & 0xff)) return false;
      payload.next = value & 0xff;
      return true;
    },
  }),
];

const floodOperators: readonly IkeOperator[] = [
  messageOperator({
    name: "payload-flood",
    family: "structure",
    effect: "Sends a payload up to thousands of times.",
    draw(message, dice) {
      const drawn = drawPayload(message, dice);
      return (
        drawn && { at: drawn.at, value: dice.pick([3, 8, 20, 21, 50, 64, 128, 255, 256, 257, 1000, 7000]) }
      );
    },
    apply(message, { index, value }) {
      const payload = message.payloads[index];
      if (!payload) return false;
      const room = MOST_OCTETS - sizeOf(message.payloads);
      const copies = clamp(value, 0, Math.floor(room / sizeOf([payload])));
      message.payloads = message.payloads.toSpliced(index, 0, ...Array<Payload>(copies).fill(payload));
      return copies > 0;
    },
  }),
  messageOperator({
    name: "payload-empty-flood",
    family: "structure",
    effect: "Adds payloads without a body, up to thousands: the two given octets count them.",
    draw: (_, dice) => ({
      value: dice.pick([
        PAYLOAD.NONCE,
        PAYLOAD.VENDOR_ID,
        PAYLOAD.SA,
        PAYLOAD.CERTREQ,
        PAYLOAD.NOTIFY,
        100,
        200,
      ]),
      octets: u16(dice.pick([1, 2, 20, 100, 255, 256, 1000, 5000, 14_000])),
    }),
    apply(message, { value, octets }) {
      const room = Math.floor((MOST_OCTETS - sizeOf(message.payloads)) / 4);
      const count = clamp(readU16(octets, 0), 0, room);
      const empty: RawPayload = { kind: "raw", type: value & 0xff, data: EMPTY };
      message.payloads = [...message.payloads, ...Array<Payload>(count).fill(empty)];
      return count > 0;
    },
  }),
];

/** Without this there are no keys, and AUTH covers nothing. */
const REQUIRED: readonly number[] = [PAYLOAD.SA, PAYLOAD.KE, PAYLOAD.NONCE];

const requiredOperators: readonly IkeOperator[] = [
  messageOperator({
    name: "init-incomplete",
    family: "structure",
    effect: "Leaves SA, KE or Nonce out of IKE_SA_INIT.",
    demand: { document: "rfc7296", requirement: "IKEV2-001", never: "established" },
    draw({ header, payloads }, dice) {
      if (header.exchangeType !== EXCHANGE.IKE_SA_INIT || !hasAll(payloads)) return undefined;
      return { value: dice.pick(REQUIRED) };
    },
    apply(message, { value }) {
      const { header, payloads } = message;
      if (header.exchangeType !== EXCHANGE.IKE_SA_INIT || !hasAll(payloads) || !REQUIRED.includes(value))
        return false;
      message.payloads = payloads.filter(({ type }) => type !== value);
      return true;
    },
  }),
  messageOperator({
    name: "auth-omit",
    family: "structure",
    effect: "Leaves AUTH out of an IKE_AUTH message that has no EAP.",
    demand: { document: "rfc7296", requirement: "IKEV2-001", never: "established" },
    draw: (message) => (provesUs(message) ? {} : undefined),
    apply(message) {
      if (!provesUs(message)) return false;
      message.payloads = message.payloads.filter(({ kind }) => kind !== "AUTH");
      return true;
    },
  }),
];

/** Not an answer to COOKIE or with an error. */
const hasAll = (payloads: readonly Payload[]): boolean =>
  REQUIRED.every((type) => payloads.some((payload) => payload.type === type));

/** Beside EAP the responder's AUTH may come later (RFC 5998). */
function provesUs({ header, payloads }: Parameters<IkeOperator["draw"]>[0]): boolean {
  const has = (kind: Payload["kind"]): boolean => payloads.some((payload) => payload.kind === kind);
  return header.exchangeType === EXCHANGE.IKE_AUTH && has("AUTH") && !has("EAP");
}

/** Types that no implementation knows: of the unassigned ones, and of those for private use. */
const unknownTypes = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((type) => !payloadTypes.get(type));
const UNASSIGNED = unknownTypes(60, 120);
const PRIVATE = unknownTypes(129, 254);

export const structureOperators: readonly IkeOperator[] = [
  ...orderOperators,
  ...spliceOperators,
  ...floodOperators,
  ...requiredOperators,
];
