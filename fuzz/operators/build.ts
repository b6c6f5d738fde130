/** What all operators on payloads have in common. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { concat, fromHex, hex } from "../../harness/wire/bytes.ts";
import { encodeChain } from "../../harness/wire/index.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import type { Draft, IkeOperator, LieContext } from "./operator.ts";
import { drawPayload, edit, findPlace, type Spot } from "./place.ts";

/** No message grows beyond this, whatever a change says: it has to fit a datagram. */
export const MOST_OCTETS = 60_000;

type Named = Pick<IkeOperator, "name" | "family" | "effect" | "demand">;

/** Octets that the payloads take. */
export const sizeOf = (payloads: readonly Payload[]): number => encodeChain(payloads).length;

/** An operator that leaves the message as it is where it does not fit, or would no longer fit a datagram. */
export function ikeOperator(lie: Omit<IkeOperator, "on">): IkeOperator {
  return {
    ...lie,
    on: "ike",
    apply(message, change, context) {
      const { payloads } = message;
      if (lie.apply(message, change, context) && sizeOf(message.payloads) <= MOST_OCTETS) return true;
      message.payloads = payloads;
      return false;
    },
  };
}

/** What an operator draws: in a change the octets are hex. */
export interface Drawn {
  /** Behind the payload's place: `/1/2`, `/1/number`. */
  under?: string;
  value?: number;
  octets?: Uint8Array;
}

/** What a change says, made safe. */
export interface Said {
  /** A whole number, possibly negative; 0 if the change has none. */
  value: number;
  octets: Uint8Array;
}

/** Undefined for a number that is none. */
export function said({ value = 0, octets = "" }: Draft): Said | undefined {
  if (!Number.isFinite(value)) return undefined;
  return { value: Math.trunc(value), octets: fromHex(octets).subarray(0, MOST_OCTETS) };
}

/** The number within the bounds. */
export const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

export const draft = ({ value, octets }: Drawn, at?: string): Draft => ({
  ...(at !== undefined && { at }),
  ...(value !== undefined && { value }),
  ...(octets !== undefined && { octets: hex(octets) }),
});

interface PayloadLie<P extends Payload> extends Named {
  fits(payload: Payload): payload is P;
  /** Not set: takes neither number nor octets. */
  draw?(payload: P, dice: Dice, message: OutgoingMessage): Drawn | undefined;
  /** Changes a copy of the payload. False if it does not fit. */
  apply(
    spot: Spot & { payload: P },
    said: Said,
    more: { message: OutgoingMessage; context: LieContext },
  ): boolean;
}

/** An operator that changes one payload, or a part of it. */
export function payloadOperator<P extends Payload>(lie: PayloadLie<P>): IkeOperator {
  const { name, family, effect, demand, fits } = lie;
  return ikeOperator({
    ...{ name, family, effect },
    ...(demand && { demand }),
    draw(message, dice) {
      const chosen = drawPayload(message, dice, fits);
      if (!chosen || !fits(chosen.payload)) return undefined;
      const drawn = lie.draw ? lie.draw(chosen.payload, dice, message) : {};
      return drawn && draft(drawn, chosen.at + (drawn.under ?? ""));
    },
    apply(message, change, context) {
      const numbers = said(change);
      if (!numbers) return false;
      return edit(message, change.at, (spot) => {
        const { payload } = spot;
        return fits(payload) && lie.apply({ ...spot, payload }, numbers, { message, context });
      });
    },
  });
}

interface MessageLie extends Named {
  draw(message: OutgoingMessage, dice: Dice): (Drawn & { at?: string }) | undefined;
  /** `index` is that of the payload at the change's place, -1 without one. */
  apply(message: OutgoingMessage, said: Said & { index: number }, context: LieContext): boolean;
}

/** An operator that changes which payloads there are, or what is around them. */
export function messageOperator(lie: MessageLie): IkeOperator {
  return ikeOperator({
    ...lie,
    draw(message, dice) {
      const drawn = lie.draw(message, dice);
      return drawn && draft(drawn, drawn.at);
    },
    apply(message, change, context) {
      const numbers = said(change);
      const place = change.at === undefined ? undefined : findPlace(message.payloads, change.at);
      if (!numbers || (change.at !== undefined && place?.steps.length !== 0)) return false;
      return lie.apply(message, { ...numbers, index: place?.index ?? -1 }, context);
    },
  });
}

/** The pattern again and again; zeros for an empty one. */
export function repeat(pattern: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  if (pattern.length === 0) return out;
  for (let at = 0; at < size; at += pattern.length) out.set(pattern.subarray(0, size - at), at);
  return out;
}

/** These octets at another size: cut, or made longer by the pattern. */
export const resized = (octets: Uint8Array, size: number, pattern: Uint8Array): Uint8Array =>
  size <= octets.length ? octets.slice(0, size) : concat(octets, repeat(pattern, size - octets.length));

type OfKind<K extends Payload["kind"]> = Extract<Payload, { kind: K }>;

/** An operator on payloads of one kind. */
export const kindOperator = <K extends Payload["kind"]>(
  kind: K,
  lie: Omit<PayloadLie<OfKind<K>>, "fits">,
): IkeOperator =>
  payloadOperator<OfKind<K>>({
    ...lie,
    fits: (payload): payload is OfKind<K> => payload.kind === kind,
  });

/** Payloads of every kind. */
export const anyPayload = (_payload: Payload): _payload is Payload => true;

/** One of these numbers; the given one is not drawn, if there are others. */
export function otherThan(dice: Dice, numbers: readonly number[], present: number): number {
  const drawn = dice.pick(numbers);
  if (drawn !== present) return drawn;
  return numbers.find((number) => number !== present) ?? drawn;
}

const SIZES = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256,
];
const GREAT_SIZES = [257, 511, 512, 1023, 1024, 1025, 1400, 2048, 4095, 4096, 8192, 16_384, 32_767, 50_000];

/** A number of octets at which code goes wrong. Mostly small. */
export const drawSize = (dice: Dice): number => dice.pick(dice.chance(0.75) ? SIZES : GREAT_SIZES);

const PATTERNS = ["", "ff", "41", "80", "7f", "00ff", "25", "25736e", "2e", "deadbeef", "0a", "30", "c0"].map(
  (digits) => fromHex(digits),
);

/** A pattern to fill octets with. */
export const drawPattern = (dice: Dice): Uint8Array =>
  dice.chance(0.8) ? dice.pick(PATTERNS) : dice.octets(4);
