/** Asks whether the peer still answers anybody: the positive sign with which a wait for it ends. */

import type { Datagram } from "../../harness/link/types.ts";
import type { Arena } from "../../harness/script/arena.ts";
import type { ProbeKind, Probes } from "./probes.ts";
import { ikeOctets, spiAt } from "./switchboard.ts";

export interface ProbingOptions {
  arena: Arena;
  probes: Probes;
  /** Puts IKE octets on the link. */
  send(octets: Uint8Array): void;
  /** An answer came, after so many milliseconds. */
  answered(ms: number): void;
  /** None came to any of several within the arena's patience. */
  silent(): void;
}

const TRIES = 4;
/** How often it is looked whether the peer has ended. */
const LOOK_MS = 50;

export class Probing {
  readonly #options: ProbingOptions;
  /** Those of ours by their SPI. */
  readonly #spis = new Map<string, { kind: ProbeKind; at: number }>();
  #cancel: (() => void) | undefined;
  /** Whether an answer is waited for. */
  waiting = false;

  constructor(options: ProbingOptions) {
    this.#options = options;
  }

  ask(): void {
    this.waiting = true;
    this.#try(1);
  }

  #try(number: number): void {
    const { arena, probes } = this.#options;
    const { clock } = arena.world;
    // The lean one goes first, so that its answer is not missed.
    if (probes.lean && number === 1) this.#send("lean");
    else for (const kind of ["lean", "whole"] as const) this.#send(kind);
    this.#wait(clock.now() + arena.patience / TRIES, () => {
      if (number < TRIES) return this.#try(number + 1);
      this.#giveUp();
    });
  }

  /** Nobody waits for one that is known to have ended. */
  #wait(until: number, then: () => void): void {
    const { clock } = this.#options.arena.world;
    const { driver } = this.#options.arena;
    const look = driver.ended ? Math.min(until, clock.now() + LOOK_MS) : until;
    this.#cancel = clock.at(look, () => {
      if (driver.ended?.()) return this.#giveUp();
      if (look < until) return this.#wait(until, then);
      then();
    });
  }

  #giveUp(): void {
    this.waiting = false;
    this.#options.silent();
  }

  #send(kind: ProbeKind): void {
    const { arena, probes, send } = this.#options;
    const octets = probes.make(kind);
    this.#spis.set(spiAt(octets, 0) ?? "", { kind, at: arena.world.clock.now() });
    send(octets);
  }

  /** True if the datagram answers a probe of ours; nobody else needs it then. */
  takes(datagram: Datagram): boolean {
    const { arena, probes, answered } = this.#options;
    const octets = ikeOctets(datagram, datagram.destination.port === arena.natPort);
    const found = octets && this.#spis.get(spiAt(octets, 0) ?? "");
    if (!found) return false;
    if (found.kind === "lean") probes.lean = true;
    if (!this.waiting) return true;
    this.#cancel?.();
    this.waiting = false;
    answered(arena.world.clock.now() - found.at);
    return true;
  }

  stop(): void {
    this.#cancel?.();
    this.waiting = false;
  }
}
