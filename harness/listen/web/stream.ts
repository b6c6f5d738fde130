/**
 * Server-sent events of one session to one reader. Nothing is kept for a reader who is slow: what he has not got is read
 * from the hub when he takes more, and who takes nothing for a while is cut off. He may come back with `Last-Event-ID`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hub, SessionEvent } from "../types.ts";
import type { Limits } from "./limits.ts";
import { head } from "./reply.ts";

/** How events become text. */
export interface EventForm {
  /** The data of an event; without line feeds. */
  event(event: SessionEvent): string;
  /** What else has changed: sent when it is another text than before; not set where nothing else is told. */
  state?(): string | undefined;
}

/** How long a browser waits before it comes back. */
const RETRY_MS = 2000;

/** What else has changed is looked for no more often than this. */
const STATE_MS = 200;

export class EventStream {
  readonly #hub: Hub;
  readonly #id: string;
  readonly #response: ServerResponse;
  readonly #form: EventForm;
  readonly #limits: Limits;
  /** Number of the last event that was written. */
  #last: number;
  #state = "";
  /** Set while the reader has more than he takes. */
  #slow: NodeJS.Timeout | undefined;
  #due: NodeJS.Immediate | undefined;
  #stateDue: NodeJS.Timeout | undefined;

  constructor(
    hub: Hub,
    id: string,
    response: ServerResponse,
    form: EventForm,
    after: number,
    limits: Limits,
  ) {
    this.#hub = hub;
    this.#id = id;
    this.#response = response;
    this.#form = form;
    this.#last = after;
    this.#limits = limits;
  }

  /** Writes what there is, and from now on what comes. */
  start(): void {
    const response = this.#response;
    head(response, 200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
    response.write(`retry: ${RETRY_MS}\n\n`);
    // A listener of the hub stands in the way of its next packet.
    const unwatch = this.#hub.watch(this.#id, () => this.#soon());
    const beat = setInterval(() => this.#beat(), this.#limits.beatMs);
    response.on("drain", () => this.#drained());
    response.once("close", () => {
      unwatch();
      clearInterval(beat);
      clearTimeout(this.#slow);
      clearImmediate(this.#due);
      clearTimeout(this.#stateDue);
    });
    this.#soon();
  }

  #soon(): void {
    this.#due ??= setImmediate(() => {
      this.#due = undefined;
      this.#guarded(() => this.#pump());
    });
  }

  #pump(): void {
    if (this.#slow || this.#response.destroyed) return;
    for (const event of this.#hub.events(this.#id, this.#last)) {
      this.#last = event.seq;
      if (!this.#write(`id: ${event.seq}\ndata: ${this.#form.event(event)}\n\n`)) return;
    }
    if (!this.#form.state) return;
    this.#stateDue ??= setTimeout(() => {
      this.#stateDue = undefined;
      this.#guarded(() => this.#tellState());
    }, STATE_MS);
  }

  /** What cannot be shown ends one stream, and not the listener. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch {
      this.#response.destroy();
    }
  }

  #tellState(): void {
    const state = this.#form.state?.();
    if (this.#slow || state === undefined || state === this.#state) return;
    this.#state = state;
    this.#write(`event: state\ndata: ${state}\n\n`);
  }

  /** False when the reader has enough for now. */
  #write(text: string): boolean {
    if (this.#response.write(text)) return true;
    this.#slow ??= setTimeout(() => this.#response.destroy(), this.#limits.slowMs);
    return false;
  }

  #drained(): void {
    clearTimeout(this.#slow);
    this.#slow = undefined;
    this.#guarded(() => this.#pump());
  }

  /** A comment, by which both ends learn that the other is gone; also the time for state that no event told of. */
  #beat(): void {
    if (this.#slow) return;
    this.#write(": still here\n\n");
    this.#soon();
  }
}

/** The number of the last event that the reader has: as his browser says, or as his page said; 0 for none. */
export function lastSeen(request: IncomingMessage, query: URLSearchParams): number {
  const said = request.headers["last-event-id"] ?? query.get("after") ?? "";
  return typeof said === "string" && /^\d{1,15}$/.test(said) ? Number(said) : 0;
}
