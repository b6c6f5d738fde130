/** What a peer's behaviour in a case looks like from outside: equal for equal behaviour, whatever the values. */
import { createHash } from "node:crypto";
import type { Outcome, StepOutcome } from "../outcome.ts";

/** Answers of a step, and characters of a text, beyond which nothing new is said. */
const MOST_ANSWERS = 8;
const MOST_TEXT = 120;

/** A text without what differs from run to run: addresses, hex, numbers. */
export const shapeOf = (text: string): string =>
  text
    .slice(0, 2 * MOST_TEXT)
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, "<address>")
    .replace(/\b[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*/gi, "<address>")
    .replace(/\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{4,}(?:_[io])?\b/gi, "<hex>")
    .replace(/\d+/g, "#")
    .slice(0, MOST_TEXT);

/** The class of what came of a step. */
export function stepClass({ act, ended, reason, answers }: StepOutcome): string {
  const distinct = answers.filter((answer, i) => answer !== answers[i - 1]).slice(0, MOST_ANSWERS);
  return [act, ended, reason === undefined ? "" : shapeOf(reason), ...distinct].join("|");
}

/** 16 hex digits. */
export const shortHash = (...texts: readonly string[]): string =>
  createHash("sha256").update(texts.join("\n")).digest("hex").slice(0, 16);

export interface Behaviour {
  /** Of the steps with lies in them, what came next, and the end. */
  signature: string;
  /** Of every step with the one before it. */
  pairs: string[];
}

export function behaviourOf({ case: played, steps, probe, claims }: Outcome): Behaviour {
  const classes = steps.map(stepClass);
  const lied = (at: number): boolean => (played.trace.steps[at]?.changes?.length ?? 0) > 0;
  const told = classes.filter((_, i) => lied(i) || lied(i - 1));
  const last = classes.at(-1) ?? "";
  const states = claims.map(({ sa, authentic }) => `${sa.state} ${authentic}`).slice(0, MOST_ANSWERS);
  return {
    signature: shortHash(played.trace.peer, played.stage, ...told, last, probe, ...states),
    pairs: classes.map((name, i) => shortHash(played.trace.peer, i === 0 ? "" : classes[i - 1]!, name)),
  };
}
