/** A network in memory under virtual time: the same seed gives the same run, octet by octet. */
import type { Random } from "../crypto/types.ts";
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

export const perfect: Impairment = {
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

export class MemoryNetwork implements World {
  readonly clock: Clock;
  #now = 0;
  #order = 0;
  readonly #due: Due[] = [];
  readonly #outside = new Set<Promise<void>>();
  readonly #hosts = new Map<string, (datagram: Datagram) => void>();
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
    for (const host of hosts) this.#hosts.set(host, (datagram) => handler(datagram));
    return {
      send: (datagram) => this.#carry(datagram),
      onReceive: (callback) => {
        handler = callback;
      },
      close: async () => {
        for (const host of hosts) this.#hosts.delete(host);
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

  #carry(datagram: Datagram): void {
    const { loss, corruption, duplication } = this.impairment;
    const copy = { ...datagram, data: datagram.data.slice() };
    const fate = this.#fate(datagram, loss, corruption);
    if (fate === "lost") return;
    if (fate === "spoiled") this.#flip(copy.data);
    this.#deliver(copy);
    if (duplication > 0 && this.#draw() < duplication) this.#deliver({ ...copy, data: copy.data.slice() });
  }

  /** Draws what happens to this datagram; losses and corruptions count together against the bound. */
  #fate(datagram: Datagram, loss: number, corruption: number): "whole" | "lost" | "spoiled" {
    if (loss <= 0 && corruption <= 0) return "whole";
    const direction = `${datagram.source.host}>${datagram.destination.host}`;
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

  #deliver(datagram: Datagram): void {
    const { delayMs, jitterMs } = this.impairment;
    const delay = delayMs + (jitterMs > 0 ? this.#draw() * jitterMs : 0);
    this.#schedule(this.#now + delay, () => this.#hosts.get(datagram.destination.host)?.(datagram));
  }
}
