/** What operators of sequences, seals and datagrams share: reading a change that may be hostile, and bounded output. */
import { fromHex } from "../../harness/wire/bytes.ts";
import type { Dice } from "../dice.ts";
import { MOST_OCTETS } from "./build.ts";
import type { Draft } from "./operator.ts";

/** Datagrams of a message, beyond which operators send nothing. */
export const MOST_DATAGRAMS = 200;

/** Changes what is sent, datagram by datagram, after what earlier changes made of it. */
export function bend(
  target: { octets?: (datagram: Uint8Array) => Uint8Array[] },
  change: (datagram: Uint8Array) => Uint8Array[],
): void {
  const before = target.octets;
  let left = MOST_DATAGRAMS;
  target.octets = (datagram) => {
    const changed = (before?.(datagram) ?? [datagram]).flatMap(change).slice(0, left);
    left -= changed.length;
    return changed.map((octets) => octets.subarray(0, MOST_OCTETS));
  };
}

/** The change's number if it is a whole one in this range. */
export const whole = ({ value }: Draft, least: number, most: number): number | undefined =>
  value !== undefined && Number.isInteger(value) && value >= least && value <= most ? value : undefined;

/** The change's octets, no more than fit a datagram. */
export const octetsIn = ({ octets = "" }: Draft): Uint8Array => fromHex(octets.slice(0, 2 * MOST_OCTETS));

/** A copy in which one bit is turned; bits are counted from the first octet's lowest, and begin again behind the last. */
export function turnBit(octets: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(octets);
  const at = octets.length === 0 ? 0 : Math.floor(bit / 8) % octets.length;
  if (octets.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
}

/** One of these numbers, or one from 0 to `below` - 1. */
export const numberOr = (dice: Dice, all: readonly number[], below: number): number =>
  dice.chance(0.7) ? dice.pick(all) : dice.number(below);

/** Octets that a change can hold: zeros, ones or any. */
export function anyOctets(dice: Dice, length: number): Uint8Array {
  const manner = dice.number(3);
  return manner === 2 ? dice.octets(length) : new Uint8Array(length).fill(manner === 0 ? 0 : 0xff);
}

/** Where something goes beside a message of ours. */
export type Side = "before" | "after";

/** Undefined if the change does not say. */
export const sideOf = ({ at }: Draft): Side | undefined =>
  at === "before" || at === "after" ? at : undefined;

export const aSide = (dice: Dice): Side => dice.pick(["before", "after"]);
