/** An alarm counts once it came again: from its case alone, or after the cases before it. */
import type { Alarm } from "../alarm.ts";
import { ddmin } from "../minimise/ddmin.ts";
import type { FuzzCase } from "../trace.ts";
import { asOne, besideEachOther } from "./as-one.ts";
import type { Hit } from "./batch.ts";
import { buildsUp, type Place, type Shown, type Trials } from "./trials.ts";

/** Plays of a suspect alone, and how many must show it; what builds up is played many times for each of them. */
const PLAYS = 3;
const MUST_SHOW = 2;
/** Cases before the one with which something is seen to have grown, any of which may have done it. */
const LATE = 5;
/** Conversations that went on meanwhile and are tried beside it. */
const MOST_BESIDE = 16;
/** Cases before it that are tried, and how often fewer of them are. */
const MOST_BEFORE = 512;
const MOST_TRIED = 48;

export interface NotConfirmed {
  why: string;
}

export interface ConfirmOptions {
  place: Place;
  trials: Pick<Trials, "shows" | "showsAfter">;
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
    const shown = await alone(suspect, alarm, options);
    if (shown) return shown;
  }
  const last = suspects[0];
  // What a conversation says itself may be for an SA beside it; of all else the others are suspects, too.
  for (const other of suspects.length === 1 && last ? flight.slice(-MOST_BESIDE) : []) {
    const both = last && other.number !== last.number ? besideEachOther([other, last]) : undefined;
    const shown = both && (await alone(both, alarm, options));
    if (shown) return shown;
  }
  const at = last ? before.findIndex(({ number }) => number === last.number) : -1;
  const flying = new Set(flight.map(({ number }) => number));
  const all = before.filter((one, i) => at < 0 || i <= at || flying.has(one.number)).slice(-MOST_BEFORE);
  if (all.length < 2) return { why: `did not come again in ${PLAYS} plays of its case` };
  return together(all, alarm, options);
}

const alone = (suspect: FuzzCase, alarm: Alarm, options: ConfirmOptions): Promise<Shown | undefined> =>
  mostly(() => options.trials.shows(suspect, alarm, options.place), alarm, options);

/** Shown by two of three plays. */
async function mostly(
  play: () => Promise<Shown | undefined>,
  alarm: Alarm,
  { until }: ConfirmOptions,
): Promise<Shown | undefined> {
  const [plays, enough] = buildsUp(alarm) ? [1, 1] : [PLAYS, MUST_SHOW];
  let shown = 0;
  for (let played = 0; played < plays && shown + plays - played >= enough && !until(); played++) {
    const found = await play();
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
    const shown = await alone(suspect, alarm, options);
    if (shown) return shown;
  }
  const left = await fewest(await latest(upTo, alarm, options), alarm, options);
  for (const one of left.length === 1 ? left : asOne(left)) {
    const shown = await alone(one, alarm, options);
    if (shown) return shown;
  }
  // Among hundreds of cases anything that comes by chance comes once more.
  const shown = await mostly(() => trials.showsAfter(left, alarm, place), alarm, options);
  const numbers = left.map(({ number }) => number).join(", ");
  if (!shown) return { why: `came again once, and not in ${PLAYS} plays of these cases: ${numbers}` };
  const detail = `${shown.alarm.detail}\nafter these cases, one behind the other: ${numbers}`;
  return { ...shown, alarm: { ...shown.alarm, alone: false, detail } };
}

/** So many of the last as show it: what does it together is often close together. */
async function latest(
  all: readonly FuzzCase[],
  alarm: Alarm,
  { place, trials, until }: ConfirmOptions,
): Promise<readonly FuzzCase[]> {
  for (let count = 2; count < all.length && !until(); count *= 4) {
    const part = all.slice(-count);
    if (await trials.showsAfter(part, alarm, place)) return part;
  }
  return all;
}

/** As few of them as show it. */
async function fewest(
  all: readonly FuzzCase[],
  alarm: Alarm,
  { place, trials, until }: ConfirmOptions,
): Promise<readonly FuzzCase[]> {
  let tried = 0;
  return ddmin(all, async (part) => {
    if (part.length === 0 || tried >= MOST_TRIED || until()) return false;
    tried += 1;
    return (await trials.showsAfter(part, alarm, place)) !== undefined;
  });
}
