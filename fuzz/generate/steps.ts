/** Changes to the order of a conversation itself. */
import type { Dice } from "../dice.ts";
import type { Act, Step } from "../trace.ts";

/** Steps of a case, at most; the format allows more. */
export const MOST_STEPS = 12;

type Mutation = (steps: Step[], at: number, acts: readonly Act[], dice: Dice) => Step[];

const change = (steps: Step[], at: number, difference: Partial<Step>): Step[] =>
  steps.map((step, i) => (i === at ? { ...step, ...difference } : step));

const MUTATIONS: readonly Mutation[] = [
  // Something comes between.
  (steps, at, acts, dice) => steps.toSpliced(at, 0, { act: dice.pick(acts) }),
  (steps, at) => steps.toSpliced(at, 1),
  // Once more.
  (steps, at) => steps.toSpliced(at, 0, ...steps.slice(at, at + 1)),
  (steps, at) => {
    const [first, second] = steps.slice(at, at + 2);
    return first && second ? steps.toSpliced(at, 2, second, first) : steps;
  },
  (steps, at) => (at === 0 ? steps : change(steps, at, { together: true })),
  (steps, at, _, dice) => change(steps, at, { sa: dice.number(3) }),
  // After the end.
  (steps, at, acts, dice) => {
    const ends = acts.filter((act) => act === "delete-ike" || act === "delete-child");
    return ends.length > 0 ? steps.toSpliced(at, 0, { act: dice.pick(ends) }) : steps;
  },
];

/** One step inserted, dropped, repeated, swapped with the next, begun together with the one before, or on another SA. */
export function mutateSteps(steps: Step[], acts: readonly Act[], dice: Dice): Step[] {
  const changed = dice.pick(MUTATIONS)(steps, dice.number(steps.length), acts, dice);
  return changed.length > 0 && changed.length <= MOST_STEPS ? changed : steps;
}
