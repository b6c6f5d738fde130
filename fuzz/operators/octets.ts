/** Octets changed blindly: of the datagram, of the payloads in SK, of the body of one payload. */

import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { concat, equal, fromHex, readU16, u16 } from "../../harness/wire/bytes.ts";
import { decodeChain, encodeChain, firstPayloadType } from "../../harness/wire/index.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { bend, turnBit } from "./bend.ts";
import { clamp, type Drawn, draft, ikeOperator, MOST_OCTETS, type Said, said } from "./build.ts";
import type { IkeOperator } from "./operator.ts";
import { drawPayload, findPlace, replaceAt } from "./place.ts";

/** One way to change octets. Undefined: nothing would change. */
interface Edit {
  verb: string;
  /** With `#` in the place of what is changed. */
  effect: string;
  draw(size: number, dice: Dice): Drawn;
  edit(octets: Uint8Array, said: Said): Uint8Array | undefined;
}

/** A place in so many octets: often near the beginning, negative from the end. */
function drawOffset(size: number, dice: Dice): number {
  if (dice.chance(0.4)) return dice.number(Math.min(size, 64));
  return dice.chance(0.3) ? -1 - dice.number(Math.min(size, 32)) : dice.number(size);
}

/** The place that a number means: round and round, so that every number means one. */
const wrap = (value: number, size: number): number => ((value % size) + size) % size;

const BOUNDARIES = [
  "00",
  "01",
  "7f",
  "80",
  "ff",
  "fe",
  "0000",
  "ffff",
  "7fff",
  "8000",
  "00000000",
  "ffffffff",
];
const drawOctets = (dice: Dice): Uint8Array =>
  dice.chance(0.6) ? fromHex(dice.pick(BOUNDARIES)) : dice.octets(1 + dice.number(16));

const EDITS: readonly Edit[] = [
  {
    verb: "flip",
    effect: "Flips a bit of #.",
    draw: (size, dice) => ({ value: drawOffset(size, dice) * 8 + dice.number(8) }),
    edit: (octets, { value }) => turnBit(octets, wrap(value, 8 * octets.length)),
  },
  {
    verb: "set",
    effect: "Overwrites octets of # with boundary or random ones.",
    draw: (size, dice) => ({ value: drawOffset(size, dice), octets: drawOctets(dice) }),
    edit(octets, { value, octets: others }) {
      const changed = octets.slice();
      const at = wrap(value, octets.length);
      changed.set(others.subarray(0, octets.length - at), at);
      return changed;
    },
  },
  {
    verb: "insert",
    effect: "Inserts octets into #.",
    draw: (size, dice) => ({ value: drawOffset(size, dice), octets: drawOctets(dice) }),
    edit(octets, { value, octets: others }) {
      const at = wrap(value, octets.length);
      return concat(octets.subarray(0, at), others, octets.subarray(at));
    },
  },
  {
    verb: "remove",
    effect: "Takes octets out of #: two given octets count them.",
    draw: (size, dice) => ({
      value: drawOffset(size, dice),
      octets: u16(1 + dice.number(Math.min(size, 20))),
    }),
    edit(octets, { value, octets: count }) {
      const at = wrap(value, octets.length);
      return concat(octets.subarray(0, at), octets.subarray(at + readU16(count, 0)));
    },
  },
  {
    verb: "truncate",
    effect: "Cuts # short.",
    draw: (size, dice) => ({ value: drawOffset(size, dice) }),
    edit: (octets, { value }) => octets.slice(0, wrap(value, octets.length)),
  },
  {
    verb: "append",
    effect: "Adds octets at the end of #.",
    draw: (_, dice) => ({ value: 1 + dice.number(dice.chance(0.8) ? 8 : 2000), octets: drawOctets(dice) }),
    edit(octets, { value, octets: pattern }) {
      const times = clamp(value, 0, Math.floor(MOST_OCTETS / Math.max(1, pattern.length)));
      return concat(octets, ...Array.from({ length: times }, () => pattern));
    },
  },
  {
    verb: "repeat",
    effect: "Repeats octets of #: two given octets count, two say how often.",
    draw: (size, dice) => ({
      value: drawOffset(size, dice),
      octets: concat(
        u16(1 + dice.number(Math.min(size, 40))),
        u16(1 + dice.number(dice.chance(0.9) ? 4 : 800)),
      ),
    }),
    edit(octets, { value, octets: counts }) {
      const at = wrap(value, octets.length);
      const part = octets.subarray(at, at + readU16(counts, 0));
      const times = clamp(readU16(counts, 2), 0, Math.floor(MOST_OCTETS / Math.max(1, part.length)));
      const repeated = Array.from({ length: times }, () => part);
      return concat(octets.subarray(0, at), ...repeated, octets.subarray(at));
    },
  },
];

/** Never more than fits a datagram; undefined where nothing was changed. */
function edited({ edit }: Edit, octets: Uint8Array, numbers: Said): Uint8Array | undefined {
  if (octets.length === 0) return undefined;
  const changed = edit(octets, numbers)?.subarray(0, MOST_OCTETS);
  return changed && !equal(changed, octets) ? changed : undefined;
}

/** What the headers and SK add to the payloads, roughly: draws need no more. */
const AROUND = 60;

const onDatagram = (edit: Edit): IkeOperator =>
  ikeOperator({
    name: `datagram-${edit.verb}`,
    family: "octets",
    effect: edit.effect.replace("#", "the sealed datagram"),
    draw: (message, dice) => draft(edit.draw(AROUND + 40 * message.payloads.length, dice)),
    apply(message, change) {
      const numbers = said(change);
      if (!numbers) return false;
      bend(message, (octets) => [edited(edit, octets, numbers) ?? octets]);
      return true;
    },
  });

/** The payloads that these octets are; undefined for fewer than a header, which no payload can stand for. */
function payloadsFrom(firstType: number, octets: Uint8Array): Payload[] | undefined {
  if (octets.length === 0) return [];
  if (octets.length < 4 || firstType === 0) return undefined;
  const { payloads, trailing } = decodeChain(firstType, octets);
  if (trailing.length === 0) return payloads;
  const [next = 0, flags = 0] = octets;
  const base = { next, critical: flags >= 0x80, reserved: flags & 0x7f, length: readU16(octets, 2) };
  return [{ kind: "raw", type: firstType, ...base, data: octets.subarray(4) }];
}

function setPayloads(message: OutgoingMessage, payloads: Payload[] | undefined): boolean {
  if (payloads) message.payloads = payloads;
  return payloads !== undefined;
}

const onChain = (edit: Edit): IkeOperator =>
  ikeOperator({
    name: `chain-${edit.verb}`,
    family: "octets",
    effect: edit.effect.replace("#", "the payloads in SK"),
    draw: (message, dice) =>
      message.payloads.length === 0
        ? undefined
        : draft(edit.draw(encodeChain(message.payloads).length, dice)),
    apply(message, change) {
      const numbers = said(change);
      const { payloads } = message;
      const changed = numbers && edited(edit, encodeChain(payloads), numbers);
      return changed !== undefined && setPayloads(message, payloadsFrom(firstPayloadType(payloads), changed));
    },
  });

/** The octets behind the generic header. */
export const bodyOf = (payload: Payload): Uint8Array => encodeChain([payload]).subarray(4);

/** The payload with another body, of the length that it has then. */
export function withBody(payload: Payload, body: Uint8Array): Payload {
  const { type, critical, reserved } = payload;
  const header = { ...(critical && { critical }), ...(reserved !== undefined && { reserved }) };
  const raw: Payload = { ...header, kind: "raw", type, data: body };
  const [decoded] = decodeChain(type, encodeChain([raw])).payloads;
  return decoded && body.length < MOST_OCTETS ? decoded : raw;
}

const onBody = (edit: Edit): IkeOperator =>
  ikeOperator({
    name: `body-${edit.verb}`,
    family: "octets",
    effect: edit.effect.replace("#", "the body of a payload"),
    draw(message, dice) {
      const drawn = drawPayload(message, dice);
      const size = drawn && bodyOf(drawn.payload).length;
      return size ? draft(edit.draw(size, dice), drawn.at) : undefined;
    },
    apply(message, change) {
      const numbers = said(change);
      const place = findPlace(message.payloads, change.at);
      const payload = place && message.payloads[place.index];
      if (!numbers || !place || !payload || place.steps.length > 0) return false;
      const changed = edited(edit, bodyOf(payload), numbers);
      return changed !== undefined && replaceAt(message, place.index, withBody(payload, changed));
    },
  });

export const octetsOperators: readonly IkeOperator[] = [
  ...EDITS.map(onDatagram),
  ...EDITS.map(onChain),
  ...EDITS.map(onBody),
];
