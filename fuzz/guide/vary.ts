/** A case made of one that brought something new. */

import type { Dice } from "../dice.ts";
import { MOST_STEPS, mutateSteps } from "../generate/steps.ts";
import { MOST_CHANGES, type Workshop } from "../generate/workshop.ts";
import { type Step, type Trace, withoutChanges } from "../trace.ts";

interface Material {
  workshop: Workshop;
  dice: Dice;
  /** Another trace of the same setup and role; the same one if there is no other. */
  other: Trace;
}

type Variation = (steps: Step[], material: Material) => Step[];

/** The number of a step with changes; undefined if there is none. */
function liedAt(steps: readonly Step[], dice: Dice): number | undefined {
  const lied = steps.flatMap(({ changes = [] }, i) => (changes.length > 0 ? [i] : []));
  return lied.length > 0 ? dice.pick(lied) : undefined;
}

const more: Variation = (steps, { workshop, dice }) => {
  workshop.addChange(steps, dice);
  return steps;
};

const moreThere: Variation = (steps, { workshop, dice }) => {
  workshop.addChange(steps, dice, liedAt(steps, dice));
  return steps;
};

const less: Variation = (steps, { dice }) => {
  const at = liedAt(steps, dice);
  const step = at === undefined ? undefined : steps[at];
  if (at === undefined || !step?.changes) return steps;
  const changes = step.changes.toSpliced(dice.number(step.changes.length), 1);
  return steps.with(at, changes.length > 0 ? { ...step, changes } : withoutChanges(step));
};

/** The same operator in the same message with another draw. */
const redraw: Variation = (steps, { workshop, dice }) => {
  const at = liedAt(steps, dice);
  const step = at === undefined ? undefined : steps[at];
  if (at === undefined || !step?.changes) return steps;
  const index = dice.number(step.changes.length);
  const change = workshop.redraw(step.act, step.changes[index]!, dice);
  return change ? steps.with(at, { ...step, changes: step.changes.with(index, change) }) : steps;
};

const reorder: Variation = (steps, { workshop, dice }) => mutateSteps(steps, workshop.acts, dice);

/** The beginning of this one, and the end of the other. */
const cross: Variation = (steps, { dice, other }) => {
  const head = steps.slice(0, 1 + dice.number(steps.length));
  const tail = other.steps.slice(Math.min(head.length, dice.number(other.steps.length)));
  return [...head, ...tail].slice(0, MOST_STEPS);
};

/** The other one's changes in steps of the same act. */
const splice: Variation = (steps, { dice, other }) => {
  const at = liedAt(other.steps, dice);
  const lied = at === undefined ? undefined : other.steps[at];
  if (!lied?.changes) return steps;
  const here = steps.findIndex(({ act }) => act === lied.act);
  if (here < 0) return [...steps, lied].slice(0, MOST_STEPS);
  const changes = [...(steps[here]!.changes ?? []), ...lied.changes].slice(0, MOST_CHANGES);
  return steps.with(here, { ...steps[here]!, changes });
};

/** What goes on behind it. */
const goOn: Variation = (steps, { workshop, dice }) =>
  [...steps, { act: dice.pick(workshop.acts) }].slice(0, MOST_STEPS);

const VARIATIONS: readonly Variation[] = [
  more,
  moreThere,
  less,
  redraw,
  redraw,
  reorder,
  cross,
  splice,
  goOn,
];

/** One or two variations of a trace. */
export function vary(trace: Trace, material: Material): Trace {
  const { dice } = material;
  let steps = trace.steps.map((step) => ({ ...step }));
  for (let left = dice.chance(0.3) ? 2 : 1; left > 0; left--) steps = dice.pick(VARIATIONS)(steps, material);
  return steps.length > 0 ? { ...trace, steps } : trace;
}
