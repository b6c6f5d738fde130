/** What a peer's behaviour in a case looks like from outside: equal for equal behaviour, whatever the values. */
import { createHash } from "node:crypto";
import type { Observed, StepOutcome } from "../outcome.ts";

/** Answers of a step, and characters of a text, beyond which nothing new is said. */
const MOST_ANSWERS = 6;
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

/** Octets of a log, at its end, and shapes of lines in it, beyond which nothing is read. */
const MOST_LOG = 4 * 1_048_576;
const MOST_SHAPES = 4_000;

/** The shapes of the lines of a log, hashed and each once. What is quoted in them came from us, and may be anything. */
export function logShapes(log: string): string[] {
  const shapes = new Set<string>();
  for (const line of log.slice(-MOST_LOG).split("\n")) {
    if (shapes.size >= MOST_SHAPES) break;
    const bare = line.slice(0, 4 * MOST_TEXT).replace(/'[^']*'|"[^"]*"|\[[^\s\]][^\]]*\]/g, "<text>");
    if (bare.trim() !== "") shapes.add(shapeOf(bare));
  }
  return [...shapes].map((shape) => shortHash(shape));
}

/** The class of what came of a step: who did not begin shows nothing. */
function stepClass({ act, ended, reason, answers }: StepOutcome): string {
  if (ended === "not begun") return ended;
  const distinct = [...new Set(answers)].sort().slice(0, MOST_ANSWERS);
  return [act, ended, reason === undefined ? "" : shapeOf(reason), ...distinct].join("|");
}

/** 16 hex digits. */
const shortHash = (...texts: readonly string[]): string =>
  createHash("sha256").update(texts.join("\n")).digest("hex").slice(0, 16);

export interface Behaviour {
  /** Of the steps with lies in them, and the end. */
  signature: string;
  /** Of every step, with how the one before it ended. */
  pairs: string[];
}

export function behaviourOf({ case: { trace }, steps, probe, claims }: Observed): Behaviour {
  const classes = steps.map(stepClass);
  const told = classes.filter((_, i) => (trace.steps[i]?.changes?.length ?? 0) > 0);
  const newest = claims.at(-1);
  const end = newest ? `${newest.sa.state} ${newest.authentic}` : "no SA";
  const before = (i: number): string => (i === 0 ? "" : `${steps[i - 1]?.act} ${steps[i - 1]?.ended}`);
  return {
    signature: shortHash(trace.peer, ...new Set(told), probe, end),
    pairs: classes.map((name, i) => shortHash(trace.peer, before(i), name)),
  };
}
