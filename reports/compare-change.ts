/** Whether a test does better or worse than before. */
import type { Change } from "./compare-schema.ts";
import { type Outcome, outcomeOf, standingOf, type TestResult, type Verdict } from "./results.ts";

/** A change and what makes it one. */
export interface Judged {
  change: Change;
  why: string;
}

/** Among what is bad, a dead peer is worse than a wrong answer. */
const BADNESS: Partial<Record<Verdict, number>> = { "wrong-reason": 1, fail: 2, hang: 3, crash: 3 };

/** What a verdict says of the peer; a lab that failed says nothing. */
const saysOf = (verdict: Verdict): "good" | "bad" | "nothing" =>
  verdict === "setup" ? "nothing" : SAYS[outcomeOf(verdict)];

const SAYS: Record<Outcome, "good" | "bad" | "nothing"> = {
  ...{ passed: "good", failed: "bad", broken: "bad", skipped: "nothing" },
};

/**
 * How a test changed; undefined when it did not. Worse: good news is gone, a verdict that says nothing of the peer
 * became bad news, or bad news is worse. What a lab that failed had hidden is no change of the peer.
 */
export function judgeChange(old: TestResult, now: TestResult): Judged | undefined {
  if (isUnstable(old) || isUnstable(now)) return judgeUnstable(old, now);
  if (old.verdict === now.verdict) {
    if (withoutChance(old.reason) === withoutChance(now.reason)) return undefined;
    return { change: "other", why: `${now.verdict} for another reason` };
  }
  const why = `${old.verdict} became ${now.verdict}`;
  return { change: judgeVerdicts(old.verdict, now.verdict), why };
}

function judgeVerdicts(old: Verdict, now: Verdict): Change {
  const [before, after] = [saysOf(old), saysOf(now)];
  if (before === "good" && after === "good") return now === "tolerated" ? "worse" : "better";
  if (before === "bad" && after === "bad") {
    const [less, more] = [BADNESS[old] ?? 0, BADNESS[now] ?? 0];
    return less < more ? "worse" : less > more ? "better" : "other";
  }
  if (after === "good") return "better";
  if (before === "good") return "worse";
  return before === "nothing" && after === "bad" && old !== "setup" ? "worse" : "other";
}

const isUnstable = (test: TestResult): boolean => standingOf(test) === "unstable";

function judgeUnstable(old: TestResult, now: TestResult): Judged | undefined {
  const [before, after] = [triesOf(old), triesOf(now)];
  if (before === after) return undefined;
  return { change: "unstable", why: `${before} became ${after}` };
}

/** `hang, then pass`. */
const triesOf = ({ verdict, again }: TestResult): string =>
  again && again.verdict !== verdict ? `${verdict}, then ${again.verdict}` : verdict;

/** A reason without SPIs and other long hexadecimal numbers, and without times: they differ from run to run. */
const withoutChance = (reason: string): string =>
  reason
    .replace(/\b(?:0x)?[0-9a-f]{8,}\b/gi, "…")
    .replace(/\b\d+(?:\.\d+)? ?(?=m?s\b)/g, "… ")
    .replace(/\s+/g, " ")
    .trim();
