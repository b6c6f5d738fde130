/** Makes traces for one setup and role: the cells there are, and conversations with changes of them. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Dice } from "../dice.ts";
import type { Operator } from "../operators/operator.ts";
import type { Setup } from "../setups.ts";
import type { Act, Change, Stage, Step, Trace } from "../trace.ts";
import {
  type Cell,
  cellsOf,
  drawChange,
  drawDraft,
  payloadOf,
  type Shelves,
  type Spot,
  shelvesOf,
  spotsOf,
} from "./cells.ts";
import type { Samples } from "./samples.ts";
import { actsOf, beginning, drawSequence, leadingTo, skeletonsOf } from "./skeletons.ts";
import { stageOf, stageOfAct } from "./stages.ts";
import { MOST_STEPS, mutateSteps } from "./steps.ts";

/** Changes of a case, at most; the format allows more. */
export const MOST_CHANGES = 8;

/** How many changes a case has: mostly one. */
const COUNTS = [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4] as const;

/** Share of conversations in which other exchanges come before the one that is lied in. */
const LED = 0.4;

export class Workshop {
  readonly setup: Setup;
  readonly peer: PeerRole;
  readonly #operators: readonly Operator[];
  readonly #spots: readonly Spot[];
  readonly #cells = new Map<Stage, readonly Cell[]>();
  readonly #shelves = new Map<Stage, Shelves>();
  readonly acts: readonly Act[];

  constructor(setup: Setup, peer: PeerRole, samples: Samples, operators: readonly Operator[]) {
    this.setup = setup;
    this.peer = peer;
    this.#operators = operators;
    this.#spots = spotsOf(samples);
    this.acts = actsOf(setup, peer);
  }

  get stages(): Set<Stage> {
    return new Set(this.#spots.map(({ stage }) => stage));
  }

  /** The cells of a stage; made once, when they are first asked for. */
  cells(stage: Stage): readonly Cell[] {
    const found = this.#cells.get(stage) ?? cellsOf(this.#spotsAt(stage), this.#operators);
    this.#cells.set(stage, found);
    return found;
  }

  shelves(stage: Stage): Shelves {
    const found = this.#shelves.get(stage) ?? shelvesOf(this.cells(stage));
    this.#shelves.set(stage, found);
    return found;
  }

  /** Equal for setups in which our messages of this stage have the same payloads. */
  surface(stage: Stage): string {
    return [...new Set(this.#spotsAt(stage).map(({ shape }) => shape))].sort().join(", ");
  }

  #spotsAt(stage: Stage): Spot[] {
    return this.#spots.filter((spot) => spot.stage === stage);
  }

  /** A conversation through the cell's stage with a change for the cell, and sometimes more, or as many as are asked for. */
  trace(cell: Cell, dice: Dice, asked?: number): Trace | undefined {
    const first = drawChange(cell, dice);
    if (!first) return undefined;
    const led = asked === undefined && dice.chance(LED);
    const steps = led ? this.#led(cell, dice) : this.#steps(cell, dice);
    const places = steps.flatMap(({ act }, i) => (act === cell.spot.act ? [i] : []));
    const at = led ? places.at(-1)! : dice.pick(places);
    add(steps, at, first);
    const count = asked ?? dice.pick(COUNTS);
    for (let i = 1; i < count; i++) this.addChange(steps, dice, dice.chance(0.5) ? at : undefined);
    const reordered = asked === undefined && dice.chance(0.06);
    return this.#traceOf(reordered ? mutateSteps(steps, this.acts, dice) : steps);
  }

  #steps({ spot }: Cell, dice: Dice): Step[] {
    const all = skeletonsOf(this.setup, this.peer, spot.stage).filter((acts) => acts.includes(spot.act));
    const [shortest] = all;
    if (!shortest) return [...beginning(this.peer), spot.act].map((act) => ({ act }));
    return (dice.chance(0.5) ? shortest : dice.pick(all)).map((act) => ({ act }));
  }

  /** Changes for these cells, of one stage, in one conversation, each in a step of its own. */
  train(cells: readonly Cell[], dice: Dice): Trace | undefined {
    const begun = beginning(this.peer);
    const steps: Step[] = [];
    for (const cell of cells) {
      const change = drawChange(cell, dice);
      if (!change) continue;
      const at = begun.indexOf(cell.spot.act);
      const before = at >= 0 ? begun.slice(0, at) : steps.length === 0 ? begun : [];
      steps.push(...before.map((act) => ({ act })), { act: cell.spot.act, changes: [change] });
    }
    return steps.length > 0 ? this.#traceOf(steps) : undefined;
  }

  /** The step of the cell comes last, after others that are honest. */
  #led({ spot }: Cell, dice: Dice): Step[] {
    return leadingTo(spot.act, this.setup, this.peer, dice).map((act) => ({ act }));
  }

  /** Acts in any order, mostly with a lie somewhere. */
  sequence(dice: Dice): Trace {
    const steps = drawSequence(this.setup, this.peer, dice);
    if (dice.chance(0.6)) this.addChange(steps, dice);
    return this.#traceOf(steps);
  }

  /** One change more, in the step with this number or in any. */
  addChange(steps: Step[], dice: Dice, at?: number): void {
    const step = at ?? dice.number(steps.length);
    const spots = this.#spots.filter(({ act }) => act === steps[step]?.act);
    if (spots.length === 0) return;
    const spot = dice.pick(spots);
    const operator = dice.pick(this.#operators);
    const draft = drawDraft(operator, spot.sample, dice);
    if (draft) add(steps, step, { message: spot.message, op: operator.name, ...draft });
  }

  /** The same operator in the same message, drawn anew. */
  redraw(act: Act, { message, op }: Change, dice: Dice): Change | undefined {
    const spot = this.#spots.find((other) => other.act === act && other.message === message);
    const operator = this.#operators.find(({ name }) => name === op);
    const draft = spot && operator && drawDraft(operator, spot.sample, dice);
    return draft && { message, op, ...draft };
  }

  #traceOf(steps: Step[]): Trace {
    return { trace: 1, setup: this.setup.name, peer: this.peer, steps: steps.slice(0, MOST_STEPS) };
  }

  /** The stage of a change, if our honest side sends such a message. */
  stageAt(act: Act, message: number): Stage | undefined {
    const spot = this.#spots.find((other) => other.act === act && other.message === message);
    return spot && stageOf(act, spot.sample);
  }

  /** Of the first change, or of the last step. */
  stageOfTrace({ steps }: Trace): Stage {
    for (const { act, changes = [] } of steps) {
      const [first] = changes;
      if (first) return this.stageAt(act, first.message) ?? stageOfAct(act);
    }
    return stageOfAct(steps.at(-1)?.act ?? "init");
  }

  /** The cells that a trace's changes are in. */
  cellsOfTrace({ steps }: Trace): { stage: Stage; payload: string; operator: string }[] {
    return steps.flatMap(({ act, changes = [] }) =>
      changes.map((change) => ({
        stage: this.stageAt(act, change.message) ?? stageOfAct(act),
        ...{ payload: payloadOf(change), operator: change.op },
      })),
    );
  }
}

/** Adds a change to a step, unless the case has enough. */
export function add(steps: Step[], at: number, change: Change): void {
  const step = steps[at];
  if (!step || steps.reduce((sum, { changes = [] }) => sum + changes.length, 0) >= MOST_CHANGES) return;
  steps[at] = { ...step, changes: [...(step.changes ?? []), change] };
}
