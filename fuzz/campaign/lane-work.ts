/** The work of a lane: batches of cases, each judged, each alarm tried again and made smaller. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Alarm } from "../alarm.ts";
import { keepCapture } from "../findings/capture.ts";
import { needsEmbargo } from "../findings/finding.ts";
import { Seen } from "../guide/seen.ts";
import { logShapes } from "../guide/signature.ts";
import { minimise } from "../minimise/minimise.ts";
import { CampaignMemory, judgeCase } from "../oracles/index.ts";
import type { Outcome } from "../outcome.ts";
import { findSetup } from "../setups.ts";
import { type FuzzCase, withoutLies } from "../trace.ts";
import { Batch, type Hit } from "./batch.ts";
import { confirm } from "./confirm.ts";
import { Keeper, type MakePlayer, type Ready, reasonOf, SetupUnusable } from "./keeper.ts";
import type { FuzzLane } from "./lane.ts";
import {
  type BatchOrder,
  type FromFuzzLane,
  type FuzzOrder,
  type ReplayOrder,
  shortOutcome,
} from "./protocol.ts";
import { buildsUp, isClaim, type Judge, type Place, placeOf, type Shown, Trials } from "./trials.ts";

export type Say = (message: FromFuzzLane) => void;

/** What was found may be under embargo. */
const CLOSED = { oracle: "crash", severity: "high" } as const;

const shownAs = (shown?: Shown) => ({ outcome: shown?.outcome, alarms: shown ? [shown.alarm] : [] });

const MOST_TROUBLES = 20;
/** Of lines of the log, that are not told twice. */
const MOST_SHAPES = 20_000;

/** How long it may take to see an alarm again, the worse the longer; and once no more is to begin. */
const PATIENCE_MS = { critical: 60_000, high: 60_000, medium: 20_000, low: 10_000, note: 5_000 } as const;
const LAST_MS = 6_000;
/** How long a shorter conversation is looked for, at most. */
const MINIMISE_MS = { critical: 60_000, high: 60_000, medium: 30_000, low: 15_000, note: 5_000 } as const;

/** Whether it is time to give up; nobody asks any more once it is `over`. */
function patience({ severity }: Alarm, finish: AbortSignal, over: AbortSignal): () => boolean {
  let end = performance.now() + PATIENCE_MS[severity];
  const hurry = () => {
    end = Math.min(end, performance.now() + LAST_MS);
  };
  if (finish.aborted) hurry();
  finish.addEventListener("abort", hurry, { once: true, signal: over });
  return () => performance.now() > end;
}

export class LaneWork {
  readonly #order: FuzzOrder;
  readonly #keeper: Keeper;
  readonly #trials: Trials;
  readonly #say: Say;
  #captures = 0;
  /** What went wrong in an oracle; each is told once. */
  readonly #troubles = new Set<string>();
  readonly #memory = new CampaignMemory();
  #knowsHalfOpen = false;
  readonly #logged = new Seen(MOST_SHAPES);
  /** When something was played last, in milliseconds of `performance.now()`. */
  progressed = performance.now();

  constructor(lane: FuzzLane, order: FuzzOrder, makePlayer: MakePlayer, say: Say) {
    this.#order = order;
    this.#say = say;
    const { rate, restartsAnHour } = order;
    this.#keeper = new Keeper(lane, {
      ...{ makePlayer, rate, restartsAnHour },
      restarted: (reason) => say({ kind: "restarted", reason }),
      anew: () => this.#memory.clear(),
    });
    this.#trials = new Trials(this.#keeper, this.#judge, () => this.#progress());
  }

  /** A fault of an oracle costs its word on one case, and no more. */
  readonly #judge: Judge = (outcome, place) => {
    try {
      return judgeCase(outcome, { ...place, memory: this.#memory });
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      if (!this.#troubles.has(reason) && this.#troubles.size < MOST_TROUBLES) {
        this.#troubles.add(reason);
        this.#say({ kind: "trouble", reason: `case ${outcome.case.number}: ${reason}` });
      }
      return [];
    }
  };

  #progress(): void {
    this.progressed = performance.now();
  }

  /** Plays a batch to its end, or until it is to finish. @throws LabError when the peer cannot be brought back */
  async batch(order: BatchOrder, finish: AbortSignal, stop: AbortSignal): Promise<void> {
    const setup = findSetup(order.setup);
    try {
      if (!setup) throw new SetupUnusable(`there is no setup ${order.setup}`);
      const batch = new Batch(order, { setup, peer: order.peer }, this.#judge, (outcome, alarms) =>
        this.#played(order.number, outcome, alarms),
      );
      while (batch.left > 0 && !finish.aborted && !stop.aborted) await this.#stretch(batch, finish, stop);
      if (!finish.aborted && !stop.aborted) await this.#halfOpen(batch);
      this.#say({ kind: "batch-ended", batch: order.number });
    } catch (error) {
      if (!(error instanceof SetupUnusable)) throw error;
      this.#say({ kind: "no-setup", batch: order.number, reason: error.message });
    }
  }

  #played(batch: number, outcome: Outcome, alarms: readonly Alarm[]): void {
    this.#progress();
    const hits = alarms.map(({ oracle, signature }) => ({ oracle, signature }));
    this.#say({ kind: "played", batch, outcome: shortOutcome(outcome), alarms: hits });
  }

  /** Plays on until the batch or the peer is at its end, and looks into the alarms. */
  async #stretch(batch: Batch, finish: AbortSignal, stop: AbortSignal): Promise<void> {
    const { setup, peer } = batch.place;
    const label = `batch-${batch.order.number}-${batch.left}`;
    const ready = await this.#keeper.prepareHonest(setup, peer, label, this.#order.window);
    await batch.play(ready, AbortSignal.any([finish, stop]));
    if (stop.aborted) return;
    await this.#lookAround(batch, ready);
    await this.#listen(batch.order.number);
    const explained = new Set<string>();
    for (const hit of batch.takeHits()) {
      if (stop.aborted) return;
      if (explained.has(hit.alarm.signature)) continue;
      const shown = await this.#lookInto(hit, batch, finish);
      for (const signature of shown?.alarm.beside ?? []) explained.add(signature);
    }
  }

  /** What only shows once nothing is on its way. */
  async #lookAround(batch: Batch, ready: Ready): Promise<void> {
    const silent = batch.takeSilent();
    if (!batch.died && silent && (await this.#trials.isDeaf(ready))) {
      const { alarm, outcome, flight } = silent;
      batch.hit(alarm, [outcome.case, ...flight], outcome);
    }
    for (const alarm of await ready.watch.afterBatch())
      if (!isClaim(alarm) || !batch.bypassed) batch.hit(alarm, []);
    const fatal = batch.fatal;
    if (fatal) this.#keeper.broke(fatal.title);
  }

  /** For guidance. The log belongs to all cases since the peer was told the setup. */
  async #listen(batch: number): Promise<void> {
    const shapes = logShapes(await this.#keeper.logs()).filter((shape) => this.#logged.add(shape));
    if (shapes.length > 0) this.#say({ kind: "logged", batch, shapes });
  }

  /** Gives what was found. */
  async #lookInto(hit: Hit, batch: Batch, finish: AbortSignal): Promise<Shown | undefined> {
    const { place, order } = batch;
    const over = new AbortController();
    const until = patience(hit.alarm, finish, over.signal);
    const trying = confirm(hit, batch.before(), { place, trials: this.#trials, until });
    // What was seen of a peer that cannot be brought back is not lost with it.
    const confirmed = await trying
      .catch(async (error: unknown) => {
        await this.#unconfirmed(hit, batch, reasonOf(error));
        throw error;
      })
      .finally(() => over.abort());
    if ("why" in confirmed) {
      await this.#unconfirmed(hit, batch, confirmed.why);
      return undefined;
    }
    const honest = await this.#honestly(confirmed, place);
    const shown = honest ?? confirmed;
    const capture = await this.#keep(shown.alarm, shown);
    this.#say({
      ...{ kind: "found", batch: order.number, alarm: shown.alarm, case: shown.case },
      ...{ outcome: shortOutcome(shown.outcome), ...(capture !== undefined && { capture }) },
    });
    if (!honest && confirmed.alarm.alone) await this.#reduce(confirmed, batch, finish);
    return shown;
  }

  /** Looks once whether the peer ever lets go of half-open IKE SAs. */
  async #halfOpen({ place, order: { number } }: Batch): Promise<void> {
    if (this.#knowsHalfOpen || !this.#order.halfOpen || place.peer !== "responder") return;
    this.#knowsHalfOpen = true;
    const trace = {
      trace: 1 as const,
      setup: place.setup.name,
      peer: place.peer,
      steps: [{ act: "init" as const }],
    };
    const played: FuzzCase = { number: 0, seed: `${this.#order.seed}/half-open`, stage: "init", trace };
    const shown = await this.#trials.lingers(played, place);
    if (!shown) return;
    const { alarm, outcome } = shown;
    this.#say({ kind: "found", batch: number, alarm, case: played, outcome: shortOutcome(outcome) });
  }

  async #unconfirmed({ alarm, suspects, outcome }: Hit, { order }: Batch, why: string): Promise<void> {
    const found = suspects[0] ?? order.cases[0];
    if (!found) return;
    const capture = outcome && (await this.#keep(alarm, { outcome, log: "" }));
    this.#say({
      ...{ kind: "unconfirmed", batch: order.number, alarm, case: found, why },
      ...(capture !== undefined && { capture }),
    });
  }

  /** The same without a lie: what shows there, too, is no matter of fuzzing. It is noted, for suites judge it. */
  async #honestly({ alarm, case: found }: Shown, place: Place): Promise<Shown | undefined> {
    if (alarm.oracle !== "requirement") return undefined;
    const plain = { ...found, trace: withoutLies(found.trace) };
    const shown = await this.#trials.shows(plain, alarm, placeOf(plain, place));
    if (shown?.alarm.signature !== alarm.signature) return undefined;
    const title = `${alarm.title} (without any lie)`;
    return { ...shown, alarm: { ...shown.alarm, title, severity: "note" } };
  }

  /** Looks for the shortest conversation, within what the order allows. */
  async #reduce({ alarm, case: found }: Shown, { place, order }: Batch, finish: AbortSignal): Promise<void> {
    if (order.minimise.executions === 0) return;
    let last: Shown | undefined;
    const shows = async (trace: FuzzCase["trace"]) => {
      if (finish.aborted) return undefined;
      const smaller = { ...found, trace };
      const shown = await this.#trials.shows(smaller, alarm, placeOf(smaller, place));
      const same = shown?.alarm.signature === alarm.signature ? shown : undefined;
      if (same) last = same;
      return same?.outcome;
    };
    const most = Math.min(order.minimise.ms, MINIMISE_MS[alarm.severity]);
    const least = await minimise(found.trace, shows, { ...order.minimise, ms: most });
    if (!least.shown) return;
    const isLeast = (one: Shown | undefined) =>
      JSON.stringify(one?.case.trace) === JSON.stringify(least.trace);
    // What was tried behind it may have shown as well.
    if (!isLeast(last)) await shows(least.trace);
    const of = isLeast(last) ? last : undefined;
    const capture = of && (await this.#keep(alarm, of));
    this.#say({
      ...{ kind: "reduced", batch: order.number, signature: alarm.signature },
      case: { ...found, trace: least.trace },
      ...(of && { outcome: shortOutcome(of.outcome) }),
      ...{ executions: least.executions, exhausted: least.exhausted },
      ...(capture !== undefined && { capture }),
    });
  }

  /** The folder with what is kept of an outcome; undefined where nothing can be kept. */
  async #keep(
    alarm: Pick<Alarm, "oracle" | "severity">,
    { outcome, log }: Pick<Shown, "outcome" | "log">,
  ): Promise<string | undefined> {
    const { captures, lane } = this.#order;
    if (captures === undefined) return undefined;
    this.#captures += 1;
    const folder = join(captures, `${lane}-${process.pid}-${this.#captures}`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      keepCapture(folder, { embargo: needsEmbargo(alarm) }, outcome, {
        epochMs: this.#keeper.lane.epochMs,
        log: log ?? (await this.#keeper.logs()),
      });
      return folder;
    } catch {
      // A capture that cannot be kept, as on a full disk, must not cost the finding.
      rmSync(folder, { recursive: true, force: true });
      return undefined;
    }
  }

  /** Plays one conversation on a fresh peer. */
  async replay({ id, case: played, setup, restart, alarm }: ReplayOrder): Promise<void> {
    const place: Place = {
      peer: played.trace.peer,
      setup: { ...setup, effect: "of a finding", roles: [played.trace.peer], stages: [] },
    };
    if (restart) this.#keeper.broke("a replay on a fresh peer");
    const { outcome, alarms } =
      alarm && buildsUp(alarm)
        ? shownAs(await this.#trials.shows(played, alarm, place))
        : await this.#trials.play(played, place);
    const capture = outcome && (await this.#keep(CLOSED, { outcome }));
    this.#say({
      ...{ kind: "replayed", id, alarms, ...(outcome && { outcome: shortOutcome(outcome) }) },
      ...(capture !== undefined && { capture }),
    });
  }

  close(): void {
    this.#keeper.close();
  }
}
