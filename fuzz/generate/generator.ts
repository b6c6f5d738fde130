/** The cases of a campaign: what its seed, a number and what was learned make. */
import { z } from "zod";
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { tool } from "../../harness/run/tool.ts";
import type { PeerRole } from "../../peers/contract.ts";
import { Corpus } from "../corpus/corpus.ts";
import { type Dice, dice } from "../dice.ts";
import { Guide, guideSchema, type Heard, turnName } from "../guide/guide.ts";
import type { LearnedFrom } from "../guide/novelty.ts";
import { vary } from "../guide/vary.ts";
import { operators as allOperators } from "../operators/index.ts";
import type { Operator } from "../operators/operator.ts";
import type { Observed } from "../outcome.ts";
import type { Setup } from "../setups.ts";
import type { FuzzCase, Stage, Trace } from "../trace.ts";
import { type Cell, drawCell } from "./cells.ts";
import { Coverage, coverageSchema } from "./coverage.ts";
import { recordSamples } from "./samples.ts";
import { Schedule, type Side, type Slot, sideName } from "./schedule.ts";
import { isEsp } from "./stages.ts";
import { Turnabout } from "./turnabout.ts";
import { Workshop } from "./workshop.ts";

export interface GeneratorOptions {
  seed: string;
  setups: readonly Setup[];
  /** Of the peer. */
  roles: readonly PeerRole[];
  stages: readonly Stage[];
  /** What was new before; what is new is added to it. Not set: one in memory. */
  corpus?: Corpus;
  /** From 1. */
  shard?: { index: number; of: number };
  /** False: the cases depend on nothing but seed and number. */
  guided: boolean;
  /** Cases of a batch. */
  batch: number;
  /** Not set: all there are. */
  operators?: readonly Operator[];
  /** Goes on behind this. */
  resume?: GeneratorState;
  /** Takes the honest messages of this one, of the same operators, and records only what it lacks. */
  like?: Generator;
}

export interface Batch {
  number: number;
  stage: Stage;
  setup: Setup;
  peer: PeerRole;
  nextCase(): FuzzCase | undefined;
}

export const generatorStateSchema = z.strictObject({
  generator: z.literal(1).describe("Version of this format."),
  seed: z.string(),
  batch: z.int().min(1).describe("Cases of a batch."),
  next: z.int().min(0).describe("Batches that were begun, of all shards."),
  open: z
    .array(z.strictObject({ number: z.int().min(0), position: z.int().min(0) }))
    .max(1_000)
    .describe("Batches that were not at their end, and how many of their cases were given out."),
  dropped: z.array(z.string()).max(1_000),
  coverage: coverageSchema,
  guide: guideSchema,
});
export type GeneratorState = z.infer<typeof generatorStateSchema>;

/**
 * Shares of cases, in percent, once something was learned: made of what was novel, or for operators that paid. They grow
 * to that while there still are cells that nobody tried, so many cases for each cell.
 */
const VARIED = 25;
const WEIGHED = 10;
const RIPE = 2;
/** Cells out of which operators that paid are preferred. */
const CHOICE = 12;
/** Cells that are tried where nothing could be drawn for one. */
const NEIGHBOURS = 8;
/** Of batches. */
const WEIGHED_BATCHES = 0.15;
/** Share of conversations in which one message after the other is changed, and how many are. */
const TRAINS = 0.8;
const TRAIN = 4;

const SEQUENCES = { early: 0.05, late: 0.15 };
const EARLY: ReadonlySet<Stage> = new Set(["init", "cookie", "intermediate", "auth", "eap"]);

interface Turn {
  slot: Omit<Slot, "visit">;
  name: string;
}

export class Generator {
  readonly #options: GeneratorOptions;
  readonly #workshops: ReadonlyMap<string, Workshop>;
  readonly #schedule: Schedule;
  readonly #turns: Turn[];
  readonly #guide: Guide;
  readonly corpus: Corpus;
  readonly coverage: Coverage;
  readonly #version = tool().version;
  #next: number;
  /** Batches that are not at their end, and the cases of them that were given out. */
  readonly #open = new Map<number, number>();
  /** Batches to go on with first. */
  readonly #left: number[] = [];
  /** Time that surfaces took; made when it is first asked for. */
  #turnabout?: Turnabout<Turn>;
  /** How often kinds of cells were part of a case, whatever the setup. */
  readonly #tried = new Map<string, number>();
  /** Turns whose cells the coverage has heard of. */
  readonly #known = new Set<string>();
  /** Turns that cells have had, by what a batch is about. */
  readonly #pointers = new Map<string, number>();
  readonly #orders = new Map<string, { epoch: number; order: readonly number[] }>();

  private constructor(options: GeneratorOptions, workshops: ReadonlyMap<string, Workshop>) {
    this.#options = options;
    this.#workshops = workshops;
    const { setups, roles, stages, resume } = options;
    const sides: Side[] = setups.flatMap((setup) =>
      roles.filter((peer) => setup.roles.includes(peer)).map((peer) => ({ setup, peer })),
    );
    const sidesAt = (stage: Stage): Side[] =>
      sides.filter((side) => side.setup.stages.includes(stage) && this.#workshop(side).stages.has(stage));
    this.#schedule = new Schedule(stages, sidesAt);
    this.#turns = this.#schedule.stages.flatMap((stage) =>
      sidesAt(stage).map((side) => ({ slot: { ...side, stage }, name: turnName(stage, sideName(side)) })),
    );
    this.#guide = new Guide(resume?.guide);
    this.coverage = new Coverage(resume?.coverage);
    this.corpus = options.corpus ?? Corpus.inMemory();
    this.#next = firstOf(options.shard, resume?.next ?? 0);
    this.#takeUp();
  }

  /** Goes on where another one was left, and with what the corpus knows. */
  #takeUp(): void {
    const { resume } = this.#options;
    for (const name of resume?.dropped ?? []) this.#schedule.drop(name);
    for (const { number, position } of resume?.open ?? []) {
      this.#open.set(number, position);
      this.#left.push(number);
    }
    for (const [name, { trace, features }] of this.corpus.entries) {
      this.#guide.novelty.know(features);
      if (this.#workshops.has(sideName({ setup: { name: trace.setup }, peer: trace.peer })))
        this.#guide.pool.add(name, trace);
    }
  }

  /** Records the honest messages of every setup, which takes some tens of milliseconds for each. */
  static async create(options: GeneratorOptions): Promise<Generator> {
    const workshops = new Map<string, Workshop>();
    const like = options.like ? options.like.#workshops : undefined;
    const asked = options.setups.filter((setup) => setup.stages.some((s) => options.stages.includes(s)));
    for (const setup of asked)
      for (const peer of options.roles.filter((role) => setup.roles.includes(role))) {
        const name = sideName({ setup, peer });
        const operators = options.operators ?? allOperators;
        const known = like?.get(name);
        const made = known ?? new Workshop(setup, peer, await recordSamples(setup, peer), operators);
        workshops.set(name, made);
      }
    return new Generator(options, workshops);
  }

  /** Stages that cases can be made for. */
  get stages(): Stage[] {
    return this.#schedule.stages;
  }

  #workshop(side: Side): Workshop {
    const found = this.#workshops.get(sideName(side));
    return found ?? new Workshop(side.setup, side.peer, new Map(), []);
  }

  /** The peer cannot do this: no more batches of it. */
  drop(setup: string, peer: PeerRole): void {
    this.#schedule.drop(sideName({ setup: { name: setup }, peer }));
  }

  /** Without cases once every setup was dropped. @throws RangeError if there was none to begin with */
  nextBatch(): Batch {
    const taken = this.#left.shift();
    const number = taken ?? this.#next;
    const slot = this.#slot(number);
    if (!slot) return this.#emptyBatch(number);
    if (taken === undefined) this.#next += this.#options.shard?.of ?? 1;
    if (!this.#open.has(number)) this.#open.set(number, 0);
    const { stage, setup, peer } = slot;
    return { number, stage, setup, peer, nextCase: () => this.#nextCase(number, slot) };
  }

  #emptyBatch(number: number): Batch {
    const [turn] = this.#turns;
    if (!turn) throw new RangeError("no setup reaches the stages");
    return { number, ...turn.slot, nextCase: () => undefined };
  }

  #slot(number: number): Slot | undefined {
    const slot = this.#schedule.slot(number);
    if (!this.#hasLearned()) return slot;
    const from = this.#dice("batch", number);
    const dropped = this.#schedule.dropped;
    const turns = this.#turns.filter((turn) => !dropped.includes(sideName(turn.slot)));
    if (turns.length === 0) return slot;
    this.#turnabout ??= new Turnabout(this.#turns, ({ slot: { stage, ...side } }) => ({
      ...{ group: `${side.peer} ${stage}`, surface: this.#workshop(side).surface(stage) },
    }));
    const turn = from.chance(WEIGHED_BATCHES)
      ? this.#guide.turns.pick(turns, ({ name }) => name, from)
      : this.#turnabout.next(turns, from);
    this.#turnabout.begin(number, turn);
    return { ...turn.slot, visit: 0 };
  }

  #hasLearned(): boolean {
    return this.#options.guided && (this.#guide.cases > 0 || this.corpus.entries.size > 0);
  }

  #dice(what: string, number: number): Dice {
    return dice(seededRandom(`${this.#options.seed} ${what} ${number}`));
  }

  #nextCase(batch: number, slot: Slot): FuzzCase | undefined {
    const position = this.#open.get(batch);
    if (position === undefined) return undefined;
    const size = this.#options.batch;
    if (position + 1 < size) this.#open.set(batch, position + 1);
    else this.#open.delete(batch);
    const number = batch * size + position;
    const workshop = this.#workshop(slot);
    const guided = this.#hasLearned() ? this.#guided(number, slot, workshop) : undefined;
    const made =
      guided && this.#isAsked(workshop, guided.trace)
        ? guided
        : { trace: this.#fresh(number, slot, workshop, this.#pointer(slot, position)) };
    this.#count(workshop, made.trace);
    const stage = workshop.stageOfTrace(made.trace);
    return { number, seed: `${this.#options.seed}/${number}`, stage, ...made };
  }

  /** Which of the turns of its cells a case has: by its number, or once that decides no more by how many had one. */
  #pointer(slot: Slot, position: number): number {
    const byNumber = slot.visit * this.#options.batch + position;
    if (!this.#hasLearned()) return byNumber;
    const name = turnName(slot.stage, sideName(slot));
    const pointer = this.#pointers.get(name) ?? byNumber;
    this.#pointers.set(name, pointer + 1);
    return pointer;
  }

  #count(workshop: Workshop, trace: Trace): void {
    for (const { stage, payload, operator } of workshop.cellsOfTrace(trace))
      this.coverage.count(stage, payload, operator);
  }

  /** A case that depends on nothing that was learned. All cells of a stage take turns, in another order each time. */
  #fresh(number: number, slot: Slot, workshop: Workshop, pointer: number): Trace {
    const from = this.#dice("case", number);
    const cells = this.#cells(slot, workshop);
    const share = EARLY.has(slot.stage) ? SEQUENCES.early : SEQUENCES.late;
    const sequence = cells.length === 0 || from.chance(share) ? workshop.sequence(from) : undefined;
    if (sequence && (cells.length === 0 || this.#isAsked(workshop, sequence))) return sequence;
    const at = this.#turnOf(slot, cells, pointer);
    const trace = workshop.trace(cells[at]!, from);
    if (trace && this.#isAsked(workshop, trace)) return trace;
    for (let i = 0; i < NEIGHBOURS; i++) {
      const single = workshop.trace(cells[(at + i) % cells.length]!, from, 1);
      if (single) return single;
    }
    return workshop.sequence(from);
  }

  /** A change more may have come before the one that a case is about. */
  #isAsked(workshop: Workshop, trace: Trace): boolean {
    return this.#options.stages.includes(workshop.stageOfTrace(trace));
  }

  #cells(slot: Slot, workshop: Workshop): readonly Cell[] {
    const cells = workshop.cells(slot.stage);
    const name = turnName(slot.stage, sideName(slot));
    if (!this.#known.has(name))
      for (const { payload, operator } of cells) this.coverage.know(slot.stage, payload, operator.name);
    this.#known.add(name);
    return cells;
  }

  #turnOf(slot: Slot, cells: readonly Cell[], pointer: number): number {
    const name = turnName(slot.stage, sideName(slot));
    const epoch = Math.floor(pointer / cells.length);
    let found = this.#orders.get(name);
    if (found?.epoch !== epoch || found.order.length !== cells.length) {
      const random = seededRandom(`${this.#options.seed} order ${name} ${epoch}`);
      found = { epoch, order: shuffled(cells.length, dice(random)) };
      this.#orders.set(name, found);
    }
    return found.order[pointer % cells.length] ?? 0;
  }

  /** A variation of what was novel, or a case for an operator that paid; undefined: one as if nothing had been learned. */
  #guided(number: number, slot: Slot, workshop: Workshop): { trace: Trace; parent?: string } | undefined {
    const from = this.#dice("guided", number);
    const ripe = Math.min(1, this.#guide.cases / (RIPE * Math.max(1, this.coverage.size)));
    const share = from.number(100);
    const side = { setup: slot.setup.name, peer: slot.peer };
    if (share < VARIED * ripe) {
      const parent = this.#guide.pool.pick(side, from);
      const other = parent && from.pick(this.#guide.pool.of(side)).trace;
      if (parent && other)
        return { trace: vary(parent.trace, { workshop, dice: from, other }), parent: parent.name };
    }
    const all = this.#cells(slot, workshop);
    const sequences = EARLY.has(slot.stage) ? SEQUENCES.early : SEQUENCES.late;
    if (all.length === 0 || from.chance(sequences)) return { trace: workshop.sequence(from) };
    const shelves = workshop.shelves(slot.stage);
    const draw = (): Cell[] => Array.from({ length: CHOICE }, () => drawCell(shelves, from));
    if (share < (VARIED + WEIGHED) * ripe) {
      const cell = this.#guide.operators.pick(draw(), ({ operator }) => operator.name, from);
      return traced(workshop.trace(cell, from));
    }
    const cells = Array.from({ length: from.chance(TRAINS) ? TRAIN : 1 }, () =>
      this.#leastTried(slot.peer, draw()),
    );
    const [only] = cells;
    return traced(cells.length > 1 ? workshop.train(cells, from) : only && workshop.trace(only, from));
  }

  #leastTried(peer: PeerRole, cells: readonly Cell[]): Cell {
    const nameOf = ({ spot, payload, operator }: Cell): string =>
      [peer, spot.stage, isEsp(spot.sample) ? "" : spot.sample.isResponse, payload, operator.name].join(" ");
    const times = (cell: Cell): number => this.#tried.get(nameOf(cell)) ?? 0;
    const least = cells.reduce((a, b) => (times(b) < times(a) ? b : a));
    this.#tried.set(nameOf(least), times(least) + 1);
    return least;
  }

  /**
   * Takes what came of a case; what is new goes into the corpus, also in an unguided campaign.
   * @throws what the file system throws if the corpus is a folder
   */
  learn(outcome: Observed, from?: LearnedFrom): { novel: boolean; signature: string } {
    const { novel, signature, features } = this.#guide.learn(outcome, from);
    const { trace, seed, stage, number } = outcome.case;
    this.#turnabout?.took(Math.floor(number / this.#options.batch), outcome.durationMs);
    if (novel) {
      const entry = { corpus: 1 as const, tool: this.#version, seed, stage, signature, features, trace };
      const { name, kept } = this.corpus.add(entry);
      if (kept) this.#guide.pool.add(name, trace);
    }
    return { novel, signature };
  }

  /** Takes what these cases showed together; says how much of it was new. */
  hear(cases: readonly FuzzCase[], heard: Heard): number {
    return this.#guide.hear(cases, heard);
  }

  /** Signatures, pairs of steps, shapes of log lines and edges seen so far. */
  get seen(): Guide["novelty"]["counts"] {
    return this.#guide.novelty.counts;
  }

  /** To go on from: {@link GeneratorOptions.resume}. What the corpus holds is not in it. */
  state(): GeneratorState {
    return {
      ...{ generator: 1, seed: this.#options.seed, batch: this.#options.batch, next: this.#next },
      open: [...this.#open].map(([number, position]) => ({ number, position })),
      dropped: this.#schedule.dropped,
      coverage: this.coverage.file(),
      guide: this.#guide.state(),
    };
  }
}

const traced = (trace: Trace | undefined): { trace: Trace } | undefined => trace && { trace };

/** The first batch of a shard from this number on. */
function firstOf(shard: GeneratorOptions["shard"], from: number): number {
  const { index, of } = shard ?? { index: 1, of: 1 };
  return from + ((((index - 1 - from) % of) + of) % of);
}

function shuffled(length: number, from: Dice): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = from.number(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The plan of these cases: JSON lines, equal for equal cases. */
export const planOf = (cases: Iterable<FuzzCase>): string =>
  [...cases].map((made) => `${JSON.stringify(made)}\n`).join("");
