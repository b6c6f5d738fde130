/** A network in memory under virtual time: the same seed gives the same run, octet by octet. */
import type { Random } from "../crypto/types.ts";
import { isMulticast } from "./multicast-address.ts";
import type { Clock, Datagram, Link, World } from "./types.ts";

/**
 * What happens to datagrams on the way. Shares are between 0 and 1. Nothing is impaired by default.
 * Losses and corruptions in a row are bounded, so that an honest peer that retransmits always can finish.
 */
export interface Impairment {
  loss: number;
  duplication: number;
  corruption: number;
  /** Milliseconds one way. */
  delayMs: number;
  /** Added delay, drawn evenly from 0 to this: datagrams overtake each other. */
  jitterMs: number;
  /** How many datagrams of one direction may be lost or spoiled in a row. */
  maxInARow: number;
}

const perfect: Impairment = {
  loss: 0,
  duplication: 0,
  corruption: 0,
  delayMs: 1,
  jitterMs: 0,
  maxInARow: 2,
};

interface Due {
  at: number;
  order: number;
  action: () => void;
}

/** A link's end in the network. */
interface Port {
  /** Its first address. */
  name: string;
  take(datagram: Datagram): void;
}

export class MemoryNetwork implements World {
  readonly clock: Clock;
  #now = 0;
  #order = 0;
  readonly #due: Due[] = [];
  readonly #outside = new Set<Promise<void>>();
  readonly #hosts = new Map<string, Port>();
  /** Who joined each multicast group, in the order of joining. */
  readonly #groups = new Map<string, Set<Port>>();
  readonly #inARow = new Map<string, number>();
  readonly #random: Random;
  impairment: Impairment;

  constructor(random: Random, impairment: Partial<Impairment> = {}) {
    this.#random = random;
    this.impairment = { ...perfect, ...impairment };
    this.clock = {
      now: () => this.#now,
      at: (time, callback) => this.#schedule(time, callback),
      outside: (work) => this.#await(work),
    };
  }

  /** Joins the network with these addresses. */
  attach(...hosts: string[]): Link {
    let handler: (datagram: Datagram) => void = () => {};
    const port: Port = { name: hosts[0] ?? "", take: (datagram) => handler(datagram) };
    for (const host of hosts) this.#hosts.set(host, port);
    return {
      send: (datagram) => this.#carry(datagram),
      onReceive: (callback) => {
        handler = callback;
      },
      join: (group) => {
        const joined = this.#groups.get(group) ?? new Set();
        this.#groups.set(group, joined.add(port));
      },
      close: async () => {
        for (const host of hosts) this.#hosts.delete(host);
        for (const joined of this.#groups.values()) joined.delete(port);
      },
    };
  }

  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = this.#now + timeoutMs;
    for (;;) {
      if (this.#outside.size > 0) {
        await Promise.race(this.#outside);
        continue;
      }
      if (condition()) return true;
      const next = this.#due[0];
      if (!next || next.at > deadline) {
        this.#now = deadline;
        return condition();
      }
      this.#step();
    }
  }

  #await(work: Promise<void>): void {
    const kept = work.finally(() => this.#outside.delete(kept));
    this.#outside.add(kept);
  }

  /** Runs everything that is due within this time, without waiting. */
  run(milliseconds: number): void {
    const deadline = this.#now + milliseconds;
    for (let next = this.#due[0]; next && next.at <= deadline; next = this.#due[0]) this.#step();
    this.#now = deadline;
  }

  #step(): void {
    const next = this.#due.shift();
    if (!next) return;
    this.#now = Math.max(this.#now, next.at);
    next.action();
  }

  #schedule(at: number, action: () => void): () => void {
    const due = { at, order: this.#order++, action };
    const index = this.#due.findIndex((d) => d.at > at);
    if (index < 0) this.#due.push(due);
    else this.#due.splice(index, 0, due);
    return () => {
      const found = this.#due.indexOf(due);
      if (found >= 0) this.#due.splice(found, 1);
    };
  }

  #draw(): number {
    const [a = 0, b = 0, c = 0] = this.#random(3);
    return ((a << 16) | (b << 8) | c) / 2 ** 24;
  }

  /** To a multicast group: everybody who joined, the sender too, each with its own fate. */
  #carry(datagram: Datagram): void {
    const { host } = datagram.destination;
    if (datagram.protocol === "tcp") return this.#stream(datagram);
    if (!isMulticast(host)) return this.#pass(datagram, host, () => this.#hosts.get(host));
    const joined = this.#groups.get(host) ?? new Set();
    for (const port of [...joined]) {
      this.#pass(datagram, port.name, () => (joined.has(port) ? port : undefined));
    }
  }

  /** A TCP connection loses, repeats and reorders nothing. */
  #stream(datagram: Datagram): void {
    const { host } = datagram.destination;
    const copy = { ...datagram, data: datagram.data.slice() };
    this.#schedule(this.#now + this.impairment.delayMs, () => this.#hosts.get(host)?.take(copy));
  }

  #pass(datagram: Datagram, receiver: string, port: () => Port | undefined): void {
    const { duplication } = this.impairment;
    const copy = { ...datagram, data: datagram.data.slice() };
    const fate = this.#fate(`${datagram.source.host}>${receiver}`);
    if (fate === "lost") return;
    if (fate === "spoiled") this.#flip(copy.data);
    this.#deliver(copy, port);
    if (duplication > 0 && this.#draw() < duplication)
      this.#deliver({ ...copy, data: copy.data.slice() }, port);
  }

  /** Draws what happens to this datagram; losses and corruptions count together against the bound. */
  #fate(direction: string): "whole" | "lost" | "spoiled" {
    const { loss, corruption } = this.impairment;
    if (loss <= 0 && corruption <= 0) return "whole";
    const before = this.#inARow.get(direction) ?? 0;
    const draw = this.#draw();
    const hit = draw < loss + corruption && before < this.impairment.maxInARow;
    this.#inARow.set(direction, hit ? before + 1 : 0);
    if (!hit) return "whole";
    return draw < loss ? "lost" : "spoiled";
  }

  #flip(data: Uint8Array): void {
    const index = Math.floor(this.#draw() * data.length);
    const bit = 1 << Math.floor(this.#draw() * 8);
    data[index] = (data[index] ?? 0) ^ bit;
  }

  #deliver(datagram: Datagram, port: () => Port | undefined): void {
    const { delayMs, jitterMs } = this.impairment;
    const delay = delayMs + (jitterMs > 0 ? this.#draw() * jitterMs : 0);
    this.#schedule(this.#now + delay, () => port()?.take(datagram));
  }
}
