/** The link of one dial: what the switchboard gives it, and what it sends through that. */
import type { Datagram, Link } from "../link/types.ts";

/** Datagrams that wait for a dial that is not ready. */
const MOST_HELD = 32;

export class Line implements Link {
  readonly #send: (datagram: Datagram) => void;
  #handler: (datagram: Datagram) => void = () => {};
  /** Not set once they need not wait. */
  #held?: Datagram[];
  #open = true;

  /** `holds`: what comes waits until {@link release}. */
  constructor(send: (datagram: Datagram) => void, holds: boolean) {
    this.#send = send;
    if (holds) this.#held = [];
  }

  send(datagram: Datagram): void {
    if (this.#open) this.#send(datagram);
  }

  onReceive(handler: (datagram: Datagram) => void): void {
    this.#handler = handler;
  }

  deliver(datagram: Datagram): void {
    if (!this.#open) return;
    if (!this.#held) this.#handler(datagram);
    else if (this.#held.length < MOST_HELD) this.#held.push(datagram);
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const datagram of held) this.deliver(datagram);
  }

  async close(): Promise<void> {
    this.#open = false;
  }
}
