/** How a planted breach is written down. */
import type { Payload, SaPayload } from "../../../../wire/types.ts";
import type { Said } from "./said.ts";

export interface Planted {
  rule: string;
  /** The conversation that is honest without the change. */
  of: () => Said[];
  change: (said: Said[]) => void;
  /** Where it must be found, as in `4 @SK+40 SA > proposal 1`: packet, offset (in SK), field. */
  at: string;
  /** The requirement, for a rule of several. Not set: the first of the rule. */
  is?: string;
  /** Other rules that the same change breaks. */
  also?: string[];
}

/** The message of a packet, counted from 1. */
export function message(said: Said[], packet: number): Said {
  const one = said[packet - 1];
  if (!one) throw new Error(`no packet ${packet}`);
  return one;
}

/** A payload of a packet, by kind and place among those of its kind. */
export function payload<K extends Payload["kind"]>(
  said: Said[],
  packet: number,
  kind: K,
  at = 0,
): Extract<Payload, { kind: K }> {
  const isKind = (one: Payload): one is Extract<Payload, { kind: K }> => one.kind === kind;
  const found = message(said, packet).payloads.filter(isKind)[at];
  if (!found) throw new Error(`no ${kind} in packet ${packet}`);
  return found;
}

/** Puts payloads at the end of a message. */
export const add = (said: Said[], packet: number, ...payloads: Payload[]): void => {
  message(said, packet).payloads.push(...payloads);
};

/** Leaves out the payloads of a kind. */
export const drop = (said: Said[], packet: number, kind: Payload["kind"]): void => {
  const one = message(said, packet);
  one.payloads = one.payloads.filter((candidate) => candidate.kind !== kind);
};

/** Puts payloads in the place of all of a kind. */
export const swap = (said: Said[], packet: number, kind: Payload["kind"], ...by: Payload[]): void => {
  const one = message(said, packet);
  const at = one.payloads.findIndex((candidate) => candidate.kind === kind);
  one.payloads = one.payloads.filter((candidate) => candidate.kind !== kind);
  one.payloads.splice(at, 0, ...by);
};

type Proposal = SaPayload["proposals"][number];

/** A proposal of a packet. */
export function proposal(said: Said[], packet: number, at = 0): Proposal {
  const found = payload(said, packet, "SA").proposals[at];
  if (!found) throw new Error(`no proposal ${at + 1} in packet ${packet}`);
  return found;
}

/** A transform of a type in a proposal of a packet. */
export function transform(
  said: Said[],
  packet: number,
  type: number,
  at = 0,
): Proposal["transforms"][number] {
  const found = proposal(said, packet, at).transforms.find((one) => one.type === type);
  if (!found) throw new Error(`no transform of type ${type} in packet ${packet}`);
  return found;
}
