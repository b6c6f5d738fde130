/** Makes the shortest conversation out of one that shows a fault: steps first, then lies, then what is in them. */
import type { Trace } from "../trace.ts";
import { sooner } from "./sooner.ts";
import { cheaper, cutShort, fewerChanges, fewerSteps, guess, least, lesser } from "./structure.ts";
import { type Limits, type Shows, Trial } from "./trial.ts";
import { fewerOctets, simpler } from "./values.ts";

export type { Limits, Shows } from "./trial.ts";

export interface Minimised {
  trace: Trace;
  /** That we send in it. */
  messages: number;
  /** Conversations played. */
  executions: number;
  /** True if a limit came first: there may be a smaller one. */
  exhausted: boolean;
  /** False if not even the whole conversation showed it when it was played again. */
  shown: boolean;
}

/** What a finding may cost. */
export const USUAL_LIMITS: Limits = { executions: 300, ms: 60_000 };

/**
 * A conversation that still shows, and none of the simpler ones next to it does. It is decided by `shows` alone: the
 * same answers give the same conversation. A fault that shows only every other time is tried twice, a rarer one more often.
 */
export async function minimise(
  trace: Trace,
  shows: Shows,
  limits: Limits = USUAL_LIMITS,
  now: () => number = () => performance.now(),
): Promise<Minimised> {
  const trial = new Trial(trace, shows, limits, now);
  const shown = await steady(trial);
  if (shown) {
    await guess(trial);
    await fewerSteps(trial);
    await fewerChanges(trial);
    await settle(trial);
    if (await least(trial, (best) => sooner(best, trial.played), { fewer: true })) await settle(trial);
    await least(trial, cutShort, { fewer: true });
  }
  const {
    best,
    played: { messages },
  } = trial;
  return { trace: best, messages, executions: trial.executions, exhausted: trial.exhausted, shown };
}

/** Plays of the whole conversation, until it shows: an alarm is a finding by two of three. */
const FIRST_PLAYS = 6;

/** Whether the whole conversation shows; a fault that does not show each time makes the trial patient. */
async function steady(trial: Trial): Promise<boolean> {
  const tries = [await trial.again(), await trial.again()];
  while (!tries.includes(true) && tries.length < FIRST_PLAYS) tries.push(await trial.again());
  if (tries.some((shown) => shown !== true)) trial.tries = tries.length;
  return tries.includes(true);
}

/** Until nothing changes any more: what became idle by a simpler lie can be left out. */
async function settle(trial: Trial): Promise<void> {
  for (let before: Trace | undefined; before !== trial.best && !trial.exhausted; ) {
    before = trial.best;
    await least(trial, lesser);
    await least(trial, cheaper, { fewer: true });
    await fewerOctets(trial);
    await least(trial, simpler);
  }
}
