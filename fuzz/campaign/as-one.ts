/** Several conversations as one, where a peer does wrong only after all of them. */
import { type FuzzCase, type Step, traceSchema, withoutChanges } from "../trace.ts";

/** What our end says after a conversation, and no trace has. */
const PARTING: Step = { act: "delete-ike" };

/**
 * The conversations as one: with an IKE SA for each, with the Delete for it or without, or all on that of the first, as
 * far as they begin alike; and with those before the last honest, as what lies more than once no oracle tells apart. It
 * has the number and the seed of the last of them.
 */
export function asOne(cases: readonly FuzzCase[]): FuzzCase[] {
  if (cases.length === 1) return [];
  const all = stepsOf(cases);
  const [first = [], ...later] = all;
  const onOne = [...first, ...later.flatMap((steps) => steps.slice(inCommon(first, steps)))];
  const isLast = (i: number): boolean => i === all.length - 1;
  const parting = all.map((steps, i) => (isLast(i) ? steps : [...steps, PARTING]));
  const honest = all.map((steps, i) => (isLast(i) ? steps : steps.map(withoutChanges)));
  const lies = all.some((steps, i) => !isLast(i) && steps.some(({ changes = [] }) => changes.length > 0));
  const ways = lies ? [all, parting, honest] : [all, parting];
  return [onOne, ...ways.map(oneBehindTheOther)].flatMap((steps) => ofLast(cases, steps));
}

/** One conversation in which the IKE SAs of all those before still stand when the last begins; undefined if too long. */
export const besideEachOther = (cases: readonly FuzzCase[]): FuzzCase | undefined =>
  ofLast(cases, oneBehindTheOther(stepsOf(cases)))[0];

const stepsOf = (cases: readonly FuzzCase[]): Step[][] => cases.map(({ trace }) => trace.steps);

/** With these steps, if that is a trace. */
function ofLast(cases: readonly FuzzCase[], steps: Step[]): FuzzCase[] {
  const last = cases.at(-1);
  const one = last && { ...last, trace: { ...last.trace, steps } };
  return one && traceSchema.safeParse(one.trace).success ? [one] : [];
}

const isBeginning = ({ act }: Step): boolean => act === "init" || act === "peer-initiate";

function oneBehindTheOther(all: readonly (readonly Step[])[]): Step[] {
  let before = 0;
  return all.flatMap((steps) => {
    const from = before;
    before += steps.filter(isBeginning).length;
    return steps.map((step) => (step.sa === undefined ? step : { ...step, sa: step.sa + from }));
  });
}

/** Honest steps at the beginning of both. */
function inCommon(one: readonly Step[], other: readonly Step[]): number {
  const differs = other.findIndex(
    (step, i) => (step.changes?.length ?? 0) > 0 || JSON.stringify(step) !== JSON.stringify(one[i]),
  );
  return differs < 0 ? other.length : differs;
}
