/** An alarm counts once it came again: from its case alone, or after the cases before it. */
import type { Alarm } from "../alarm.ts";
import { ddmin } from "../minimise/ddmin.ts";
import type { FuzzCase } from "../trace.ts";
import { asOne } from "./as-one.ts";
import type { Hit } from "./batch.ts";
import { buildsUp, type Place, type Shown, type Trials } from "./trials.ts";

/** Plays of a suspect alone, and how many must show it; what builds up is played many times for each of them. */
const PLAYS = 3;
const MUST_SHOW = 2;
/** Cases before the one with which something is seen to have grown, any of which may have done it. */
const LATE = 5;
/** Cases before it that are tried, and how often fewer of them are. */
const MOST_BEFORE = 512;
const MOST_TRIED = 48;

export interface NotConfirmed {
  why: string;
}

export interface ConfirmOptions {
  place: Place;
  trials: Trials;
  /** Whether it is time to give up. */
  until(): boolean;
}

/** `before`: everything that was played on the peer since it was fresh, the suspects among it. */
export async function confirm(
  { alarm, suspects, flight }: Pick<Hit, "alarm" | "suspects" | "flight">,
  before: readonly FuzzCase[],
  options: ConfirmOptions,
): Promise<Shown | NotConfirmed> {
  for (const suspect of suspects) {
    const shown = await mostly(suspect, alarm, options);
    if (shown) return { ...shown, alarm: { ...shown.alarm, alone: true } };
  }
  const last = suspects[0];
  const at = last ? before.findIndex(({ number }) => number === last.number) : -1;
  const flying = new Set(flight.map(({ number }) => number));
  const all = before.filter((one, i) => at < 0 || i <= at || flying.has(one.number)).slice(-MOST_BEFORE);
  if (all.length < 2) return { why: `did not come again in ${PLAYS} plays of its case` };
  return together(all, alarm, options);
}

/** Shown by two of three plays. */
async function mostly(
  suspect: FuzzCase,
  alarm: Alarm,
  { place, trials, until }: ConfirmOptions,
): Promise<Shown | undefined> {
  const [plays, enough] = buildsUp(alarm) ? [1, 1] : [PLAYS, MUST_SHOW];
  let shown = 0;
  for (let played = 0; played < plays && shown + plays - played >= enough && !until(); played++) {
    const found = await trials.shows(suspect, alarm, place);
    if (found) shown += 1;
    if (found && shown === enough) return found;
  }
  return undefined;
}

/** What is left of many cases that raise it together; as one conversation, if it is one that does it. */
async function together(
  all: readonly FuzzCase[],
  alarm: Alarm,
  options: ConfirmOptions,
): Promise<Shown | NotConfirmed> {
  const { place, trials, until } = options;
  if (until()) return { why: "there was no time to play it again" };
  const first = await trials.showsAfter(all, alarm, place);
  if (!first) return { why: `did not come again, not even after the ${all.length} cases before it` };
  const upTo = all.slice(0, all.indexOf(first.case) + 1);
  for (const suspect of buildsUp(alarm) ? upTo.slice(-LATE - 1).reverse() : [first.case]) {
    const alone = await mostly(suspect, alarm, options);
    if (alone) return { ...alone, alarm: { ...alone.alarm, alone: true } };
  }
  const { best, left } = await fewest(first, upTo, alarm, options);
  for (const one of asOne(left)) {
    const alone = await mostly(one, alarm, options);
    if (alone) return { ...alone, alarm: { ...alone.alarm, alone: true } };
  }
  const numbers = left.map(({ number }) => number).join(", ");
  const detail = `${best.alarm.detail}\nafter these cases, one behind the other: ${numbers}`;
  return { ...best, alarm: { ...best.alarm, alone: false, detail } };
}

/** As few of them as show it. */
async function fewest(
  shown: Shown,
  all: readonly FuzzCase[],
  alarm: Alarm,
  { place, trials, until }: ConfirmOptions,
): Promise<{ best: Shown; left: readonly FuzzCase[] }> {
  let best = shown;
  let tried = 0;
  const left = await ddmin(all, async (part) => {
    if (part.length === 0 || tried >= MOST_TRIED || until()) return false;
    tried += 1;
    const found = await trials.showsAfter(part, alarm, place);
    best = found ?? best;
    return found !== undefined;
  });
  return { best, left };
}
