/**
 * Symbolic places in a message: `Nonce`, `NOTIFY(COOKIE).2` for the second one, `SA/1/2` for transform 2 of proposal 1,
 * `SA/1/2/id` for its Transform ID. A place holds no offsets, so that it means the same in the next run.
 */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { notifyTypes } from "../../harness/wire/registry/notify-types.ts";
import { payloadTypes } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { childrenOf } from "./grammar.ts";

/** What a payload is called in a place, without its ordinal. */
export function labelOf(payload: Payload): string {
  const type = payloadTypes.nameOf(payload.type);
  return payload.kind === "Notify" ? `${type}(${notifyTypes.nameOf(payload.notifyType)})` : type;
}

/** The place of a payload that is in the message. */
export function placeOf(payloads: readonly Payload[], index: number): string {
  const payload = payloads[index];
  if (!payload) return "";
  const label = labelOf(payload);
  let ordinal = 1;
  for (let i = 0; i < index; i++) {
    const other = payloads[i];
    if (other && other.type === payload.type && labelOf(other) === label) ordinal++;
  }
  return ordinal === 1 ? label : `${label}.${ordinal}`;
}

/** The place of any payload of these; undefined if there are none. */
export function drawPayload(
  message: OutgoingMessage,
  dice: Dice,
  fits: (payload: Payload) => boolean = () => true,
): { at: string; payload: Payload; index: number } | undefined {
  const { payloads } = message;
  const found = payloads.flatMap((payload, index) => (fits(payload) ? [index] : []));
  if (found.length === 0) return undefined;
  const index = dice.pick(found);
  const payload = payloads[index];
  return payload && { at: placeOf(payloads, index), payload, index };
}

/** A place taken apart. */
export interface Place {
  index: number;
  /** Behind the payload: numbers from 1 of parts, and at the end possibly a field. */
  steps: string[];
}

/** Undefined if the message has no such payload. */
export function findPlace(payloads: readonly Payload[], at: string | undefined): Place | undefined {
  const [head = "", ...steps] = (at ?? "").split("/");
  const [, label = "", ordinal = "1"] = /^(.*?)(?:\.(\d{1,5}))?$/s.exec(head) ?? [];
  let left = Number(ordinal);
  const index = payloads.findIndex((payload) => labelOf(payload) === label && --left === 0);
  return index < 0 ? undefined : { index, steps };
}

/** A copy that shares octets only: what a message holds may be shared with policies and other messages. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([field, content]) => [field, copyOf(content)])) as T;
}

/** Where a place leads to. */
export interface Spot {
  payload: Payload;
  /** The payload or a part of it. */
  part: object;
  /** What is left of the place: the name of a field. */
  field?: string;
}

/**
 * Lets `change` loose on a copy of what is at the place, and puts it into the message if it says true.
 * False if there is no such place.
 */
export function edit(
  message: OutgoingMessage,
  at: string | undefined,
  change: (spot: Spot) => boolean,
): boolean {
  const place = findPlace(message.payloads, at);
  const original = place && message.payloads[place.index];
  if (!place || !original) return false;
  const payload = copyOf(original);
  const steps = [...place.steps];
  let part: object = payload;
  while (/^\d/.test(steps[0] ?? "")) {
    const inner = childrenOf(part)[Number(steps.shift()) - 1];
    if (!inner) return false;
    part = inner;
  }
  const [field, ...rest] = steps;
  if (rest.length > 0 || !change({ payload, part, field })) return false;
  message.payloads = message.payloads.with(place.index, payload);
  return true;
}

/** Puts another in the place of this very payload. */
export function replace(message: OutgoingMessage, present: Payload, other: Payload): true {
  message.payloads = message.payloads.map((payload) => (payload === present ? other : payload));
  return true;
}

/** Puts others in the place of the payload of this index. */
export function replaceAt(message: OutgoingMessage, index: number, ...payloads: Payload[]): true {
  message.payloads = message.payloads.toSpliced(index, 1, ...payloads);
  return true;
}
