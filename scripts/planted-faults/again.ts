/** Planted faults that are known by a conversation: whether it shows them every time, alone and among other lies. */
import type { Alarm } from "../../fuzz/alarm.ts";
import { Keeper } from "../../fuzz/campaign/keeper.ts";
import { openLane } from "../../fuzz/campaign/lane.ts";
import { type Place, placeOf, Trials } from "../../fuzz/campaign/trials.ts";
import { Generator } from "../../fuzz/generate/generator.ts";
import { minimise } from "../../fuzz/minimise/minimise.ts";
import { judgeCase } from "../../fuzz/oracles/index.ts";
import { Player } from "../../fuzz/play/player.ts";
import { findSetup, type Setup } from "../../fuzz/setups.ts";
import { type Act, type Change, changesOf, type FuzzCase, STAGES, type Trace } from "../../fuzz/trace.ts";
import type { PeerRole } from "../../peers/contract.ts";

/** A conversation that shows a fault of the builtin peer and has nothing in it that could go. */
export interface KnownFault {
  lie: string;
  setup?: string;
  peer?: PeerRole;
  /** The last one has the lie. */
  acts: readonly Act[];
  change: Partial<Change> & Pick<Change, "op">;
}

/** Of every depth two, all to be seen of a peer in memory. */
export const KNOWN: readonly KnownFault[] = [
  {
    ...{ lie: "dies-of-short-key-lengths", acts: ["init"] },
    change: { op: "attribute-add", at: "SA/1/1", value: 14 },
  },
  { lie: "bursts-about-groups-not-offered", acts: ["init"], change: { op: "ke-method", at: "KE" } },
  {
    ...{ lie: "dies-without-one-selector", acts: ["init", "auth"] },
    change: { op: "payload-omit", at: "TSr" },
  },
  {
    ...{ lie: "passes-over-critical-payloads", acts: ["init", "auth"] },
    change: { op: "payload-unknown-critical", at: "SA", value: 228 },
  },
  {
    ...{ lie: "dies-of-mschapv2-value-sizes", setup: "eap-mschapv2", acts: ["init", "auth"] },
    change: { message: 1, op: "eap-mschapv2-value-size", value: 0 },
  },
  {
    ...{ lie: "lets-the-other-end-declare-success", setup: "eap-gtc", acts: ["init", "auth"] },
    change: { message: 1, op: "eap-success" },
  },
  {
    ...{ lie: "takes-no-selectors-for-its-own", acts: ["init", "auth", "create-child"] },
    change: { op: "selector-none", at: "TSr" },
  },
  {
    ...{ lie: "forgets-the-last-sequence-number", acts: ["init", "auth", "esp"] },
    change: { op: "esp-repeat", value: 2 },
  },
  {
    ...{ lie: "takes-short-nonces-after-a-delete", acts: ["init", "auth", "delete-child", "create-child"] },
    change: { op: "nonce-size", at: "NONCE", value: 15 },
  },
  {
    ...{ lie: "trusts-whom-it-knows", acts: ["init", "auth", "init", "auth"] },
    change: { op: "auth-bit", value: 3 },
  },
];

export const traceOf = ({ setup = "psk", peer = "responder", acts, change }: KnownFault): Trace => ({
  ...{ trace: 1, setup, peer },
  steps: acts.map((act, i) => ({
    act,
    ...(i === acts.length - 1 && { changes: [{ message: 0, ...change }] }),
  })),
});

/** A peer in memory that has the fault. */
export class KnownRig {
  readonly #keeper: Keeper;
  readonly #trials: Trials;
  readonly #generator: Generator;
  readonly place: Place;

  private constructor(keeper: Keeper, generator: Generator, place: Place) {
    this.#keeper = keeper;
    this.#trials = new Trials(keeper, judgeCase, () => {});
    this.#generator = generator;
    this.place = place;
  }

  static async open({ lie, setup: name = "psk", peer = "responder" }: KnownFault): Promise<KnownRig> {
    const lane = await openLane({
      ...{ peer: "builtin:memory", id: "known", seed: "1", lie, variant: undefined, runId: "known", lane: 0 },
      network: undefined,
    });
    const keeper = new Keeper(lane, {
      ...{
        makePlayer: (arena, options) => new Player(arena, options),
        rate: 20_000,
        restartsAnHour: 100_000,
      },
      restarted: () => {},
      anew: () => {},
    });
    const setup = findSetup(name);
    if (!setup) throw new Error(`no setup ${name}`);
    return new KnownRig(keeper, await noiseOf(setup, peer), { setup, peer });
  }

  async alarms(trace: Trace, seed: string): Promise<Alarm[]> {
    const played = caseOf(trace, seed);
    return (await this.#trials.play(played, placeOf(played, this.place))).alarms;
  }

  /** What is left of a conversation that raises this alarm. */
  least(trace: Trace, seed: string, alarm: Alarm) {
    const shows = async (one: Trace) => {
      const played = caseOf(one, seed);
      const shown = await this.#trials.shows(played, alarm, placeOf(played, this.place));
      return shown?.alarm.signature === alarm.signature ? shown.outcome : undefined;
    };
    return minimise(trace, shows, { executions: 300, ms: 60_000 });
  }

  /** The conversation among lies of another one: beside its own, and in steps behind them. */
  amongOthers({ steps, ...rest }: Trace): Trace {
    const batch = this.#generator.nextBatch();
    const other = batch.nextCase()?.trace.steps ?? [];
    const same = steps.map((step, i) => {
      const more = other[i]?.act === step.act ? (other[i]?.changes ?? []) : [];
      const changes = [...(step.changes ?? []), ...more];
      return changes.length > 0 ? { ...step, changes } : step;
    });
    return { ...rest, steps: [...same, ...other.slice(same.length)] };
  }

  async close(): Promise<void> {
    this.#keeper.close();
    await this.#keeper.lane.stop();
  }
}

const caseOf = (trace: Trace, seed: string): FuzzCase => ({ number: 0, seed, stage: "init", trace });

const noiseOf = (setup: Setup, peer: PeerRole): Promise<Generator> =>
  Generator.create({
    ...{ seed: "noise", setups: [setup], roles: [peer], stages: STAGES, guided: false, batch: 1 },
  });

/** Messages of ours and lies: what a conversation has at least. */
export const sizeOf = (trace: Trace): { steps: number; changes: number } => ({
  ...{ steps: trace.steps.length, changes: changesOf(trace).length },
});
