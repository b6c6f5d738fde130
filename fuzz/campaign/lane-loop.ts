/** One lane of a campaign from its first batch to its last, over as many processes as that takes. */
import type { LaneNetwork } from "../../peers/runtime/index.ts";
import { findingId } from "../findings/finding.ts";
import { type Front, type Held, pendingOf } from "./front.ts";
import { isGone, LaneChild, type LaneGone } from "./lane-child.ts";
import { type FromFuzzLane, type FuzzOrder, outcomeOf } from "./protocol.ts";
import type { Recorder } from "./recorder.ts";

export interface LoopOptions {
  front: Front;
  recorder: Recorder;
  order: Omit<FuzzOrder, "kind">;
  network?: LaneNetwork | undefined;
  /** What the smallest conversation of a finding may cost now. */
  minimise(): { executions: number; ms: number };
  /** Places of an instrumented peer's code that it came to since; not set: it tells none. */
  edges?: () => Iterable<number>;
  /** Begin no more. */
  finish: AbortSignal;
  /** End at once. */
  stop: AbortSignal;
  /** Takes away what a process that ended has left. */
  clean(): Promise<void>;
  /** Told what a user should read at once. */
  say(line: string): void;
}

/** Processes one after another that did not play a single case, after which the lane is given up. */
const BARREN = 2;
const HOUR_MS = 3_600_000;

/** Why the lane ended before the campaign did; undefined: it did not. */
export async function laneLoop(options: LoopOptions): Promise<string | undefined> {
  let barren = 0;
  const restarts: number[] = [];
  while (!options.finish.aborted) {
    const run = new LaneRun(options, restarts);
    const gone = await run.toItsEnd();
    await options.clean();
    if (!gone || options.stop.aborted) return undefined;
    barren = run.played > 0 ? 0 : barren + 1;
    // Another process starts the peer again, too.
    if (barren >= BARREN || restarts.length >= options.order.restartsAnHour) return gone.reason;
    restarts.push(performance.now());
  }
  return undefined;
}

const now = (): string => new Date().toISOString();

const laneName = (front: Front, { lane }: { lane: number }): string => `${front.options.place}-${lane}`;

/** One process of the lane. */
class LaneRun {
  readonly #options: LoopOptions;
  readonly #restarts: number[];
  #held: Held | undefined;
  played = 0;

  constructor(options: LoopOptions, restarts: number[]) {
    this.#options = options;
    this.#restarts = restarts;
  }

  /** Undefined when there is nothing left to play, or no more shall be. */
  async toItsEnd(): Promise<LaneGone | undefined> {
    const { front, order, finish, stop, recorder, network } = this.#options;
    while ((this.#restarts[0] ?? Number.POSITIVE_INFINITY) < performance.now() - HOUR_MS)
      this.#restarts.shift();
    const restartsAnHour = Math.max(0, order.restartsAnHour - this.#restarts.length);
    const child = new LaneChild(
      { kind: "order", ...order, restartsAnHour, captures: recorder.captures, ...(network && { network }) },
      { signal: stop, onMessage: (message) => this.#take(message) },
    );
    const tell = () => child.finish();
    finish.addEventListener("abort", tell, { once: true });
    try {
      const started = await child.started();
      if (isGone(started)) return this.#lost(started);
      front.info = started.peer;
      front.epochMs = started.epochMs;
      recorder.append({ kind: "peer-started", peer: front.options.place, info: started.peer });
      const gone = await this.#batches(child);
      if (gone) return this.#lost(gone);
      await child.stop();
      return undefined;
    } catch (error) {
      child.kill();
      throw error;
    } finally {
      finish.removeEventListener("abort", tell);
    }
  }

  async #batches(child: LaneChild): Promise<LaneGone | undefined> {
    const { front, finish, recorder, order, minimise } = this.#options;
    const lane = laneName(front, order);
    for (;;) {
      const held = await front.next(finish);
      if (!held || finish.aborted) return held && this.#unplayed(held);
      this.#held = held;
      const { number, setup, peer, cases } = held;
      recorder.pending(lane, pendingOf(held, order.window));
      if (held.from !== undefined) recorder.pending(held.from, undefined);
      const answer = await child.batch({
        ...{ kind: "batch", number, setup, peer, cases, known: front.known(), minimise: minimise() },
      });
      front.write(held);
      front.ended(held);
      if (this.#options.edges) front.heard(held, { edges: this.#options.edges() });
      if (isGone(answer)) return answer;
      this.#held = undefined;
      if (answer.kind === "no-setup") this.#drop(held, answer.reason);
      if (finish.aborted && held.left.size > 0) {
        recorder.pending(lane, pendingOf(held, 0));
        return undefined;
      }
      recorder.pending(lane, undefined);
      recorder.append({ kind: "batch-ended", batch: number, peer: front.options.place });
    }
  }

  /** The end came before it began. */
  #unplayed(held: Held): undefined {
    const { front, recorder, order } = this.#options;
    recorder.pending(laneName(front, order), pendingOf(held, 0));
    return undefined;
  }

  #drop({ setup, peer }: Held, reason: string): void {
    this.#options.front.drop(setup, peer, reason);
    this.#options.say(`${this.#options.order.id}: no setup ${setup} as ${peer}: ${reason}`);
  }

  /** The cases that its process had in hand when it ended are kept apart: whose fault it was nobody knows. */
  #lost(gone: LaneGone): LaneGone {
    const { front, recorder, order, stop } = this.#options;
    const held = this.#held;
    if (stop.aborted) return gone;
    const reason = `${gone.reason}`.slice(0, 2_000);
    recorder.append({ kind: "lane-ended", time: now(), peer: front.options.place, reason });
    if (!held) return gone;
    front.write(held);
    const suspects = front.putBack(held, order.window);
    recorder.pending(laneName(front, order), undefined);
    const numbers = suspects.map(({ number }) => number).join(", ");
    this.#options.say(`${order.id}: ${gone.reason}; in hand were cases ${numbers || "of none"}`);
    recorder.append({ kind: "trouble", peer: front.options.place, reason: `${reason}; in hand: ${numbers}` });
    return gone;
  }

  #take(message: FromFuzzLane): void {
    const { front, recorder, order } = this.#options;
    const peer = front.options.place;
    switch (message.kind) {
      case "played":
        this.played += 1;
        return this.#played(message);
      case "found":
        for (const one of [message.alarm.signature, ...(message.alarm.beside ?? [])])
          this.#held?.open.delete(one);
        return recorder.withTheLastRoom(() => this.#found(message));
      case "reduced":
        return recorder.whileThereIsRoom(() => this.#reduced(message));
      case "unconfirmed":
        this.#held?.open.delete(message.alarm.signature);
        return this.#unconfirmed(message);
      case "logged":
        if (this.#held) front.heard(this.#held, { shapes: message.shapes });
        return;
      case "restarted":
        this.#restarts.push(performance.now());
        return recorder.append({ kind: "restarted", time: now(), peer });
      case "trouble":
        this.#options.say(`${order.id}: a fault of our own: ${message.reason.split("\n")[0]}`);
        return recorder.append({ kind: "trouble", peer, reason: message.reason.slice(0, 8_000) });
    }
  }

  #played({ outcome, alarms }: Extract<FromFuzzLane, { kind: "played" }>): void {
    const held = this.#held;
    if (!held) return;
    const { front, recorder, order } = this.#options;
    const before = held.open.size;
    front.played(held, outcome, alarms);
    if (held.open.size > before) recorder.pending(laneName(front, order), pendingOf(held, order.window));
  }

  #found({ alarm, case: found, outcome, capture }: Extract<FromFuzzLane, { kind: "found" }>): void {
    const { front, recorder, order } = this.#options;
    if (!front.info) return;
    const { id, fresh, muted } = recorder.store.add(alarm, found, outcomeOf(outcome, found), front.info, {
      ...{ epochMs: front.epochMs, ...(capture !== undefined && { capture }) },
      ...(order.lie !== undefined && { lie: order.lie }),
    });
    if (!fresh || muted) return;
    const { oracle, severity, requirement } = alarm;
    const named = recorder.store.get(id)?.embargo === false && requirement;
    recorder.append({
      ...{ kind: "found", time: now(), peer: front.options.place, id, oracle, severity, case: found.number },
      ...(named && { requirement: `${named.document} ${named.id}` }),
    });
    const title = recorder.store.get(id)?.embargo ? "under embargo" : alarm.title;
    this.#options.say(`${order.id}: finding ${id}: ${oracle}, ${severity}: ${title}`);
  }

  #reduced(message: Extract<FromFuzzLane, { kind: "reduced" }>): void {
    const { front, recorder } = this.#options;
    const { signature, case: found, outcome, capture, executions } = message;
    if (!front.info) return;
    const id = findingId(front.info.name, signature);
    const { epochMs } = front;
    const shorter = { ...found, ...(outcome && { outcome: outcomeOf(outcome, found) }) };
    recorder.store.reduce(id, shorter, { epochMs, ...(capture !== undefined && { capture }) });
    recorder.append({
      ...{ kind: "reduced", peer: front.options.place, id },
      ...{ messages: recorder.store.get(id)?.messages ?? 0, executions },
    });
  }

  #unconfirmed({ alarm, case: found, capture }: Extract<FromFuzzLane, { kind: "unconfirmed" }>): void {
    const { front, recorder } = this.#options;
    if (!front.info) return;
    front.doubted(alarm.signature);
    const folder = recorder.unconfirmed(alarm, found, front.info, capture);
    recorder.append({
      ...{ kind: "unconfirmed", time: now(), peer: front.options.place, oracle: alarm.oracle },
      ...{ case: found.number, ...(folder !== undefined && { folder }) },
    });
  }
}
