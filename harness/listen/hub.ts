/** All sessions of a live responder: whose a dial is, what it plays, and what pages may ask. */
import { randomBytes, randomInt } from "node:crypto";
import { join } from "node:path";
import type { TestResult } from "../../reports/results.ts";
import { identity, identityKey } from "../ike/identity.ts";
import type { Address, Datagram, Link } from "../link/types.ts";
import type { SuiteTest } from "../run/suites.ts";
import { Script } from "../script/script.ts";
import type { IdPayload } from "../wire/types.ts";
import { configOf, NETWORKS, narrowPolicy, PROPOSED, widePolicy } from "./credentials.ts";
import { Dial, type DialHome, type DialOptions } from "./dial.ts";
import { type Lies, responderLies } from "./lies.ts";
import { applied } from "./lying.ts";
import { Participant } from "./participant.ts";
import { peerOf, play, playable } from "./play.ts";
import type { Records } from "./records.ts";
import type { Session, Surroundings } from "./session.ts";
import { type BoardLimits, Switchboard } from "./switchboard.ts";
import {
  type EndpointAddress,
  type Hub,
  type ListedLie,
  type Refusal,
  type SessionEvent,
  type SessionView,
  type SessionWish,
  sessionWish,
} from "./types.ts";

export interface HubLimits extends BoardLimits {
  sessions: number;
  dialsOfSession: number;
  /** Milliseconds without a datagram after which a dial is ended. */
  idleMs: number;
}

export interface HubOptions {
  link: Link;
  /** Where participants dial. */
  endpoint: SessionView["endpoint"];
  /** What our end calls itself. */
  identity: string;
  out: string;
  tests: readonly SuiteTest[];
  limits: HubLimits;
  records: Records;
  /** Is told of a fault of ours. */
  fault(error: unknown): void;
}

const TICK_MS = 250;
const refused = (reason: string): Refusal => ({ refused: reason });

export class ListenHub implements Hub {
  readonly board: Switchboard;
  readonly #options: HubOptions;
  readonly #home: DialHome;
  readonly #lies: Lies;
  readonly #surroundings: Surroundings;
  readonly #sessions = new Map<string, Session>();
  readonly #byIdentity = new Map<string, Session>();
  readonly #dials = new Set<Dial>();
  /** Tests under way, with those whose dial has ended. */
  readonly #plays = new Set<Promise<void>>();
  #isOpen = true;
  readonly #timer: NodeJS.Timeout;

  constructor(options: HubOptions) {
    const { link, endpoint, limits, records, tests, fault } = options;
    this.#options = options;
    this.#lies = responderLies(tests);
    this.#surroundings = { endpoint, proposals: PROPOSED, networks: NETWORKS };
    for (const session of records.sessions()) this.#enter(session);
    this.board = new Switchboard({
      ...{ link, limits, natPort: endpoint.natPort, now: () => performance.now() },
      taker: (datagram) => this.#taker(datagram),
      begin: (datagram) => (this.#isOpen ? this.#begin(datagram) : undefined),
      fault,
    });
    this.#home = {
      ...{ board: this.board, natPort: endpoint.natPort, idleMs: limits.idleMs, fault },
      named: (id) => this.#named(id),
      hasRoom: (session) => this.#dialsOf(session).length < limits.dialsOfSession,
      mistaken: (dial, session) => this.#disclaim(session, dial.remote),
      ended: (dial) => this.#ended(dial),
    };
    this.#timer = setInterval(() => {
      for (const dial of [...this.#dials]) dial.tick();
    }, TICK_MS);
  }

  #enter(session: Session): void {
    this.#sessions.set(session.stored.id, session);
    this.#byIdentity.set(identityKey(identity(session.stored.identity)), session);
  }

  #named({ idType, data }: IdPayload): Session | undefined {
    return this.#byIdentity.get(identityKey({ type: idType, data }));
  }

  #dialsOf(session: Session): Dial[] {
    return [...this.#dials].filter((dial) => dial.session === session);
  }

  /** The session that dials from there are taken for. */
  #presumed({ host, port }: Address): Session | undefined {
    const all = [...this.#sessions.values()];
    const known = all.filter(({ proven }) =>
      proven.some(({ remote }) => remote.host === host && remote.port === port),
    );
    const found = known.length > 0 ? known : all.filter(({ stored }) => stored.address === host);
    return found.length === 1 ? found[0] : undefined;
  }

  /** Others dial from there, too. */
  #disclaim(session: Session, { host, port }: Address): void {
    const at = session.proven.findIndex(({ remote }) => remote.host === host && remote.port === port);
    if (at >= 0) session.proven.splice(at, 1);
    if (session.stored.address === host) delete session.stored.address;
    session.store();
    session.add({ kind: "note", text: `a dial from ${host} port ${port} was another session's` });
  }

  /** What the participant was not told after all, the next dial is for. */
  #ended(dial: Dial): void {
    this.#dials.delete(dial);
    const { session, lie, test } = dial.options;
    if (!session || !dial.isMistaken) return;
    if (test !== undefined) session.playing = undefined;
    if (!lie) return;
    session.stored.lie ??= lie.name;
    session.store();
  }

  /** A test that is under way takes whatever its participant begins. */
  #taker({ source }: Datagram): Dial | undefined {
    const presumed = this.#presumed(source);
    const taker = [...this.#dials].find(({ options, remote, session }) => {
      const isFrom = remote.host === source.host && remote.port === source.port;
      return options.test !== undefined && (isFrom || (presumed !== undefined && session === presumed));
    });
    taker?.dialledAgain();
    return taker;
  }

  #begin({ source, destination }: Datagram): Dial | undefined {
    const session = this.#presumed(source);
    const ends = { local: destination, remote: source };
    const base = { ...ends, home: this.#home, by: "participant" as const, ...natPortOf(session, source) };
    if (!session || !this.#home.hasRoom(session)) return this.#plain(base);
    const { stored } = session;
    const lie = stored.lie === undefined ? undefined : this.#lies.get(stored.lie);
    if (lie) {
      delete stored.lie;
      session.store();
      return this.#plain({ ...base, session, lie });
    }
    const isKnown = session.proven.length > 0 && session.playing === undefined;
    const test = isKnown ? this.#nextTest(session) : undefined;
    return test
      ? this.#playing({ ...base, session, test: test.id }, session, test)
      : this.#plain({ ...base, session });
  }

  #nextTest({ stored }: Session): SuiteTest | undefined {
    const { tests } = this.#options;
    const known = stored.queued.flatMap((id) => tests.find((test) => test.id === id) ?? []);
    return known[0];
  }

  #plain(options: DialOptions): Dial {
    const dial = new Dial(options);
    const policy = options.by === "us" ? narrowPolicy : widePolicy;
    const driver = new Participant({ release: () => {}, again: async () => false });
    const script = new Script(
      dial.arena({ config: configOf(dial, options.session?.stored), policy, driver }),
    );
    dial.adopt(script);
    if (options.lie) applied(options.lie, script);
    this.#dials.add(dial);
    if (options.by === "us") this.#call(dial, script);
    return dial;
  }

  #call(dial: Dial, script: Script): void {
    this.board.enter(dial);
    void script
      .tryDial()
      .then(({ failure, childFailure }) => {
        const reason = failure ?? childFailure;
        if (reason !== undefined) dial.say({ kind: "note", text: `our dial: ${reason}` });
      })
      .catch(this.#options.fault);
  }

  #playing(options: DialOptions, session: Session, test: SuiteTest): Dial {
    const dial = new Dial(options);
    this.#dials.add(dial);
    session.playing = test.id;
    const { out, fault } = this.#options;
    const over = play({ dial, test, session: session.stored, out })
      .then((result) => {
        if (!dial.isMistaken && this.#isOpen) this.#finished(session, dial, result);
      })
      .catch(fault)
      .then(() => {
        // One that was not its own has given the test back before.
        if (!dial.isMistaken) session.playing = undefined;
        dial.end();
      })
      .finally(() => this.#plays.delete(over));
    this.#plays.add(over);
    return dial;
  }

  #finished(session: Session, dial: Dial, result: TestResult): void {
    const { id, verdict, reason } = result;
    this.#options.records.result(peerOf(session.stored), result);
    dial.say({ kind: "verdict", of: "test", id, verdict, reason });
    session.stored.queued = session.stored.queued.filter((each) => each !== id);
    session.store();
  }

  create(wish: SessionWish): SessionView | Refusal {
    const read = sessionWish.safeParse(wish);
    if (!read.success) return refused(read.error.issues[0]?.message ?? "not readable");
    const { limits, records, tests } = this.#options;
    if (this.#sessions.size >= limits.sessions) return refused(`no more than ${limits.sessions} sessions`);
    const unknown = read.data.documents.find((name) => !this.documents().includes(name));
    if (unknown !== undefined) return refused(`no document with tests for an initiator: ${unknown}`);
    const { name, documents, address } = read.data;
    const slug = slugOf(name ?? "peer");
    const label = `${slug}-${word(8)}`;
    // Matrices show the label: who reads them must not dial as this participant.
    const own = `${slug}-${word(12)}.example`;
    try {
      const session = records.begin({
        ...{ id: randomBytes(16).toString("hex"), name: name ?? label, created: Date.now(), label },
        ...{ identity: own, peerIdentity: this.#options.identity, secret: word(24), documents, dials: 0 },
        ...(address !== undefined && { address }),
        queued: playable(tests, documents).map(({ id }) => id),
      });
      this.#enter(session);
      return session.view(this.#surroundings);
    } catch (error) {
      this.#options.fault(error);
      return refused("it cannot be written");
    }
  }

  /** Where participants dial. */
  get endpoint(): SessionView["endpoint"] {
    return this.#surroundings.endpoint;
  }

  view(id: string): SessionView | undefined {
    return this.#sessions.get(id)?.view(this.#surroundings);
  }

  events(id: string, after: number): SessionEvent[] {
    return this.#sessions.get(id)?.events(after) ?? [];
  }

  watch(id: string, listener: (event: SessionEvent) => void): () => void {
    return this.#sessions.get(id)?.watch(listener) ?? (() => {});
  }

  lie(id: string, name: string | undefined): Refusal | undefined {
    const session = this.#sessions.get(id);
    if (!session) return refused("no such session");
    if (name !== undefined && !this.#lies.has(name)) return refused("no such lie");
    if (name === undefined) delete session.stored.lie;
    else session.stored.lie = name;
    session.store();
    const known = session.stored.address !== undefined || session.proven.length > 0;
    const when = known
      ? "the next dial from where you dial is told it"
      : "dial once, so that we know where from";
    session.add({ kind: "note", text: name === undefined ? "no lie is told" : `lie ${name}: ${when}` });
    return undefined;
  }

  lies(): readonly ListedLie[] {
    return [...this.#lies.values()].map(({ name, effect }) => ({ name, what: effect }));
  }

  documents(): readonly string[] {
    const all = [...new Set(this.#options.tests.map(({ document }) => document))];
    return all.filter((document) => playable(this.#options.tests, [document]).length > 0);
  }

  dialBack(id: string, { host, port }: EndpointAddress): Refusal | undefined {
    const session = this.#sessions.get(id);
    if (!session) return refused("no such session");
    const to = session.proven.find(({ remote }) => remote.host === host && remote.port === port);
    if (!to || !this.board.ledger.isProven(host))
      return refused("no dial of this session came from there lately: dial first");
    if (!this.#home.hasRoom(session)) return refused("too many dials of this session are under way");
    const { local, remote } = to;
    this.#plain({ local, remote, home: this.#home, by: "us", session, ...natPortOf(session, remote) });
    return undefined;
  }

  file(id: string, name: string): string | undefined {
    const session = this.#sessions.get(id);
    return session && this.files(id).includes(name) ? join(session.files.folder, name) : undefined;
  }

  files(id: string): string[] {
    return this.#sessions.get(id)?.files.names() ?? [];
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isOpen = false;
    for (const dial of [...this.#dials]) dial.end("the listener ends");
    await Promise.all(this.#plays);
    try {
      this.#options.records.close();
    } finally {
      await this.#options.link.close();
    }
  }
}

/** Where a dial from there went on, where it went to another port of the same host. */
function natPortOf(session: Session | undefined, { host, port }: Address): { remoteNatPort?: number } {
  const known = session?.proven.find(({ remote }) => remote.host === host && remote.port === port);
  return known && known.natPort !== port ? { remoteNatPort: known.natPort } : {};
}

/** Lower-case letters, digits and hyphens, as a domain name has them. */
const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 24) || "peer";

/** Letters that nobody mistakes for others. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const word = (length: number): string =>
  Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join("");
