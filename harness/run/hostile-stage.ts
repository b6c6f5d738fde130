/** Two ends in memory, one of them hostile, and what that costs. Needs --expose-gc. */

import type { Policy } from "../ike/policy.ts";
import type { HostEvent } from "../script/host.ts";
import { Trace } from "../script/trace.ts";
import { makePair, type Pair, type PairOptions } from "./pair.ts";

/** What a hostile peer cost. */
export interface Cost {
  name: string;
  /** Octets above the idle figure, of both ends together: the most that was resident, garbage included. */
  resident: number;
  /** The same of the most that was kept, garbage collected. */
  kept: number;
  ms: number;
  /** What the victim's trace says of it: the first of them, each once. */
  findings: string[];
  /** An honest handshake afterwards came up. */
  next: boolean;
}

/** Of a process, in octets. */
export interface Figures {
  resident: number;
  kept: number;
}

export function figures(): Figures {
  // Twice: buffers go with the finalizers of what the first one found.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { resident: rss, kept: heapUsed + external };
}

const MOST_FINDINGS = 3;
/** Events between two looks at what is kept; each costs a garbage collection. */
const LOOK = 10_000;

const ORDINARY: Pick<Policy, "ownAuth" | "peerAuth"> = {
  ownAuth: { method: "psk" },
  peerAuth: { method: "psk" },
};

export interface StageOptions
  extends Pick<PairOptions, "fragmentation" | "policies" | "config" | "impairment"> {
  name: string;
  idle: Figures;
  /** Whose trace is kept. */
  victim?: "a" | "b";
}

export class Stage {
  readonly pair: Pair;
  readonly #options: StageOptions;
  readonly #started = performance.now();
  readonly #trace = new Trace();
  #resident = 0;
  #kept = 0;
  #events = 0;

  constructor(options: StageOptions) {
    this.#options = options;
    const { name: seed, victim, fragmentation, policies, config, impairment } = options;
    this.pair = makePair({
      ...{ seed, fragmentation, policies, config, impairment },
      event: (end, event) => this.#see(event, end === victim),
    });
  }

  #see(event: HostEvent, traced: boolean): void {
    this.#resident = Math.max(this.#resident, process.memoryUsage.rss());
    if (++this.#events % LOOK === 0) this.#look();
    if (traced) this.#trace.add(this.pair.network.clock.now(), event);
  }

  #look(): void {
    this.#kept = Math.max(this.#kept, figures().kept);
  }

  /** Sums up, with an honest handshake for the end. */
  cost(): Cost {
    this.#look();
    const { name, idle } = this.#options;
    const findings = [...new Set(findingsOf(this.#trace))].slice(0, MOST_FINDINGS);
    const { a, b, network, addresses } = this.pair;
    for (const { endpoint } of [a, b]) Object.assign(endpoint.core.policy, ORDINARY);
    const next = a.endpoint.connect(addresses.a, addresses.b);
    a.settle();
    network.run(1000);
    return {
      ...{ name, findings, next: next.established, ms: Math.round(performance.now() - this.#started) },
      ...{ resident: this.#resident - idle.resident, kept: this.#kept - idle.kept },
    };
  }
}

function findingsOf(trace: Trace): string[] {
  return trace.entries.flatMap(({ event }) => {
    if (event.type === "received")
      return event.message.findings.map(({ field, reason }) => `${field}: ${reason}`);
    const speaks = event.type === "dropped" || event.type === "ike-closed" || event.type === "child-failed";
    return speaks ? [event.reason] : [];
  });
}
