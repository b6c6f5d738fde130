/** A call: our endpoint as initiator on the way to a peer, from the first message to the Delete. */
import type { PeerConfig } from "../../peers/contract.ts";
import type { Random } from "../crypto/types.ts";
import type { EspExtension } from "../esp/hooks.ts";
import type { Pipe } from "../esp/pipe.ts";
import { fragmentation } from "../extensions/fragmentation.ts";
import { postQuantum } from "../extensions/post-quantum.ts";
import type { ChildSa } from "../ike/child.ts";
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import type { Extension } from "../ike/hooks.ts";
import type { IkeSa } from "../ike/sa.ts";
import { RealWorld } from "../link/udp.ts";
import { Host, type HostEvent } from "../script/host.ts";
import { policyFor } from "../script/policy.ts";
import type { Way } from "./way.ts";

export interface CallOptions {
  way: Way;
  /** The peer's half of what is to be agreed. */
  config: PeerConfig;
  random: Random;
  extensions?: Extension[];
  esp?: EspExtension[];
  /** Ends every wait. */
  signal?: AbortSignal;
}

/** Why there are no SAs. */
export class CallFailure extends Error {}

/** What a call has brought. */
export interface Connected {
  sa: IkeSa;
  child: ChildSa;
  pipe: Pipe;
}

/** The endpoint itself gives up long before. */
const MOST_MS = 300_000;
/** The longest that the peer's answers to the Delete and to a last packet are waited for. */
const GOODBYE_MS = 2_000;

export class Call {
  readonly host: Host;
  readonly way: Way;
  readonly #world = new RealWorld();
  readonly #signal: AbortSignal | undefined;
  readonly #listeners: ((event: HostEvent) => void)[] = [];
  /** What was refused last, for want of a better reason. */
  #dropped: string | undefined;

  constructor({ way, config, random, extensions = [], esp = [], signal }: CallOptions) {
    this.way = way;
    this.#signal = signal;
    const { link, natPort, remoteNatPort } = way;
    this.host = new Host({
      ...{ link, natPort, remoteNatPort, random, clock: this.#world.clock, esp: [...esp] },
      // Who names a PPK wants nothing without it.
      policy: { ...policyFor(config, "tester"), ppkRequired: config.ppkRequired === true },
      extensions: [fragmentation(), ...postQuantum(), ...way.extensions, ...extensions],
      answersEcho: true,
      event: (event) => this.#onEvent(event),
      settled: () => this.#world.poke(),
    });
    signal?.addEventListener("abort", () => this.#world.poke());
  }

  get interrupted(): boolean {
    return this.#signal?.aborted === true;
  }

  now(): number {
    return this.#world.clock.now();
  }

  /** Is told of all that the host sees, from now on. */
  onEvent(listener: (event: HostEvent) => void): void {
    this.#listeners.push(listener);
  }

  #onEvent(event: HostEvent): void {
    if (event.type === "dropped") this.#dropped = event.reason;
    for (const listener of this.#listeners) listener(event);
  }

  /** Waits until the condition holds; false when the time is over or the user wants no more. */
  async until(condition: () => boolean, ms: number): Promise<boolean> {
    await this.#world.until(() => this.interrupted || condition(), ms);
    return condition();
  }

  /** IKE_SA_INIT and IKE_AUTH. @throws CallFailure */
  async connect(): Promise<Connected> {
    const { local, remote } = this.way;
    let outcome: AuthOutcome | undefined;
    const sa = this.host.endpoint.connect(local, remote, (given) => {
      outcome = given;
    });
    this.host.settle();
    await this.until(() => outcome !== undefined, MOST_MS);
    if (!outcome) throw new CallFailure(this.interrupted ? "interrupted" : "no end of it in sight");
    const { failure, childFailure, child } = outcome;
    if (failure) throw new CallFailure(this.#because("no IKE SA", failure));
    const pipe = child && this.host.pipeOf(child);
    if (childFailure || !child || !pipe)
      throw new CallFailure(this.#because("an IKE SA, but no Child SA", childFailure ?? "none was made"));
    return { sa, child, pipe };
  }

  #because(what: string, reason: string): string {
    const hint = this.#dropped && this.#dropped !== reason ? ` (refused last: ${this.#dropped})` : "";
    return `${what} with ${this.way.remote.host}: ${reason}${hint}`;
  }

  /** Deletes what stands, says so to the peer, and closes the sockets. */
  async end(): Promise<void> {
    const { endpoint } = this.host;
    const standing = [...endpoint.core.sas.values()].filter((sa) => sa.established);
    let left = standing.length;
    for (const sa of standing) endpoint.deleteIke(sa, () => left--);
    this.host.settle();
    await this.#world.until(() => left === 0, GOODBYE_MS);
    this.host.stop();
    await this.way.link.close();
  }
}
