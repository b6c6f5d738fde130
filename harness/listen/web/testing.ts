/** For tests: sessions that are only kept in memory and hear what the test tells them, and raw HTTP over a socket. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { EndpointAddress, Hub, Refusal, SessionEvent, SessionView, SessionWish } from "../types.ts";

type Told = SessionEvent extends infer Event
  ? Event extends SessionEvent
    ? Omit<Event, "seq" | "at">
    : never
  : never;

export class MemoryHub implements Hub {
  readonly sessions = new Map<string, SessionView>();
  readonly dialledBack: EndpointAddress[] = [];
  /** Paths by the names of files; the same in every session. */
  readonly kept = new Map<string, string>();
  /** It cannot list its files. */
  broken = false;
  /** How often events were read. */
  asked = 0;
  readonly #events = new Map<string, SessionEvent[]>();
  readonly #watchers = new Map<string, Set<(event: SessionEvent) => void>>();

  create({ name, documents, address }: SessionWish): SessionView | Refusal {
    if (documents.some((one) => !this.documents().includes(one))) return { refused: "no such document" };
    const id = randomBytes(16).toString("hex");
    const session: SessionView = {
      ...{ id, name: name ?? "a session", created: 1_700_000_000_000, documents },
      ...{
        identity: `p-${id.slice(0, 8)}.example`,
        peerIdentity: "bakeoff.example",
        secret: `secret of ${id}`,
      },
      endpoint: { host: "192.0.2.1", ikePort: 500, natPort: 4500 },
      proposals: { ike: ["aes256-sha256-x25519"], esp: ["aes256gcm16"] },
      networks: { participant: ["203.0.113.0/28"], ours: ["203.0.113.16/28"] },
      ...{ state: "waiting", dials: 0, queued: [], verdicts: {}, dialled: [] },
      ...(address !== undefined && { address }),
    };
    this.sessions.set(id, session);
    return session;
  }

  /** Something happens in a session. */
  tell(id: string, told: Told): void {
    const events = this.#events.get(id) ?? [];
    const event: SessionEvent = { ...told, seq: events.length + 1, at: 1_700_000_000_000 + events.length };
    this.#events.set(id, [...events, event]);
    for (const watcher of this.#watchers.get(id) ?? []) watcher(event);
  }

  view(id: string): SessionView | undefined {
    return this.sessions.get(id);
  }

  events(id: string, after: number): SessionEvent[] {
    this.asked++;
    return (this.#events.get(id) ?? []).filter(({ seq }) => seq > after);
  }

  watch(id: string, listener: (event: SessionEvent) => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(listener));
    return () => void watchers.delete(listener);
  }

  watchers(id: string): number {
    return this.#watchers.get(id)?.size ?? 0;
  }

  lie(id: string, name: string | undefined): Refusal | undefined {
    const session = this.sessions.get(id);
    if (!session || (name !== undefined && this.lies().every((lie) => lie.name !== name)))
      return { refused: "no such lie" };
    const { lie: _, ...truthful } = session;
    this.sessions.set(id, name === undefined ? truthful : { ...session, lie: name });
    return undefined;
  }

  lies() {
    return [{ name: "wrong-nonce", what: "a nonce of 8 octets" }];
  }

  documents(): readonly string[] {
    return ["rfc7296", "rfc9370"];
  }

  dialBack(_: string, to: EndpointAddress): Refusal | undefined {
    if (to.host !== "192.0.2.7") return { refused: `no dial came from ${to.host}` };
    this.dialledBack.push(to);
    return undefined;
  }

  /** Finds too much: what is not listed must not be asked for. */
  file(_: string, name: string): string {
    return this.kept.get(name) ?? import.meta.filename;
  }

  files(): string[] {
    if (this.broken) throw new Error("no such folder");
    return [...this.kept.keys()];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a server answers to octets, until it closes or `until` holds of it. */
export class RawClient {
  readonly socket: Socket;
  text = "";
  /** All that came, and how many letters of its end are kept. */
  octets = 0;
  most = Number.POSITIVE_INFINITY;
  closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(port: number, request = "") {
    this.socket = connect({ port, host: "127.0.0.1" }, () => this.socket.write(request));
    this.socket.on("data", (data) => {
      this.octets += data.length;
      this.text = (this.text + data.toString("utf8")).slice(-this.most);
      this.#look();
    });
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("close", () => {
      this.closed = true;
      this.#look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** The text so far, as soon as `holds`; mocha's own limit ends the waiting. */
  until(holds: () => boolean): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve(this.text);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** All that came until the server closed. */
  whole(): Promise<string> {
    return this.until(() => this.closed);
  }
}
