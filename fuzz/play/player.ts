/** Plays the cases of a campaign on an arena. */
import type { Policy } from "../../harness/ike/policy.ts";
import type { Credential } from "../../harness/pki/types.ts";
import type { Arena } from "../../harness/script/arena.ts";
import { groupCredential } from "../../harness/script/group-credential.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import type { PeerRole } from "../../peers/contract.ts";
import { operators as allOperators } from "../operators/index.ts";
import type { Operator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import type { FuzzCase, Step } from "../trace.ts";
import { Conversation } from "./conversation.ts";
import type { Sees } from "./lies.ts";
import { standsAlone } from "./line-up.ts";
import { Pace } from "./pace.ts";
import { Probes } from "./probes.ts";
import { beginsHonestly } from "./standing.ts";
import { Switchboard } from "./switchboard.ts";

export interface PlayerOptions {
  /** Conversations at once with a peer that answers; 1 if not set. With one that begins there is always only one. */
  window?: number;
  /** Is shown every message of ours before anything of it is changed. */
  sees?: Sees;
  /** The role of the peer in {@link Player.handshake}; not set: responder. */
  peer?: PeerRole;
  /** {@link Player.handshake} counts a login that the peer refuses, too. */
  mayRefuse?: boolean;
  /**
   * {@link Player.playAll} plays a case that begins with an honest IKE SA and Child SA on those of a case before it, while
   * the peer answers there. What the peer says of a case may then come of one before it.
   */
  reuse?: boolean;
  /** By name; not set: all there are. */
  operators?: ReadonlyMap<string, Operator>;
}

const LOGINS: ReadonlySet<Step["act"]> = new Set<Step["act"]>(["auth", "peer-initiate"]);
/** Bounds of the grace that an answer has after a probe was answered, in milliseconds. */
const GRACE = { virtual: { least: 300, most: 3_000 }, real: { least: 3, most: 300 } };
/** No conversation takes longer, in multiples of the arena's patience. */
const LONGEST = 100;
/** How many times the window may be open where most conversations only wait for what may still come. */
const RESTING = 8;
/** IKE SAs that wait for the next case, in multiples of the window. */
const KEPT = 2;
/** Half-open SAs that a peer is left with before it is told to forget them. */
const MOST_HALF_OPEN = 2_000;

export class Player {
  readonly #arena: Arena;
  readonly #options: PlayerOptions;
  readonly #policy: Policy;
  readonly #board: Switchboard;
  readonly #pace: Pace;
  readonly #probes: Probes;
  readonly #operators: ReadonlyMap<string, Operator>;
  #credential: { value: Credential | undefined } | undefined;
  /** Played, and not yet cleared away. */
  readonly #finished: Conversation[] = [];
  /** Over, with an IKE SA that a later case can go on with. */
  readonly #kept: Conversation[] = [];
  #halfOpen = 0;
  #handshakes = 0;

  constructor(arena: Arena, options: PlayerOptions = {}) {
    this.#arena = arena;
    this.#options = options;
    this.#policy = arena.policy();
    this.#board = new Switchboard(arena.link, arena.natPort);
    this.#pace = new Pace(arena.virtual ? GRACE.virtual : GRACE.real);
    this.#probes = new Probes(this.#policy, arena.random);
    this.#operators = options.operators ?? new Map(allOperators.map((operator) => [operator.name, operator]));
  }

  /** Datagrams that were no conversation's. */
  get strays(): number {
    return this.#board.dropped;
  }

  async play(fuzzCase: FuzzCase): Promise<Outcome> {
    await this.#prepare();
    await this.#clear();
    await this.#release();
    const conversation = this.#start(fuzzCase);
    await this.#until(new Set([conversation]));
    this.#finished.push(conversation);
    return conversation.outcome();
  }

  /** Plays what `next` gives until it gives nothing more or the signal comes; the next case begins once `done` is. */
  async playAll(
    next: () => FuzzCase | undefined,
    done: (outcome: Outcome) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#prepare();
    await this.#clear();
    const going = new Set<Conversation>();
    let ahead = signal?.aborted ? undefined : next();
    while (ahead || going.size > 0) {
      while (ahead && this.#admits(ahead, going)) {
        if (standsAlone(ahead.trace)) await this.#release();
        going.add(this.#start(ahead, this.#options.reuse));
        ahead = signal?.aborted ? undefined : next();
      }
      await this.#until(going, ahead);
      for (const conversation of [...going].filter(({ over }) => over)) {
        going.delete(conversation);
        this.#finished.push(conversation);
        const outcome = conversation.outcome();
        if (conversation.doubtful && outcome.probe === "answered") going.add(this.#start(outcome.case));
        else await done(outcome);
        if (outcome.probe === "silence") await this.#release();
      }
      await this.#clear(going.size === 0);
      if (signal?.aborted) ahead = undefined;
    }
  }

  /** Whether this case may begin beside those that are going on. */
  #admits({ trace }: FuzzCase, going: ReadonlySet<Conversation>): boolean {
    const { window = 1 } = this.#options;
    if (going.size === 0) return true;
    if (window === 1 || this.#halfOpen >= MOST_HALF_OPEN || standsAlone(trace)) return false;
    let busy = 0;
    for (const { alone, resting } of going) {
      if (alone) return false;
      if (!resting) busy++;
    }
    return busy < window && going.size < RESTING * window;
  }

  /** A fresh honest IKE SA with its Child SA, deleted again; the reason if something of that failed. */
  async handshake(): Promise<string | undefined> {
    const peer = this.#options.peer ?? "responder";
    const acts: Step["act"][] =
      peer === "responder" ? ["init", "auth", "delete-ike"] : ["peer-initiate", "delete-ike"];
    const { steps } = await this.play({
      ...{ number: 0, seed: `handshake ${this.#handshakes++}`, stage: "auth" },
      trace: { trace: 1, setup: "", peer, steps: acts.map((act) => ({ act })) },
    });
    const failed = steps.find(({ ended }) => ended !== "done");
    if (this.#options.mayRefuse && failed?.ended === "refused" && LOGINS.has(failed.act)) return undefined;
    return failed && `${failed.act}: ${[failed.ended, failed.reason].filter(Boolean).join(", ")}`;
  }

  /** Forgets what is going on; the arena stays. */
  close(): void {
    for (const conversation of [...this.#finished.splice(0), ...this.#kept.splice(0)]) {
      conversation.part();
      conversation.close();
    }
    this.#arena.link.onReceive(() => {});
  }

  async #prepare(): Promise<void> {
    this.#credential ??= { value: await groupCredential(this.#arena.config.groups ?? []) };
  }

  /** `reuse`: on the IKE SA of another one, if there is one, and leaving its own to others. */
  #start(fuzzCase: FuzzCase, reuse = false): Conversation {
    const { sees } = this.#options;
    const keeps = reuse && this.#mayKeep(fuzzCase);
    const before = keeps ? this.#takeKept() : undefined;
    const conversation = new Conversation({
      ...{ arena: this.#arena, case: fuzzCase, policy: this.#policy, board: this.#board },
      ...{ pace: this.#pace, probes: this.#probes, operators: this.#operators, sees },
      ...{ credential: this.#credential?.value, keeps, on: before?.standing },
    });
    if (before) {
      before.handTo(conversation);
      this.#finished.push(before);
    }
    conversation.start();
    return conversation;
  }

  /** A member's or controller's host knows its group by more than the IKE SA. */
  #mayKeep({ trace }: FuzzCase): boolean {
    return beginsHonestly(trace) && !standsAlone(trace) && !this.#arena.config.groups;
  }

  #takeKept(): Conversation | undefined {
    for (;;) {
      const found = this.#kept.pop();
      if (!found || found.standing) return found;
      this.#finished.push(found);
    }
  }

  /** Lets all kept IKE SAs go, and waits until the peer has. */
  async #release(): Promise<void> {
    const all = this.#kept.splice(0);
    if (all.length === 0) return;
    for (const conversation of all) conversation.part();
    const patience = this.#pace.grace(EXCHANGE.INFORMATIONAL);
    await this.#arena.world.until(() => all.every(({ parted }) => parted), patience);
    for (const conversation of all) conversation.close();
  }

  /** Until one of them is over, or there is room for one more. */
  async #until(going: ReadonlySet<Conversation>, ahead?: FuzzCase): Promise<void> {
    const { world, patience } = this.#arena;
    const moves = () => {
      for (const { over } of going) if (over) return true;
      return ahead !== undefined && this.#admits(ahead, going);
    };
    if (going.size === 0 || (await world.until(moves, LONGEST * patience))) return;
    for (const conversation of going) conversation.abort();
  }

  /** Clears away what was played; a peer that is left with something forgets it, once nobody talks with it. */
  async #clear(alone = true): Promise<void> {
    let stale = false;
    for (const conversation of this.#finished.splice(0)) {
      this.#halfOpen += conversation.halfOpen;
      if (this.#keeps(conversation)) continue;
      conversation.part();
      if (conversation.peerBegan) stale = !(await this.#parted(conversation)) || stale;
      conversation.close();
    }
    if (!alone || (!stale && this.#halfOpen < MOST_HALF_OPEN)) return;
    this.#halfOpen = 0;
    await this.#release();
    // Whether it lives is for the oracles to see.
    await this.#arena.driver.reset().catch(() => {});
  }

  #keeps(conversation: Conversation): boolean {
    const { window = 1 } = this.#options;
    if (!conversation.standing || this.#kept.length >= KEPT * window) return false;
    this.#kept.push(conversation);
    return true;
  }

  /** Whether a peer that began has nothing left to go on with. */
  async #parted(conversation: Conversation): Promise<boolean> {
    const patience = this.#pace.grace(EXCHANGE.INFORMATIONAL);
    return conversation.halfOpen === 0 && this.#arena.world.until(() => conversation.parted, patience);
  }
}
