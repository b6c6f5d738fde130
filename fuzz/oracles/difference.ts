/** The same case played on two peers: where they part ways. */
import type { Alarm } from "../alarm.ts";
import { findOperator } from "../operators/index.ts";
import type { Outcome, StepOutcome } from "../outcome.ts";
import { changesOf } from "../trace.ts";
import { formsOf, normalForm } from "./normal-form.ts";

export interface Difference {
  /** Index of the step. */
  step: number;
  a: string;
  b: string;
}

/**
 * The first step in which they differ: what follows are its consequences. Nothing where a step could not be begun with
 * one of them, which says what a peer lacks and not what it does wrong.
 */
export function differences(a: Outcome, b: Outcome): Difference[] {
  const [ours, theirs] = [formsOf(a), formsOf(b)];
  for (const [step, form] of ours.entries()) {
    const other = theirs[step] ?? "";
    if (form === other) continue;
    const isLacking = [a, b].some((outcome) => saysNothing(outcome.steps[step]));
    const isUnfit = [a, b].some(({ steps }) => (steps[step]?.unfit.length ?? 0) > 0);
    return isLacking || isUnfit ? [] : [{ step, a: form, b: other }];
  }
  return [];
}

/** What was not begun; and what the peer begins, as when it tries again, and how often, is its own affair. */
const saysNothing = (step: StepOutcome | undefined): boolean =>
  step?.ended === "not begun" || (step?.ended === "silence" && step.act.startsWith("peer-"));

/** Runs that a difference is confirmed by, on each side. */
const LEAST_RUNS = 2;

/** Whether two peers differ surely: each side was played at least twice, is the same every time, and they differ. */
export function isDifference(a: readonly Outcome[], b: readonly Outcome[]): boolean {
  const isStable = (runs: readonly Outcome[]) =>
    runs.length >= LEAST_RUNS && new Set(runs.map(normalForm)).size === 1;
  const [first, second] = [a[0], b[0]];
  return (
    first !== undefined &&
    second !== undefined &&
    isStable(a) &&
    isStable(b) &&
    differences(first, second).length > 0
  );
}

const MOST_TEXT = 48;

/** An alarm about a difference of peer `a` from `b`, whose names are as a reader knows them. */
export function differenceAlarm(
  outcome: Outcome,
  difference: Difference,
  names: { a: string; b: string },
): Alarm {
  const [change] = changesOf(outcome.case.trace);
  const demand = change && findOperator(change.op)?.demand;
  const { step, a, b } = difference;
  const short = (form: string) => form.slice(0, MOST_TEXT);
  return {
    ...{ oracle: "difference", title: `goes another way than ${names.b}: ${a}, and there ${b}` },
    signature: `difference ${outcome.case.stage} ${change?.op ?? "honest"} ${step} ${short(a)} | ${short(b)}`,
    // Where the text takes a side, one of them breaks it; its own oracle says which.
    severity: demand ? "low" : "note",
    detail: demand
      ? `${demand.document} ${demand.requirement} demands that no ${demand.never} follows`
      : "the text that we know takes no side",
    alone: true,
  };
}

/** Which of the two the text supports: the one that does not do what the operator's demand forbids; undefined if it takes no side. */
export function supported(outcome: Outcome, { a, b }: Difference): "a" | "b" | undefined {
  const [change, ...more] = changesOf(outcome.case.trace);
  const demand = change && more.length === 0 ? findOperator(change.op)?.demand : undefined;
  if (!demand) return undefined;
  const [goesOn, other] = [a, b].map((form) => form.endsWith(": done"));
  if (goesOn === other) return undefined;
  return goesOn ? "b" : "a";
}
