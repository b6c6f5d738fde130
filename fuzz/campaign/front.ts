/** One peer of a campaign: whose turn it is, what came of it, and what is known of it. */
import type { PeerRole } from "../../peers/contract.ts";
import type { ChosenPeer } from "../../peers/definition.ts";
import type { PeerInfo } from "../../reports/results.ts";
import type { Alarm } from "../alarm.ts";
import type { Generator } from "../generate/generator.ts";
import type { Heard } from "../guide/guide.ts";
import { aloneLast } from "../play/line-up.ts";
import type { FuzzCase } from "../trace.ts";
import type { Differential, SharedBatch } from "./differential.ts";
import { type PlayedRecord, rangesOf } from "./journal.ts";
import { observedOf, outcomeOf, type ShortOutcome } from "./protocol.ts";
import type { Pending, Recorder } from "./recorder.ts";

export interface FrontOptions {
  /** Place among the peers of the campaign. */
  place: number;
  /** As in results. */
  id: string;
  chosen: ChosenPeer;
  generator: Generator;
  recorder: Recorder;
  /** Cases that were handed out before and never begun. */
  pending: readonly { name: string; held: Pending }[];
  /** Cases that may be handed out still; not set: any number. */
  cases?: number;
  muted: ReadonlySet<string>;
  /** Gives the cases where several peers play the same ones. */
  shared?: Differential;
}

/** A batch while a lane has it. */
export interface Held {
  number: number;
  setup: string;
  peer: PeerRole;
  /** In the order in which they begin. */
  cases: FuzzCase[];
  left: Map<number, FuzzCase>;
  /** Played before, with an alarm that nobody knows yet what to make of; until they are played again. */
  again: Map<number, FuzzCase>;
  played: PlayedRecord;
  numbers: number[];
  /** Cases with an alarm that is new, by its signature, until it is known what becomes of it. */
  open: Map<string, FuzzCase>;
  /** Name of the file that kept it until a lane took it. */
  from?: string;
  /** Set where all peers play it. */
  shared?: SharedBatch;
}

const SHOWN_MS = 250;
/** An alarm that never comes again is looked into so often. */
const MOST_TRIES = 3;
/** The files of lanes have lower numbers. */
export const WAITING = 100_000;

export class Front {
  readonly options: FrontOptions;
  readonly #waiting: { name: string; pending: Pending }[];
  #named: number;
  readonly #dropped = new Set<string>();
  readonly #doubted = new Map<string, number>();
  #written = performance.now();
  /** The peer's own word for itself. */
  info: PeerInfo | undefined;
  epochMs = 0;

  constructor(options: FrontOptions) {
    this.options = options;
    this.#waiting = options.pending.map(({ name, held }) => ({ name, pending: held }));
    // Behind those that are left of before.
    const names = options.pending.map(({ name }) => Number(name.split("-")[1]));
    this.#named = Math.max(WAITING, ...names) + 1;
  }

  #wait(pending: Pending): void {
    const name = `${this.options.place}-${this.#named++}`;
    this.options.recorder.pending(name, pending);
    this.#waiting.push({ name, pending });
  }

  /** The next cases for a lane; undefined when there are none any more. */
  async next(signal: AbortSignal): Promise<Held | undefined> {
    const taken = this.#waiting.shift();
    if (!taken) return this.options.shared ? this.#common(this.options.shared, signal) : this.#alone();
    const { name, pending } = taken;
    const isEmpty = pending.cases.length + pending.again.length === 0;
    if (!isEmpty && !this.#dropped.has(`${pending.setup} ${pending.peer}`))
      return { ...heldOf(pending, this.options.place), from: name };
    this.options.recorder.pending(name, undefined);
    return this.next(signal);
  }

  #alone(): Held | undefined {
    const fresh = this.fresh();
    return fresh && this.#hand(fresh);
  }

  async #common(from: Differential, signal: AbortSignal): Promise<Held | undefined> {
    const { place } = this.options;
    const shared = await from.next(place, signal);
    if (!shared) return undefined;
    const { pending } = shared;
    if (!this.#dropped.has(`${pending.setup} ${pending.peer}`)) return { ...this.#hand(pending), shared };
    from.ended(shared, place);
    return this.#common(from, signal);
  }

  #hand(pending: Pending): Held {
    const { place, recorder } = this.options;
    const { batch, setup, peer, cases } = pending;
    if (cases.length > 0)
      recorder.append({
        ...{ kind: "batch-started", batch, peer: place, first: cases[0]?.number ?? 0 },
        ...{ cases: cases.length, setup, role: peer },
      });
    return heldOf(pending, place);
  }

  /** Cases that were never handed out. */
  fresh(): Pending | undefined {
    const { generator, recorder, place, cases: most } = this.options;
    const room = most === undefined ? Number.POSITIVE_INFINITY : most - recorder.tally.handedOut(place);
    if (room <= 0) return undefined;
    const batch = generator.nextBatch();
    if (!batch) return undefined;
    const cases: FuzzCase[] = [];
    while (cases.length < room) {
      const next = batch.nextCase();
      if (!next) break;
      cases.push(next);
    }
    const { number, peer, setup } = batch;
    if (cases.length === 0) return undefined;
    return { batch: number, setup: setup.name, peer, cases, again: [], inHand: 0 };
  }

  /** A case of a batch has come to its end. */
  played(held: Held, outcome: ShortOutcome, alarms: readonly Pick<Alarm, "oracle" | "signature">[]): void {
    const { shared, place } = this.options;
    if (shared && held.shared) {
      const one = held.cases.find(({ number }) => number === outcome.number);
      if (one) shared.played(held.shared, place, outcomeOf(outcome, one));
    }
    const found = held.left.get(outcome.number);
    const suspect = found ?? held.again.get(outcome.number);
    if (!suspect) return;
    held.again.delete(outcome.number);
    const known = new Set(alarms.length === 0 ? [] : this.known());
    for (const { signature } of alarms)
      if (!known.has(signature) && !held.open.has(signature)) held.open.set(signature, suspect);
    // One that is played once more for its alarm has been counted.
    if (!found) return;
    held.left.delete(outcome.number);
    held.numbers.push(outcome.number);
    const { generator, recorder } = this.options;
    recorder.whileThereIsRoom(() => {
      if (generator.learn(observedOf(outcome, found)).novel) held.played.novel += 1;
    });
    const { played } = held;
    const { cases, reached } = played.stages[found.stage] ?? { cases: 0, reached: 0 };
    const came = hasReached(found, outcome) ? 1 : 0;
    played.stages[found.stage] = { cases: cases + 1, reached: reached + came };
    played.messages += outcome.messages;
    if (outcome.probe === "silence") played.silent += 1;
    if (outcome.steps.some(({ unfit }) => unfit.length > 0)) played.unfit += 1;
    for (const oracle of new Set(alarms.map((alarm) => alarm.oracle)))
      played.alarms[oracle] = (played.alarms[oracle] ?? 0) + 1;
    if (performance.now() - this.#written > SHOWN_MS) this.write(held);
  }

  /** What the cases of a batch showed that no one of them can be told to have done. */
  heard({ cases }: Held, heard: Heard): void {
    this.options.generator.hear(cases, heard);
  }

  /** A batch is over, or its lane. */
  ended({ shared }: Held): void {
    if (shared) this.options.shared?.ended(shared, this.options.place);
  }

  /** Enters what was played since into the journal. */
  write(held: Held): void {
    if (held.numbers.length === 0) return;
    this.#written = performance.now();
    this.options.recorder.append({ ...held.played, cases: rangesOf(held.numbers) });
    held.played = nothing(held.number, this.options.place);
    held.numbers = [];
  }

  /** What is left of a batch whose lane ended; the cases that were being played then are not played again. */
  putBack(held: Held, window: number): FuzzCase[] {
    const inHand = [...held.again.values(), ...held.left.values()].slice(0, window);
    const others = (all: Held["left"]) =>
      new Map([...all].filter(([number]) => inHand.every((one) => one.number !== number)));
    const rest = pendingOf({ ...held, left: others(held.left), again: others(held.again) }, 0);
    if (rest.cases.length + rest.again.length > 0) this.#wait(rest);
    return inHand;
  }

  drop(setup: string, role: PeerRole, reason: string): void {
    const { generator, recorder, place } = this.options;
    if (this.#dropped.has(`${setup} ${role}`)) return;
    this.#dropped.add(`${setup} ${role}`);
    generator.drop(setup, role);
    recorder.append({ kind: "no-setup", peer: place, setup, role, reason: reason.slice(0, 2_000) });
  }

  /** An alarm did not come again. After a few such it is counted, and not looked into any more. */
  doubted(signature: string): void {
    this.#doubted.set(signature, (this.#doubted.get(signature) ?? 0) + 1);
  }

  /** Signatures that need no look any more. */
  known(): string[] {
    const { recorder, muted, chosen } = this.options;
    const name = chosen.definition.name;
    const found = recorder.store.all().filter(({ peer }) => peer.name === name);
    const vain = [...this.#doubted].flatMap(([signature, times]) => (times < MOST_TRIES ? [] : [signature]));
    const signatures = found.flatMap(({ signature, beside = [] }) => [signature, ...beside]);
    return [...new Set([...signatures, ...muted, ...vain])];
  }
}

const nothing = (batch: number, peer: number): PlayedRecord => ({
  ...{ kind: "played", batch, peer, cases: [], stages: {}, alarms: {} },
  ...{ messages: 0, novel: 0, silent: 0, unfit: 0 },
});

const byNumber = (cases: readonly FuzzCase[]) => new Map(cases.map((one) => [one.number, one]));

const heldOf = ({ batch, setup, peer, cases, again }: Pending, place: number): Held => ({
  ...{ number: batch, setup, peer, cases: aloneLast([...again, ...cases]), numbers: [], open: new Map() },
  ...{ left: byNumber(aloneLast(cases)), again: byNumber(again) },
  played: nothing(batch, place),
});

/** What is not over of a batch, of which so many may be in hand. */
export const pendingOf = ({ number, setup, peer, left, again, open }: Held, inHand: number): Pending => ({
  ...{ batch: number, setup, peer, inHand },
  cases: [...left.values()],
  again: [...byNumber([...again.values(), ...open.values()]).values()],
});

/** Whether the conversation came to the step of its first lie, or its last step where it has none. */
function hasReached({ trace }: FuzzCase, { steps }: ShortOutcome): boolean {
  const lie = trace.steps.findIndex(({ changes = [] }) => changes.length > 0);
  const step = steps[lie < 0 ? trace.steps.length - 1 : lie];
  return step !== undefined && step.ended !== "not begun";
}
