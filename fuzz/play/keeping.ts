/** What a conversation has of an honest IKE SA that others may go on with. */
import type { Arena } from "../../harness/script/arena.ts";
import type { Host } from "../../harness/script/host.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { guarded } from "./leaving.ts";
import type { Pace } from "./pace.ts";
import { adopt, disown, restore, type Standing, stillStands } from "./standing.ts";

export interface KeepingOptions {
  arena: Arena;
  pace: Pace;
  /** The peer was asked on the SA, or had its time to answer. */
  asked(good: boolean): void;
}

export class Keeping {
  readonly #options: KeepingOptions;
  #standing: Standing | undefined;
  #asking: "not yet" | "under way" | "done" = "not yet";

  constructor(options: KeepingOptions) {
    this.#options = options;
  }

  /** The peer is asked now: what is said is no part of the case. */
  get asking(): boolean {
    return this.#asking === "under way";
  }

  /** Whether an SA is kept, as far as is known. */
  get keeps(): boolean {
    return this.#standing !== undefined;
  }

  /** Once the conversation is over: what another one can go on with. */
  get standing(): Standing | undefined {
    const isGood = this.#asking === "done" && this.#standing && stillStands(this.#standing);
    return isGood ? this.#standing : undefined;
  }

  /** Goes on with the SA of another conversation. */
  goOn(standing: Standing, host: Host): void {
    this.#standing = standing;
    standing.uses++;
    adopt(host, standing);
  }

  /** Keeps what stands after the first steps, if anything does. */
  keep(standing: () => Standing | undefined): void {
    this.#standing ??= standing();
  }

  /** Asks once whether the SA is still good for others; true while the answer is waited for. */
  asks(host: Host): boolean {
    if (this.#asking !== "not yet" || !this.#standing) return this.asking;
    if (!stillStands(this.#standing)) {
      this.#answered(false);
      return false;
    }
    this.#asking = "under way";
    this.#ask(host, this.#standing);
    return true;
  }

  #ask(host: Host, standing: Standing): void {
    const { arena, pace } = this.#options;
    const { clock } = arena.world;
    const done = (good: boolean) => {
      cancel();
      if (!this.asking) return;
      this.#answered(good);
      this.#options.asked(good);
    };
    const cancel = clock.at(clock.now() + pace.grace(EXCHANGE.INFORMATIONAL), () => done(false));
    guarded(() => void restore(host, standing, done));
  }

  #answered(good: boolean): void {
    this.#asking = "done";
    if (!good) this.#standing = undefined;
  }

  /** Another conversation has it now. */
  giveUp(host: Host): void {
    if (this.#standing) disown(host, this.#standing);
  }
}
