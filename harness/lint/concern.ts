/** Which messages a rule can be about: it is not asked about others, of which there are many more. */
import type { Concern, LintMessage, Part, Rule, Traits } from "./rule.ts";

/** Numbers that a field may have, a bit each. Types from 33 to 63 have their own; beyond, some share one. */
const bitOf = (type: number): number => 1 << (type % 31);
const bitsOf = (types: readonly number[]): number => types.reduce((bits, type) => bits | bitOf(type), 0);

/** Set in what is asked of every message, and in every message. */
const ALWAYS = 1 << 31;
const ANY = -1;
const REQUEST = 1;
const RESPONSE = 2;

/** What of a message decides which rules are asked. */
export function traitsOf(
  exchangeType: number,
  isResponse: boolean,
  clear: readonly Part[],
  content: readonly Part[] = [],
): Traits {
  const traits: Traits = {
    exchange: bitOf(exchangeType),
    side: isResponse ? RESPONSE : REQUEST,
    payloads: ALWAYS,
    notifies: ALWAYS,
  };
  mark(traits, clear);
  if (content !== clear) mark(traits, content);
  return traits;
}

function mark(traits: Traits, parts: readonly Part[]): void {
  for (const { payload } of parts) {
    traits.payloads |= bitOf(payload.type);
    if (payload.kind === "Notify") traits.notifies |= bitOf(payload.notifyType);
  }
}

/** A concern as bits: each field must share one with the message. */
export function bitsOfConcern({ exchanges, isResponse, payloads, notifies }: Concern = {}): Traits {
  return {
    exchange: exchanges ? bitsOf(exchanges) : ANY,
    side: isResponse === undefined ? ANY : isResponse ? RESPONSE : REQUEST,
    payloads: payloads ? bitsOf(payloads) : ANY,
    notifies: notifies ? bitsOf(notifies) : ANY,
  };
}

/** False where a rule that concerns `wanted` surely has nothing to say of the message. */
export const mayConcern = (wanted: Traits, { traits }: LintMessage): boolean =>
  (wanted.exchange & traits.exchange) !== 0 &&
  (wanted.side & traits.side) !== 0 &&
  (wanted.payloads & traits.payloads) !== 0 &&
  (wanted.notifies & traits.notifies) !== 0;

/** Rules that all are about such messages alone; where a rule says it more exactly, that stands. */
export const concerning = <R extends Rule>(concern: Concern, rules: readonly R[]): R[] =>
  rules.map((rule) => ({ ...rule, concerns: { ...concern, ...rule.concerns } }));
