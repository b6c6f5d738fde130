/** An alarm counts once it came again: from its case alone, or after the cases before it. */
import type { Alarm } from "../alarm.ts";
import type { FuzzCase } from "../trace.ts";
import type { Hit } from "./batch.ts";
import type { Place, Shown, Trials } from "./trials.ts";

/** Plays of a suspect alone, and how many must show it. */
const PLAYS = 3;
const MUST_SHOW = 2;
/** Cases before it that are tried, and how often they are halved or so. */
const MOST_BEFORE = 512;
const MOST_HALVINGS = 24;

export interface NotConfirmed {
  why: string;
}

/** `before`: everything that was played on the peer since it was fresh, the suspects among it. */
export async function confirm(
  { alarm, suspects }: Pick<Hit, "alarm" | "suspects">,
  before: readonly FuzzCase[],
  place: Place,
  trials: Trials,
): Promise<Shown | NotConfirmed> {
  for (const suspect of suspects) {
    const shown = await mostly(suspect, alarm, place, trials);
    if (shown) return { ...shown, alarm: { ...shown.alarm, alone: true } };
  }
  const last = suspects[0];
  const at = last ? before.findIndex(({ number }) => number === last.number) : -1;
  const all = (at < 0 ? before : before.slice(0, at + 1)).slice(-MOST_BEFORE);
  if (all.length < 2) return { why: `did not come again in ${PLAYS} plays of its case` };
  return together(all, alarm, place, trials);
}

/** Shown by two of three plays. */
async function mostly(
  suspect: FuzzCase,
  alarm: Alarm,
  place: Place,
  trials: Trials,
): Promise<Shown | undefined> {
  let shown = 0;
  for (let played = 0; played < PLAYS && shown + PLAYS - played >= MUST_SHOW; played++) {
    const found = await trials.shows(suspect, alarm, place);
    if (found) shown += 1;
    if (found && shown === MUST_SHOW) return found;
  }
  return undefined;
}

/** What is left of many cases that raise it together, halved as long as a half does. */
async function together(
  all: readonly FuzzCase[],
  alarm: Alarm,
  place: Place,
  trials: Trials,
): Promise<Shown | NotConfirmed> {
  let best = await trials.showsAfter(all, alarm, place);
  if (!best) return { why: `did not come again, not even after the ${all.length} cases before it` };
  let left = all;
  for (let tried = 0; tried < MOST_HALVINGS && left.length > 1; ) {
    const half = Math.ceil(left.length / 2);
    let smaller: readonly FuzzCase[] | undefined;
    for (const part of [left.slice(half), left.slice(0, half)]) {
      tried += 1;
      const shown = await trials.showsAfter(part, alarm, place);
      if (!shown) continue;
      best = shown;
      smaller = part;
      break;
    }
    if (!smaller) break;
    left = smaller;
  }
  const only = left.length === 1 ? left[0] : undefined;
  if (only) {
    const alone = await mostly(only, alarm, place, trials);
    if (alone) return { ...alone, alarm: { ...alone.alarm, alone: true } };
  }
  const numbers = left.map(({ number }) => number).join(", ");
  const detail = `${best.alarm.detail}\nafter these cases, one behind the other: ${numbers}`;
  return { ...best, alarm: { ...best.alarm, alone: false, detail } };
}
