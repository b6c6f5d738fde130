/** A conversation in words, for people who judge a finding or read its test. */
import type { Act, Change, Step, Trace } from "../trace.ts";

const ACT_WORDS: Record<Act, string> = {
  init: "We begin IKE_SA_INIT",
  auth: "We authenticate: every round up to the end of IKE_AUTH",
  "create-child": "We ask for another Child SA",
  "rekey-child": "We rekey the newest Child SA",
  "rekey-ike": "We rekey the IKE SA",
  informational: "We send an INFORMATIONAL request",
  "delete-child": "We delete the newest Child SA",
  "delete-ike": "We delete the IKE SA",
  register: "We register in the group by GSA_REGISTRATION",
  esp: "We send an echo request through the newest Child SA",
  "peer-initiate": "The peer begins an IKE SA with a Child SA, and we answer",
  "peer-rekey-child": "The peer rekeys the Child SA, and we answer",
  "peer-rekey-ike": "The peer rekeys the IKE SA, and we answer",
  "peer-delete-child": "The peer deletes the Child SA, and we answer",
  "peer-delete-ike": "The peer deletes the IKE SA, and we answer",
  "peer-esp": "The peer sends traffic through the Child SA, and we answer",
};

/** What an operator does, in one sentence; undefined for one that is not known. */
type EffectOf = (op: string) => string | undefined;

const NO_EFFECTS: EffectOf = () => undefined;

/** One sentence for each step and, below it, one for each lie. */
export function inWords({ steps }: Trace, effectOf: EffectOf = NO_EFFECTS): string[] {
  return steps.flatMap((step, index) => [
    `${index + 1}. ${stepWords(step)}.`,
    ...(step.changes ?? []).map((change) => `   - ${changeWords(change, effectOf)}`),
  ]);
}

function stepWords({ act, sa, together }: Step): string {
  const which = sa === undefined ? "" : `, on IKE SA ${sa} counted from 0`;
  return `${ACT_WORDS[act]}${which}${together ? ", without waiting for the end of the step before" : ""}`;
}

/** Octets that a sentence can hold. */
const SHOWN = 32;

function changeWords({ message, op, at, value, octets }: Change, effectOf: EffectOf): string {
  const effect = effectOf(op);
  const parts = [
    ...(at === undefined ? [] : [`at ${at}`]),
    ...(value === undefined ? [] : [`value ${value}`]),
    ...(octets === undefined ? [] : [octetWords(octets)]),
  ];
  const told = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  return `Message ${message + 1} of ours: ${op}${told}${effect === undefined ? "." : `: ${effect}`}`;
}

function octetWords(octets: string): string {
  const count = octets.length / 2;
  return count <= SHOWN ? `octets ${octets || "none"}` : `${count} octets ${octets.slice(0, 2 * SHOWN)}...`;
}
