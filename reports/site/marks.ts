/** What is marked in the ladder of a failed result and in that of its twin: the fault, and where the two part. */
import { PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import type { DiffRules } from "../../pcaps/diff/rules.ts";
import type { Difference } from "../../pcaps/diff/types.ts";
import type { Mark } from "../../pcaps/ladder-svg.ts";
import type { View } from "../../pcaps/view.ts";
import type { Offence, TestResult } from "../results.ts";
import { type Divergence, divergenceOf, isIdle, ownMark } from "./divergence.ts";

/** By index in the views. */
export type Marks = ReadonlyMap<number, Mark>;

export interface TwinMarks {
  own: Marks;
  twin: Marks;
  /** Not set where the two do not differ, or there is no twin. */
  divergence?: Divergence;
}

type Failed = Pick<TestResult, "verdict" | "reason" | "offence">;

/** `others`: the views of the twin, if there is one. */
export function marksOf(
  test: Failed,
  views: readonly View[],
  others: readonly View[] | undefined,
  rules: DiffRules,
): TwinMarks {
  const divergence = others && divergenceOf(views, others, rules, test.offence);
  const own = new Map(divergence?.own);
  const index = test.offence ? views.findIndex(({ at }) => at === test.offence?.event) : -1;
  if (test.offence && index >= 0) own.set(index, faultMark(test, test.offence, divergence));
  return { own, twin: divergence?.twin ?? new Map(), ...(divergence && { divergence }) };
}

/**
 * A message has one mark. Where nobody names the field of the fault, it is the one in which the twin differs, if there is
 * just one, and the label says so.
 */
function faultMark(test: Failed, offence: Offence, divergence: Divergence | undefined): Mark {
  const label = labelOf(test, offence);
  const there = (divergence?.differences ?? []).filter((one) => one.atA === offence.event && !isIdle(one));
  const { field } = offence;
  if (field !== undefined) return { tone: "fault", field: closer(field, there), label };
  const ours = there.filter(({ kind }) => kind !== "added");
  const difference = ours.length === 0 ? there[0] : ours.length === 1 ? ours[0] : undefined;
  if (!difference) return { tone: "fault", label };
  const mark = ownMark(difference);
  return { ...mark, tone: "fault", label: `${shortened(label)}; ${mark.label}` };
}

/** The field in which the twin differs, where it is the only one inside of the field at fault. */
function closer(field: string, there: readonly Difference[]): string {
  const inside = there.flatMap((one) => ownMark(one).field ?? []).filter((path) => isInside(path, field));
  return inside.length === 1 ? inside[0]! : field;
}

const isInside = (path: string, field: string): boolean =>
  (PATH_SEPARATOR + path).includes(PATH_SEPARATOR + field + PATH_SEPARATOR);

/** Who accuses, and of what. */
function labelOf({ verdict, reason }: Failed, offence: Offence): string {
  if (offence.by === "dropped") return `not acted on: ${offence.reason ?? reason}`;
  if (offence.by === "ended") return `here our endpoint gave up: ${offence.reason ?? reason}`;
  if (offence.requirement === undefined) return `${verdict}: ${reason}`;
  return `${verdict}, against ${offence.requirement}: ${offence.reason ?? reason}`;
}

const MOST = 60;

const shortened = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text);
