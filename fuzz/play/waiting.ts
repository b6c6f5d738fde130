/** How long a conversation waits: until a stranger was answered by the peer, and a moment more. */
import type { Datagram } from "../../harness/link/types.ts";
import type { Arena } from "../../harness/script/arena.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import type { Act } from "../trace.ts";
import type { Pace } from "./pace.ts";
import type { Probes } from "./probes.ts";
import { Probing } from "./probing.ts";
import type { Running } from "./running.ts";

/** How far a conversation is. */
export interface Situation {
  /** Steps that wait for their end. */
  open: readonly Running[];
  /** Messages of ours, and all that happened, in numbers. */
  sent: number;
  progress: number;
  /** What `sent` was with the last lie; not set while everything was honest. */
  lastLie: number | undefined;
}

export interface WaitingOptions {
  arena: Arena;
  pace: Pace;
  probes: Probes;
  state(): Situation;
  /** Puts the octets of a probe on the link. */
  send(octets: Uint8Array): void;
  /** A probe was answered, after so many milliseconds. */
  answered(ms: number): void;
  /** Time has passed: what now? */
  look(): void;
  /** The peer had its time for the steps that are open. */
  judge(): void;
  /** It answers nobody. */
  silent(): void;
}

/** Quiet moments that an honest step has before a stranger asks, and after the peer has answered that one. */
const HONEST_WAIT = 2;
const HONEST_GRACE = 5;

const EXCHANGE_OF: { readonly [A in Act]?: number } = {
  init: EXCHANGE.IKE_SA_INIT,
  "peer-initiate": EXCHANGE.IKE_AUTH,
  auth: EXCHANGE.IKE_AUTH,
  informational: EXCHANGE.INFORMATIONAL,
  "delete-child": EXCHANGE.INFORMATIONAL,
  "delete-ike": EXCHANGE.INFORMATIONAL,
};

export class Waiting {
  readonly #options: WaitingOptions;
  readonly #probing: Probing;
  /** How it stood when the last probe was sent, and whether that was in no haste. */
  #asked = { sent: 0, progress: 0, patient: false };
  /** What had been sent before the last probe that was answered. */
  #answeredAt?: number;
  #timer: { cancel: () => void; progress: number } | undefined;
  /** True while nothing is under way any more, and only what may still come is waited for. */
  resting = false;

  constructor(options: WaitingOptions) {
    this.#options = options;
    const { arena, probes, send, silent } = options;
    this.#probing = new Probing({ arena, probes, send, silent, answered: (ms) => this.#answered(ms) });
  }

  /** True if the datagram answers a probe. */
  takes(datagram: Datagram): boolean {
    return this.#probing.takes(datagram);
  }

  /** Whether the peer answered a probe that was sent after so many messages, or after all there are. */
  answeredSince(sent: number): boolean {
    return this.#answeredAt !== undefined && this.#answeredAt >= Math.min(sent, this.#options.state().sent);
  }

  /** Sees to it that the wait for the open steps ends. To be called whenever something has happened. */
  wait(): void {
    const now = this.#options.state();
    if (this.#probing.waiting || this.resting || now.open.some((step) => step.underWay)) return;
    if (this.#timer?.progress === now.progress) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const ms = this.#hesitation(now);
    if (ms === 0) return this.ask();
    const patient = now.lastLie === undefined && now.open.some((step) => !step.peers);
    this.#after(ms, now.progress, () => this.#ask(patient));
  }

  /** Has a stranger ask now, unless one does. */
  ask(): void {
    if (!this.#probing.waiting && !this.resting) this.#ask(false);
  }

  #after(ms: number, progress: number, action: () => void): void {
    const { arena } = this.#options;
    const { clock } = arena.world;
    const cancel = clock.at(clock.now() + ms, () => {
      this.#timer = undefined;
      action();
      arena.poke();
    });
    this.#timer = { cancel, progress };
  }

  #ask(patient: boolean): void {
    const { sent, progress } = this.#options.state();
    this.#asked = { sent, progress, patient };
    this.#probing.ask();
  }

  /** Milliseconds until a stranger asks. */
  #hesitation({ open, lastLie, sent }: Situation): number {
    const { quiet } = this.#options.arena;
    const fresh = open.some((step) => step.peers && step.sent === 0 && !step.reached?.());
    const honest = lastLie === undefined && !open.every((step) => step.peers && step.reached?.());
    const answered = open.every((step) => !step.peers && step.sinceSent > 0);
    if (fresh && this.#options.pace.knows("begin")) return this.#options.pace.grace("begin");
    if (fresh || (honest && !answered)) return HONEST_WAIT * quiet;
    return lastLie === sent || open.some((step) => step.peers) ? 0 : this.#grace(open);
  }

  #grace(open: readonly Running[]): number {
    const { pace, arena } = this.#options;
    if (this.#asked.patient) return HONEST_GRACE * arena.quiet;
    const each = open.map(({ step }) => pace.grace(EXCHANGE_OF[step.act] ?? EXCHANGE.CREATE_CHILD_SA));
    return Math.max(pace.grace("probe"), ...each);
  }

  #answered(ms: number): void {
    const { state, answered, look, judge } = this.#options;
    answered(ms);
    this.#answeredAt = this.#asked.sent;
    const { open, sent, progress } = state();
    if (open.length === 0 || sent > this.#asked.sent) return look();
    this.resting = true;
    this.#timer?.cancel();
    this.#after(this.#grace(open), progress, () => {
      this.resting = false;
      if (state().progress === this.#asked.progress) judge();
      look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#probing.stop();
    this.resting = false;
  }
}
