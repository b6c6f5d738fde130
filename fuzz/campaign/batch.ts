/** A batch of cases while it is played. */
import { setImmediate as turn } from "node:timers/promises";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import { aloneLast } from "../play/line-up.ts";
import type { FuzzCase } from "../trace.ts";
import type { Ready } from "./keeper.ts";
import type { BatchOrder } from "./protocol.ts";
import { buildsUp, isBypass, isDoubtful, isFatal, type Judge, type Place } from "./trials.ts";

/** An alarm of a batch, with the cases that may have raised it, the likeliest first. */
export interface Hit {
  alarm: Alarm;
  suspects: FuzzCase[];
  /** Those that had not come to their end. */
  flight: FuzzCase[];
  /** What it did when it raised the alarm, where that is known. */
  outcome?: Outcome;
}

/** A case that no probe was answered after, and those that were being played beside it. */
export interface Silent {
  alarm: Alarm;
  outcome: Outcome;
  flight: FuzzCase[];
}

/** New signatures of one batch that are looked into; a peer that breaks everything breaks it in the next one, too. */
const MOST_HITS = 12;
/** Cases before the one at which growth is told that may have been the cause. */
const LATE = 3;
/** Other work of this process gets its turn at least so often. */
const TURN_MS = 20;

type Told = (outcome: Outcome, alarms: readonly Alarm[]) => void;

export class Batch {
  readonly order: BatchOrder;
  readonly place: Place;
  readonly #known: Set<string>;
  readonly #judge: Judge;
  readonly #told: Told;
  readonly #hits = new Map<string, Hit>();
  readonly #flight = new Map<number, FuzzCase>();
  readonly #waiting: FuzzCase[];
  /** What was played since the peer was fresh, in this order. */
  #played: FuzzCase[] = [];
  #silent: Silent | undefined;
  #fatal: Alarm | undefined;
  /** Somebody came past authentication, as a conversation says; also one that is known. */
  bypassed = false;

  /** `told` hears of each case that has come to its end. */
  constructor(order: BatchOrder, place: Place, judge: Judge, told: Told) {
    this.#judge = judge;
    this.order = order;
    this.place = place;
    this.#known = new Set(order.known);
    this.#told = told;
    this.#waiting = aloneLast(order.cases);
  }

  /** Cases that have not begun. */
  get left(): number {
    return this.#waiting.length;
  }

  get fatal(): Alarm | undefined {
    return this.#fatal;
  }

  get died(): boolean {
    return this.#fatal?.oracle === "crash";
  }

  async play({ player, watch }: Ready, signal: AbortSignal): Promise<void> {
    this.#played = [];
    this.#fatal = undefined;
    const stop = new AbortController();
    const both = AbortSignal.any([stop.signal, signal]);
    let turned = performance.now();
    const next = () => {
      const found = both.aborted ? undefined : this.#waiting.shift();
      if (found) this.#flight.set(found.number, found);
      return found;
    };
    const done = async (outcome: Outcome) => {
      this.#see(outcome, await watch.afterCase(outcome));
      if (this.#fatal || this.#silent) stop.abort();
      if (performance.now() - turned < TURN_MS) return;
      await turn();
      turned = performance.now();
    };
    await player.playAll(next, done, both);
    // What was taken and not begun.
    this.#waiting.unshift(...this.#flight.values());
    this.#flight.clear();
  }

  #see(outcome: Outcome, seen: readonly Alarm[]): void {
    const said = this.#judge(outcome, this.place);
    const doubtful = said.find(isDoubtful);
    this.bypassed ||= said.some(isBypass);
    const alarms = [...said.filter((alarm) => !isDoubtful(alarm)), ...seen];
    for (const alarm of alarms) {
      this.hit(alarm, this.#suspectsOf(alarm, outcome.case, seen.includes(alarm)), outcome);
    }
    this.#flight.delete(outcome.case.number);
    if (doubtful) this.#silent ??= { alarm: doubtful, outcome, flight: this.#others() };
    this.#played.push(outcome.case);
    this.#told(outcome, alarms);
  }

  /** `seen`: by the lab, which does not know whose it is. */
  #suspectsOf(alarm: Alarm, last: FuzzCase, seen: boolean): FuzzCase[] {
    // What grew is told once it has stayed so for a sample more.
    if (buildsUp(alarm)) return [...this.#played.slice(-LATE).reverse(), last];
    return isFatal(alarm) || seen ? [last, ...this.#others()] : [last];
  }

  hit(alarm: Alarm, suspects: readonly FuzzCase[], outcome?: Outcome): void {
    if (isFatal(alarm)) this.#fatal ??= alarm;
    const { signature } = alarm;
    if (this.#known.has(signature) || this.#hits.has(signature) || this.#hits.size >= MOST_HITS) return;
    const unique = [...new Map(suspects.map((one) => [one.number, one])).values()];
    this.#hits.set(signature, {
      alarm,
      suspects: unique,
      flight: this.#others(),
      ...(outcome && { outcome }),
    });
  }

  /** Each is looked into once a batch. */
  takeHits(): Hit[] {
    const hits = [...this.#hits.values()];
    for (const { alarm } of hits) this.#known.add(alarm.signature);
    this.#hits.clear();
    return hits;
  }

  /** The first case that no probe was answered after. */
  takeSilent(): Silent | undefined {
    const silent = this.#silent;
    this.#silent = undefined;
    return silent;
  }

  /** Cases that have not come to their end. */
  #others(): FuzzCase[] {
    return [...this.#flight.values()];
  }

  /** What was played since the peer was fresh. */
  before(): readonly FuzzCase[] {
    return this.#played;
  }
}
