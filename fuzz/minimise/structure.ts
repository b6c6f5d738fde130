/** Conversations with less in them: fewer steps, fewer lies, less to set up. */
import {
  type Act,
  type Change,
  MESSAGE_SKIP,
  type Step,
  type Trace,
  traceSchema,
  withoutChanges,
} from "../trace.ts";
import { ddmin } from "./ddmin.ts";
import type { Trial } from "./trial.ts";

/** The setup that asks the least of a peer. */
const SIMPLEST = "psk";

/** What an act needs before it, where we are the initiator and where the peer is. */
function before(act: Act, role: Trace["peer"]): Step[] {
  if (act === "init" || act === "peer-initiate") return [];
  if (role === "initiator") return [{ act: "peer-initiate" }];
  return act === "auth" ? [{ act: "init" }] : [{ act: "init" }, { act: "auth" }];
}

const withChanges = (step: Step, changes: readonly Change[]): Step =>
  changes.length === 0 ? withoutChanges(step) : { ...withoutChanges(step), changes: [...changes] };

/** The place of a change in its trace. */
interface Placed {
  step: number;
  change: Change;
}

const placedOf = ({ steps }: Trace): Placed[] =>
  steps.flatMap(({ changes = [] }, step) => changes.map((change) => ({ step, change })));

const withPlaced = (trace: Trace, placed: readonly Placed[]): Trace => ({
  ...trace,
  steps: trace.steps.map((step, index) =>
    withChanges(
      step,
      placed.filter((one) => one.step === index).map(({ change }) => change),
    ),
  ),
});

/** Guesses at how many lies are looked at each by itself. */
const GUESSES = 6;

/** Most faults need one lie, or the lies of one step, at the end of an honest conversation as short as can be. */
export async function guess(trial: Trial): Promise<void> {
  const { steps, peer } = trial.best;
  const lying = steps.filter(({ changes = [] }) => changes.length > 0).slice(-GUESSES);
  for (const step of lying.reverse()) {
    const alone = { act: step.act, changes: step.changes };
    const [first] = step.changes ?? [];
    for (const end of first && alone.changes?.length !== 1
      ? [{ ...alone, changes: [first] }, alone]
      : [alone])
      if (await trial.take({ ...trial.best, steps: [...before(step.act, peer), end] })) return;
  }
}

export async function fewerSteps(trial: Trial): Promise<void> {
  const start = trial.best;
  await ddmin(start.steps, (steps) => trial.take({ ...trial.best, steps: [...steps] }));
}

export async function fewerChanges(trial: Trial): Promise<void> {
  const start = trial.best;
  await ddmin(placedOf(start), (placed) => trial.take(withPlaced(start, placed)));
}

/** Every way to leave one thing out, the largest first. */
export function* lesser(trace: Trace): Generator<Trace> {
  const { steps, setup } = trace;
  if (setup !== SIMPLEST) yield { ...trace, setup: SIMPLEST };
  for (let at = steps.length - 1; at >= 0; at--) yield { ...trace, steps: steps.filter((_, i) => i !== at) };
  const placed = placedOf(trace);
  for (let at = placed.length - 1; at >= 0; at--)
    yield withPlaced(
      trace,
      placed.filter((_, i) => i !== at),
    );
  for (const [at, step] of steps.entries()) {
    const { together, sa, ...plain } = step;
    const put = (other: Step): Trace => ({ ...trace, steps: steps.with(at, other) });
    if (together) yield put({ ...plain, ...(sa !== undefined && { sa }) });
    if (sa !== undefined) yield put({ ...plain, ...(together && { together }) });
  }
}

/** What may do as well, with fewer messages. */
const CHEAPER: Partial<Record<Act, readonly Act[]>> = {
  "rekey-child": ["create-child", "delete-child"],
  "rekey-ike": ["create-child", "delete-child"],
  "peer-rekey-child": ["peer-delete-child", "create-child", "delete-child"],
  "peer-rekey-ike": ["rekey-ike", "peer-delete-child", "create-child", "delete-child"],
};

/** Every way to put an act with fewer messages into the place of another. */
export function* cheaper(trace: Trace): Generator<Trace> {
  for (const [at, step] of trace.steps.entries())
    for (const act of CHEAPER[step.act] ?? [])
      yield { ...trace, steps: trace.steps.with(at, { ...step, act }) };
}

/** Every way to end a step with the message behind its last lie. */
export function* cutShort(trace: Trace): Generator<Trace> {
  for (const [at, step] of trace.steps.entries()) {
    const { changes = [] } = step;
    const message = 1 + Math.max(0, ...changes.map((change) => change.message));
    if (changes.some(({ op }) => op === MESSAGE_SKIP)) continue;
    const cut = withChanges(step, [...changes, { message, op: MESSAGE_SKIP }]);
    const shorter = { ...trace, steps: trace.steps.with(at, cut) };
    if (traceSchema.safeParse(shorter).success) yield shorter;
  }
}

/** Leaves out one thing after another until none can be. True if one could. */
export async function least(
  trial: Trial,
  ways: (trace: Trace) => Iterable<Trace>,
  wanted: { fewer?: boolean } = {},
): Promise<boolean> {
  const start = trial.best;
  for (let found = true; found && !trial.exhausted; ) {
    found = false;
    for (const trace of ways(trial.best)) {
      if (!(await trial.take(trace, wanted))) continue;
      found = true;
      break;
    }
  }
  return trial.best !== start;
}
