/**
 * Hunts planted faults, of which the fuzzer knows nothing: started by scripts/planted-faults.ts. A line on its standard
 * input is a turn for one of them. Each has a fuzzer of its own; what they share is the honest conversations.
 */
import { createInterface } from "node:readline";
import { Keeper, type MakePlayer } from "../../fuzz/campaign/keeper.ts";
import { type FuzzLane, openLane } from "../../fuzz/campaign/lane.ts";
import { LaneWork } from "../../fuzz/campaign/lane-work.ts";
import { type FromFuzzLane, type FuzzOrder, outcomeOf } from "../../fuzz/campaign/protocol.ts";
import { type Place, Trials } from "../../fuzz/campaign/trials.ts";
import { Generator } from "../../fuzz/generate/generator.ts";
import { minimise } from "../../fuzz/minimise/minimise.ts";
import { judgeCase } from "../../fuzz/oracles/index.ts";
import { Player } from "../../fuzz/play/player.ts";
import { findSetup, setups } from "../../fuzz/setups.ts";
import { changesOf, type FuzzCase, STAGES } from "../../fuzz/trace.ts";
import type { PeerOrder } from "../../harness/run/lane-protocol.ts";
import { openPeer } from "../../harness/run/open-peer.ts";
import { type Exportable, exportFault } from "./exported.ts";
import { type Find, type HuntOrder, type HuntResult, type Turn, turnSchema } from "./result.ts";

const BATCH = 32;
const WINDOW = 8;
/** A peer that dies of every other case may be started as often. */
const RESTARTS_AN_HOUR = 10_000;
const MESSAGES_A_SECOND = 20_000;
/** What the smallest conversation may cost. */
const LEAST = { executions: 300, ms: 60_000 };
/** Alarms that come again on the honest peer by chance come in two plays. */
const HONEST_PLAYS = 2;

type Found = Extract<FromFuzzLane, { kind: "found" }>;
/** With when it was found. */
type Dated = Found & Pick<Find, "seconds" | "cases">;
/** With where it was found. */
type Caught = Found & { place: Place };

/** A smaller conversation, and what it does. */
type Smaller = Pick<Exportable, "case" | "outcome">;

const makePlayer: MakePlayer = (arena, options) => new Player(arena, options);

function peerOrder({ runtime, seed }: HuntOrder, lie?: string): PeerOrder {
  const peer = `builtin:${runtime}`;
  return {
    ...{ peer, id: peer, seed, lie, variant: undefined, runId: `planted-${process.pid}` },
    ...{ lane: 0, network: undefined },
  };
}

const trialsOn = (lane: FuzzLane): { keeper: Keeper; trials: Trials } => {
  const keeper = new Keeper(lane, {
    ...{ makePlayer, rate: MESSAGES_A_SECOND, restartsAnHour: RESTARTS_AN_HOUR },
    restarted: () => {},
    anew: () => {},
  });
  return { keeper, trials: new Trials(keeper, judgeCase, () => {}) };
};

class Hunt {
  readonly #order: HuntOrder;
  readonly #faulty: FuzzLane;
  readonly #generator: Generator;
  readonly #work: LaneWork;
  /** Milliseconds of the turns before, and when this one began. */
  #spent = 0;
  #began = performance.now();
  #ends = 0;
  readonly #others = new Set<string>();
  #honest: ReturnType<typeof trialsOn> | undefined;
  #cases = 0;
  #played = new Map<number, FuzzCase>();
  #found: Dated | undefined;
  #stop = new AbortController();
  #find: Find | undefined;
  #caught: Caught | undefined;
  /** Honest conversations failed in the batch. */
  #unusable = false;

  private constructor(order: HuntOrder, faulty: FuzzLane, generator: Generator) {
    this.#order = order;
    this.#faulty = faulty;
    this.#generator = generator;
    const { seed, runtime, fault } = order;
    const lane: FuzzOrder = {
      ...{
        kind: "order",
        peer: `builtin:${runtime}`,
        id: "planted",
        seed,
        lie: fault,
        runId: "planted",
        lane: 0,
      },
      ...{ window: WINDOW, rate: MESSAGES_A_SECOND, restartsAnHour: RESTARTS_AN_HOUR },
    };
    // As a campaign plays.
    const reusing: MakePlayer = (arena, options) => new Player(arena, { ...options, reuse: true });
    this.#work = new LaneWork(faulty, lane, reusing, (message) => this.#hear(message));
  }

  static async begin(order: HuntOrder, generator: Generator): Promise<Hunt> {
    return new Hunt(order, await openLane(peerOrder(order, order.fault)), generator);
  }

  get result(): HuntResult {
    return {
      ...{
        fault: this.#order.fault,
        cases: this.#cases,
        seconds: this.#seconds(),
        others: [...this.#others],
      },
      ...(this.#find && { find: this.#find }),
    };
  }

  #seconds(): number {
    return (this.#spent + performance.now() - this.#began) / 1000;
  }

  get #leftMs(): number {
    return this.#ends - performance.now();
  }

  /** Hunts until the fault is found or the turn is over; `tell` gets each batch of it. */
  async turn(ms: number, tell: (result: HuntResult) => void): Promise<void> {
    this.#began = performance.now();
    this.#ends = this.#began + ms;
    await this.#hunt(tell);
    this.#spent += performance.now() - this.#began;
    this.#began = performance.now();
  }

  async #hunt(tell: (result: HuntResult) => void): Promise<void> {
    while (!this.#find && this.#leftMs > 0) {
      const place = await this.#batch();
      const found = this.#found;
      this.#found = undefined;
      if (found && (await this.#isPlanted(found, place))) this.#take(found, place);
      tell(this.result);
    }
  }

  #take({ seconds, cases, ...found }: Dated, place: Place): void {
    const { oracle, title } = found.alarm;
    this.#find = { oracle, title, cases, seconds };
    this.#caught = { ...found, place };
  }

  async #batch(): Promise<Place> {
    const { number, setup, peer, nextCase } = this.#generator.nextBatch();
    const cases: FuzzCase[] = [];
    for (let next = nextCase(); next; next = nextCase()) cases.push(next);
    this.#played = new Map(cases.map((one) => [one.number, one]));
    this.#stop = new AbortController();
    const inTime = AbortSignal.timeout(Math.max(1, Math.ceil(this.#leftMs)));
    const none = { executions: 0, ms: 0 };
    const known = [...this.#others];
    await this.#work.batch(
      { kind: "batch", number, setup: setup.name, peer, cases, known, minimise: none },
      inTime,
      this.#stop.signal,
    );
    if (this.#unusable) this.#generator.drop(setup.name, peer);
    this.#unusable = false;
    return { setup, peer };
  }

  #hear(message: FromFuzzLane): void {
    if (message.kind === "played") {
      this.#cases += 1;
      const played = this.#played.get(message.outcome.number);
      if (played) this.#generator.learn(outcomeOf(message.outcome, played));
    }
    if (message.kind === "no-setup") this.#unusable = true;
    if (message.kind === "logged") this.#generator.hear([...this.#played.values()], message);
    if (message.kind !== "found" || this.#found) return;
    this.#found = { ...message, seconds: this.#seconds(), cases: this.#cases };
    this.#stop.abort();
  }

  /** Whether the honest peer does not raise the alarm. */
  async #isPlanted({ alarm, case: found }: Found, place: Place): Promise<boolean> {
    this.#honest ??= trialsOn(await openLane(peerOrder(this.#order)));
    for (let played = 0; played < HONEST_PLAYS; played++) {
      if (!(await this.#honest.trials.shows(found, alarm, place))) continue;
      this.#others.add(alarm.signature);
      return false;
    }
    return true;
  }

  /** Makes the conversation that was found as small as it gets, and a test of it. */
  async reduce(): Promise<void> {
    if (!this.#find || !this.#caught) return;
    const { alarm } = this.#caught;
    const smaller = await this.#least(this.#caught);
    if (!smaller) return;
    const { steps } = smaller.case.trace;
    const changes = changesOf(smaller.case.trace).map(({ op }) => op);
    this.#find.least = { messages: smaller.outcome.messages, steps: steps.length, changes };
    const { tests, fault } = this.#order;
    // Wherever it was found: a real process has the fault, too, and its honest twin has not.
    const why = await exportFault({ ...smaller, alarm, lie: fault }, tests, (lie) =>
      openPeer(peerOrder({ ...this.#order, runtime: "process" }, lie)),
    );
    this.#find.test = why ?? "";
  }

  async #least({ case: found, alarm, place }: Caught): Promise<Smaller | undefined> {
    this.#work.close();
    const { keeper, trials } = trialsOn(this.#faulty);
    keeper.broke("it was found");
    const seen = new Map<string, Smaller>();
    const shows = async (trace: FuzzCase["trace"]) => {
      const setup = findSetup(trace.setup) ?? place.setup;
      const shown = await trials.shows({ ...found, trace }, alarm, { setup, peer: trace.peer });
      // Its test looks for this alarm.
      if (shown?.alarm.signature !== alarm.signature) return undefined;
      seen.set(JSON.stringify(trace), { case: { ...found, trace }, outcome: shown.outcome });
      return shown.outcome;
    };
    const { trace, shown } = await minimise(found.trace, shows, LEAST);
    keeper.close();
    return shown ? seen.get(JSON.stringify(trace)) : undefined;
  }

  async stop(): Promise<void> {
    this.#work.close();
    await this.#faulty.stop();
    this.#honest?.keeper.close();
    await this.#honest?.keeper.lane.stop();
  }
}

const tell = (result: HuntResult): void => {
  process.stdout.write(`${JSON.stringify(result)}\n`);
};

const hunts = new Map<string, Hunt>();
let like: Generator | undefined;

async function huntOf(order: HuntOrder): Promise<Hunt> {
  const generator = await Generator.create({
    ...{ seed: order.seed, setups, roles: ["responder", "initiator"], stages: STAGES },
    ...{ guided: true, batch: BATCH, ...(like && { like }) },
  });
  like ??= generator;
  return Hunt.begin(order, generator);
}

async function take({ order, turn }: Turn): Promise<void> {
  const hunt = hunts.get(order.fault) ?? (await huntOf(order));
  hunts.set(order.fault, hunt);
  await (turn === "reduce" ? hunt.reduce() : hunt.turn(turn, tell));
  tell({ ...hunt.result, turn: "over" });
}

for await (const line of createInterface({ input: process.stdin }))
  await take(turnSchema.parse(JSON.parse(line)));
for (const hunt of hunts.values()) await hunt.stop();
process.exit(0);
