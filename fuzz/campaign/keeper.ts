/** Keeps the peer of a lane ready: configured, alive, honest in an honest conversation, and not started without end. */

import type { World } from "../../harness/link/types.ts";
import type { Arena } from "../../harness/script/arena.ts";
import { Unsupported } from "../../harness/script/verdicts.ts";
import { type Driver, DriverUnsupported, type PeerRole } from "../../peers/contract.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { LabWatch } from "../oracles/lab.ts";
import type { Outcome } from "../outcome.ts";
import type { Setup } from "../setups.ts";
import type { FuzzCase } from "../trace.ts";
import type { FuzzLane } from "./lane.ts";
import { limited } from "./rate.ts";

/** What plays cases on an arena. */
export interface CasePlayer {
  play(played: FuzzCase): Promise<Outcome>;
  playAll(
    next: () => FuzzCase | undefined,
    done: (outcome: Outcome) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Why a fresh honest IKE SA with a Child SA could not be had; undefined when it could. */
  handshake(): Promise<string | undefined>;
  close(): void;
}

interface PlayWishes {
  window: number;
  peer: PeerRole;
  mayRefuse: boolean;
}

export type MakePlayer = (arena: Arena, options: PlayWishes) => CasePlayer;

export interface KeeperOptions {
  makePlayer: MakePlayer;
  /** Messages a second. */
  rate: number;
  restartsAnHour: number;
  /** Told of each restart. */
  restarted(reason: string): void;
  /** A process of the peer is next that has said nothing yet. */
  anew(): void;
}

/** A peer that is told what a setup says. */
export interface Ready {
  player: CasePlayer;
  watch: LabWatch;
  driver: Driver;
  world: World;
}

/** Nothing can be played in this setup on this peer. */
export class SetupUnusable extends Error {}

const HOUR_MS = 3_600_000;
/** Honest conversations that may fail before a setup is given up. */
const HONEST_TRIES = 2;

export class Keeper {
  readonly #lane: FuzzLane;
  readonly #options: KeeperOptions;
  #ready: Ready | undefined;
  /** Goes on from arena to arena of the same daemon, for what grows slowly. */
  #watch: { driver: Driver; watch: LabWatch } | undefined;
  /** Why the peer must be started before it is used again. */
  #broken: string | undefined;
  readonly #restarts: number[] = [];

  constructor(lane: FuzzLane, options: KeeperOptions) {
    this.#lane = lane;
    this.#options = options;
  }

  get lane(): FuzzLane {
    return this.#lane;
  }

  /** The peer has died or hangs: it is started anew before it is used again. */
  broke(reason: string): void {
    this.#broken ??= reason;
  }

  /** The peer's log since it was prepared. */
  async logs(): Promise<string> {
    return (
      (await this.#lane
        .driver()
        ?.logs()
        .catch(() => "")) ?? ""
    );
  }

  /**
   * A fresh peer with this setup, on which nothing has been played.
   * @throws SetupUnusable where the peer has no means for the setup; LabError where it cannot be brought back
   */
  async prepare(setup: Setup, peer: PeerRole, label: string, window = 1): Promise<Ready> {
    this.close();
    if (this.#broken !== undefined) await this.restart(this.#broken);
    const arena = await this.#arena(setup, peer, label);
    if (peer === "initiator" && arena.config.groups && !arena.driver.groups)
      throw new SetupUnusable("the peer cannot be made to join a group");
    const link = arena.virtual ? arena.link : limited(arena.link, arena.world.clock, this.#options.rate);
    const mayRefuse = setup.honestEnd === "refused";
    const player = this.#options.makePlayer({ ...arena, link }, { window, peer, mayRefuse });
    const known = this.#watch?.driver === arena.driver ? this.#watch.watch : undefined;
    if (!known) this.#options.anew();
    const watch = known ?? new LabWatch(arena.driver);
    this.#watch = { driver: arena.driver, watch };
    this.#ready = { player, watch, driver: arena.driver, world: arena.world };
    return this.#ready;
  }

  /** As `prepare`, after an honest conversation that came to its end. */
  async prepareHonest(setup: Setup, peer: PeerRole, label: string, window: number): Promise<Ready> {
    let why = "";
    for (let tried = 0; tried < HONEST_TRIES; tried++) {
      const ready = await this.prepare(setup, peer, label, window);
      const failed = await ready.player.handshake();
      if (failed === undefined) return ready;
      why = failed;
      this.broke(`an honest conversation failed: ${failed}`);
    }
    throw new SetupUnusable(`an honest conversation failed twice: ${why}`);
  }

  async #arena(setup: Setup, peer: PeerRole, label: string): Promise<Arena> {
    try {
      return await this.#lane.arena(setup, peer, label);
    } catch (error) {
      if (isUnsupported(error)) throw new SetupUnusable(reasonOf(error));
      await this.restart(reasonOf(error));
    }
    try {
      return await this.#lane.arena(setup, peer, label);
    } catch (error) {
      throw new SetupUnusable(reasonOf(error));
    }
  }

  /** @throws LabError when it does not come back, or was started too often */
  async restart(reason: string): Promise<void> {
    this.close();
    const now = performance.now();
    while ((this.#restarts[0] ?? now) < now - HOUR_MS) this.#restarts.shift();
    const { restartsAnHour } = this.#options;
    if (this.#restarts.length >= restartsAnHour)
      throw new LabError("start-failed", `the peer was started ${restartsAnHour} times within an hour`);
    this.#restarts.push(now);
    this.#options.anew();
    try {
      await this.#lane.restart();
    } catch (error) {
      throw new LabError("start-failed", `the peer could not be started again: ${reasonOf(error)}`);
    }
    this.#broken = undefined;
    this.#watch?.watch.forget();
    this.#options.restarted(reason);
  }

  close(): void {
    this.#ready?.player.close();
    this.#ready = undefined;
  }
}

const isUnsupported = (error: unknown): boolean =>
  error instanceof DriverUnsupported || error instanceof Unsupported;

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
