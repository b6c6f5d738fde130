/** What there is to lie about: every message of ours with every operator that fits it, and the payload it takes. */
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { type Dice, dice } from "../dice.ts";
import type { Draft, Operator } from "../operators/operator.ts";
import type { Act, Change, Stage } from "../trace.ts";
import type { Samples } from "./samples.ts";
import { isEsp, type Sample, shapeOf, stageOf } from "./stages.ts";

/** A message of ours in a step. */
export interface Spot {
  act: Act;
  message: number;
  sample: Sample;
  stage: Stage;
  /** Equal for messages of the same payloads. */
  shape: string;
}

export interface Cell {
  spot: Spot;
  operator: Operator;
  /** What the change is about: `NONCE`; `message` where it names no payload. */
  payload: string;
}

/** Draws by which the payloads are found that an operator takes in a message. */
const TRIES = 8;

/** The type of the payload that a change is about: `NOTIFY` for `NOTIFY(COOKIE).2/data`. */
export const payloadOf = ({ at }: Pick<Draft, "at">): string =>
  /^[A-Za-z][\w ]*/.exec(at ?? "")?.[0] ?? "message";

/** A change by this operator, if it fits the message. */
export function drawDraft(operator: Operator, sample: Sample, from: Dice): Draft | undefined {
  if (operator.on === "esp") return isEsp(sample) ? operator.draw(sample, from) : undefined;
  return isEsp(sample) ? undefined : operator.draw(sample, from);
}

/** A change for a cell; now and then one about another payload than the cell's. */
export function drawChange({ operator, spot, payload }: Cell, from: Dice): Change | undefined {
  let draft: Draft | undefined;
  for (let i = 0; i < TRIES; i++) {
    draft = drawDraft(operator, spot.sample, from) ?? draft;
    if (draft && payloadOf(draft) === payload) break;
  }
  return draft && { message: spot.message, op: operator.name, ...draft };
}

export function spotsOf(samples: Samples): Spot[] {
  return [...samples].flatMap(([act, messages]) =>
    messages.map((sample, message) => ({
      ...{ act, message, sample },
      stage: stageOf(act, sample),
      shape: shapeOf(sample),
    })),
  );
}

function payloadsOf(operator: Operator, sample: Sample, from: Dice): Set<string> {
  const found = new Set<string>();
  for (let i = 0; i < TRIES; i++) {
    const draft = drawDraft(operator, sample, from);
    if (draft) found.add(payloadOf(draft));
    // It says nothing about a message that it does not fit.
    if (!draft && i === 2 && found.size === 0) break;
  }
  return found;
}

/** All cells of these messages, equal for equal messages. */
export function cellsOf(spots: readonly Spot[], operators: readonly Operator[]): Cell[] {
  const from = dice(seededRandom("cells"));
  return spots.flatMap((spot) =>
    operators.flatMap((operator) =>
      [...payloadsOf(operator, spot.sample, from)].map((payload) => ({ spot, operator, payload })),
    ),
  );
}

/**
 * Cells by the family of their operator and by their payload, so that none is drawn more often for having many of them.
 * A family that is for this stage alone is there as often as all others, which have their turn at other stages, too.
 */
export type Shelves = readonly (readonly (readonly Cell[])[])[];

export function shelvesOf(cells: readonly Cell[]): Shelves {
  const families = new Map<string, Map<string, Cell[]>>();
  for (const cell of cells) {
    const payloads = families.get(cell.operator.family) ?? new Map<string, Cell[]>();
    families.set(cell.operator.family, payloads);
    const shelf = payloads.get(cell.payload) ?? [];
    payloads.set(cell.payload, shelf);
    shelf.push(cell);
  }
  const others = Math.max(1, families.size - 1);
  return [...families].flatMap(([family, payloads]) => {
    const times = cells.every(({ spot }) => spot.stage === family) ? others : 1;
    return Array.from({ length: times }, () => [...payloads.values()]);
  });
}

/** One of a family, and then of a payload, all as likely as the others. */
export const drawCell = (shelves: Shelves, from: Dice): Cell => from.pick(from.pick(from.pick(shelves)));
