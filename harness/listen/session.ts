/** One participant's session: what it is, what happened in it, and who looks on. */
import type { Address } from "../link/types.ts";
import type { Judged } from "./requirements.ts";
import type { SessionFiles, StoredSession } from "./session-files.ts";
import type { EndpointAddress, SessionEvent, SessionView, VerdictCounts } from "./types.ts";

/** What happens in a session; it gets its number and time when it is added. */
export type Happening = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, "seq" | "at">
    : never
  : never;

/** Of the memory that a session's events take: older ones stand in its file. */
const MOST_EVENTS = 1_000;
const MOST_OCTETS = 512 * 1024;
const MOST_SOURCES = 16;

/** A source that is known to be the participant's. */
export interface Proven {
  remote: Address;
  /** Where it dialled. */
  local: Address;
  /** Its port with the non-ESP marker. */
  natPort: number;
}

/** What a view shows that is the same for all sessions. */
export type Surroundings = Pick<SessionView, "endpoint" | "proposals" | "networks">;

const BEST_FIRST = ["pass", "tolerated"];

export class Session {
  readonly stored: StoredSession;
  readonly files: SessionFiles;
  /** Dials under way. */
  running = 0;
  /** The test that is under way: it stays in the queue until its result is written. */
  playing?: string;
  readonly proven: Proven[] = [];
  readonly #events: { event: SessionEvent; octets: number }[] = [];
  #octets = 0;
  #seq = 0;
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  readonly #verdicts = new Map<string, Judged["verdict"]>();

  constructor(stored: StoredSession, files: SessionFiles, events: readonly SessionEvent[] = []) {
    this.stored = stored;
    this.files = files;
    for (const event of events) this.#keep(event);
  }

  /** Writes what has changed of it. */
  store(): void {
    this.files.store(this.stored);
  }

  add(happening: Happening, at = Date.now()): void {
    const event: SessionEvent = { ...happening, seq: this.#seq + 1, at };
    this.#keep(event);
    this.files.event(event);
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch {
        // Who cannot take an event is none of the session's business.
        this.#listeners.delete(listener);
      }
    }
  }

  #keep(event: SessionEvent): void {
    this.#seq = event.seq;
    const octets = JSON.stringify(event).length;
    this.#events.push({ event, octets });
    this.#octets += octets;
    while (this.#events.length > MOST_EVENTS || this.#octets > MOST_OCTETS)
      this.#octets -= this.#events.shift()?.octets ?? 0;
    if (event.kind === "verdict") this.#verdicts.set(`${event.of} ${event.id}`, event.verdict);
  }

  /** A verdict on a requirement, unless it says nothing new: what was broken once stays so. */
  judge(judged: Judged, dial: number): void {
    const before = this.#verdicts.get(`requirement ${judged.id}`);
    const worse = before === undefined || rank(judged.verdict) > rank(before);
    if (worse) this.add({ kind: "verdict", of: "requirement", dial, ...judged });
  }

  /** Who has seen a greater number than there is saw it before a restart, when events were numbered that no file holds. */
  events(after: number): SessionEvent[] {
    const seen = after > this.#seq ? 0 : after;
    return this.#events.flatMap(({ event }) => (event.seq > seen ? [event] : []));
  }

  watch(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Its dials came from there; whoever is there got our answers. */
  prove(source: Proven): void {
    const { remote } = source;
    const known = this.proven.findIndex(
      (p) => p.remote.host === remote.host && p.remote.port === remote.port,
    );
    if (known >= 0) this.proven.splice(known, 1);
    this.proven.push(source);
    if (this.proven.length > MOST_SOURCES) this.proven.shift();
  }

  view(surroundings: Surroundings): SessionView {
    const { label: _, ...stored } = this.stored;
    const idle = stored.dials > 0 ? "idle" : "waiting";
    const dialled: EndpointAddress[] = this.proven.map(({ remote: { host, port } }) => ({ host, port }));
    return {
      ...structuredClone(stored),
      ...surroundings,
      queued: stored.queued.filter((id) => id !== this.playing),
      state: this.running > 0 ? "dialling" : idle,
      verdicts: this.#counts(),
      dialled,
    };
  }

  #counts(): VerdictCounts {
    const counts: VerdictCounts = {};
    for (const verdict of this.#verdicts.values()) counts[verdict] = (counts[verdict] ?? 0) + 1;
    return counts;
  }
}

/** What is not good is the worse; of two that are not, the first stands. */
const rank = (verdict: Judged["verdict"]): number => {
  const place = BEST_FIRST.indexOf(verdict);
  return place < 0 ? BEST_FIRST.length : place;
};
