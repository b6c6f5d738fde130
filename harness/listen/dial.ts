/** One dial: an endpoint of its own, which judges nobody but tells what happens to the session that it turns out to be of. */
import type { Lie } from "../../peers/builtin/lies/lie.ts";
import type { Driver, PeerConfig } from "../../peers/contract.ts";
import { systemRandom } from "../crypto/seeded-random.ts";
import { udpAlways } from "../dial/way.ts";
import type { Core } from "../ike/core.ts";
import type { Extension } from "../ike/hooks.ts";
import { payload } from "../ike/payloads.ts";
import type { Policy } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Datagram } from "../link/types.ts";
import { RealWorld } from "../link/udp.ts";
import { innerHosts } from "../run/config.ts";
import type { Arena } from "../script/arena.ts";
import type { HostEvent } from "../script/host.ts";
import type { Script } from "../script/script.ts";
import type { ArenaWishes } from "../script/test.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { describeIdentity } from "../wire/text.ts";
import type { IdPayload } from "../wire/types.ts";
import { type Ends, introduce } from "./credentials.ts";
import { Line } from "./line.ts";
import type { Happening, Session } from "./session.ts";
import { cut } from "./shown.ts";
import type { Station, Switchboard } from "./switchboard.ts";
import { type Look, Watch } from "./watch.ts";

/** What a dial asks of the one who has all of them. */
export interface DialHome {
  board: Switchboard;
  natPort: number;
  /** So much silence ends a dial. */
  idleMs: number;
  /** The session that this identity is of. */
  named(id: IdPayload): Session | undefined;
  /** Whether the session may have this dial beside those that it has. */
  hasRoom(session: Session): boolean;
  /** A dial that was taken for one of `session` named another. */
  mistaken(dial: Dial, session: Session): void;
  ended(dial: Dial): void;
  /** A fault of ours. */
  fault(error: unknown): void;
}

export interface DialOptions extends Ends {
  home: DialHome;
  by: "participant" | "us";
  /** Whose it is, by where it comes from; not set: its IDi will tell. */
  session?: Session;
  lie?: Lie;
  /** Id of the test that it plays. */
  test?: string;
  /** The participant's port with the non-ESP marker, where it is known. */
  remoteNatPort?: number;
}

/** How an arena of a dial is made, beside what all have. */
export interface ArenaParts {
  config: PeerConfig;
  policy(config: PeerConfig): Policy;
  driver: Driver;
  wishes?: ArenaWishes;
}

/** A presumption is not told before IKE_AUTH had its time to say otherwise. */
const PRESUMED_MS = 1_000;
/** So much silence, and what was kept is told. */
const QUIET_MS = 1_500;
/** How long a dial without IKE SAs is kept for repeats; one of nobody; and any. */
const OVER_MS = 3_000;
const NOBODYS_MS = 40_000;
const LONGEST_MS = 60 * 60_000;
/** Datagrams of a dial, before and after it is somebody's. */
const MOST_DATAGRAMS = { nobodys: 128, somebodys: 4_000 };
const MOST_OCTETS = { nobodys: 256 * 1024, somebodys: 6 * 2 ** 20 };
const MOST_PENDING = 256;
const NOT_ITS_OWN = "it was another session's";
const TAKEN_FOR_ANOTHERS =
  "your dial was taken for one of another session at your address: please dial again";
/** Exchanges that the trace of a dial without test needs. */
const EXCHANGES = 8;

const PATIENCE_MS = 4_000;
const QUIET_OF_TESTS_MS = 300;
const AGAIN_MS = 30_000;

export class Dial implements Station, Ends {
  readonly local: Ends["local"];
  readonly remote: Ends["remote"];
  readonly options: DialOptions;
  readonly begun = performance.now();
  session: Session | undefined;
  /** Which of its session's dials it is, once that is certain. */
  number?: number;
  /** It was taken for a dial of another session, and plays no part in that. */
  isMistaken = false;
  readonly line: Line;
  readonly #watch: Watch;
  readonly #world = new RealWorld();
  #script?: Script;
  #seen = 0;
  #last = performance.now();
  #datagrams = 0;
  #octets = 0;
  #hasToldKept = false;
  #isLeaving = false;
  #isOver = false;
  #pending: ((session: Session, dial: number) => void)[] = [];
  /** Resolves when it is over, to why. */
  readonly ended: Promise<string>;
  #tellEnd: (why: string) => void = () => {};
  readonly #established = new Set<IkeSa>();
  #again?: () => void;

  constructor(options: DialOptions) {
    const { local, remote, session, lie, test, home } = options;
    this.options = options;
    this.local = local;
    this.remote = remote;
    this.session = session;
    this.line = new Line((datagram) => home.board.send(this, datagram), test !== undefined);
    this.#watch = new Watch(lie || test !== undefined ? "bent" : "honest");
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
    if (options.by === "us") this.#publish();
  }

  /** An arena on this dial's own line. */
  arena({ config, policy, driver, wishes = {} }: ArenaParts): Arena {
    const { home, remoteNatPort } = this.options;
    const { local, remote, line } = this;
    return {
      ...{ world: this.#world, random: systemRandom, link: line, driver, config, local, remote },
      policy: () => policy(config),
      ...{ inner: innerHosts(config, wishes), natPort: home.natPort },
      remoteNatPort: remoteNatPort ?? (remote.port === 500 ? 4500 : remote.port),
      ...{ patience: PATIENCE_MS, quiet: QUIET_OF_TESTS_MS, rawEsp: false },
      poke: () => this.#poke(),
      extensions: [udpAlways, this.#finder()],
    };
  }

  /** What happens in this script is the dial's. */
  adopt(script: Script): void {
    this.#script = script;
  }

  take(datagram: Datagram): void {
    this.#last = performance.now();
    this.#hasToldKept = false;
    this.#datagrams += 1;
    this.#octets += datagram.data.length;
    const who = this.number === undefined ? "nobodys" : "somebodys";
    if (this.#datagrams > MOST_DATAGRAMS[who] || this.#octets > MOST_OCTETS[who])
      return this.end("more datagrams than a dial may have");
    this.#guarded(() => this.line.deliver(datagram));
  }

  unproven(): void {
    this.#pending = [];
    this.isMistaken = true;
    this.end("it needs a cookie first");
  }

  /** Sees who dials as soon as IKE_AUTH was opened, before anything of it is believed. */
  #finder(): Extension {
    return {
      name: "finds the session",
      incoming: (message, core) => {
        const { exchangeType } = message.header;
        if (message.isResponse || exchangeType !== EXCHANGE.IKE_AUTH || !message.protected) return undefined;
        const id = payload(message.payloads, "ID", PAYLOAD.IDi);
        if (id && message.sa?.role === "responder") this.#identified(id, core);
        return undefined;
      },
    };
  }

  #identified(id: IdPayload, core: Core): void {
    const { home, lie, test } = this.options;
    const named = home.named(id);
    if (!named) {
      const text = `IDi is ${cut(describeIdentity(id), 100)}, which is not this session's`;
      if (this.session) this.say({ kind: "note", text });
      return;
    }
    if (this.session && named !== this.session) {
      const isBent = lie !== undefined || test !== undefined || this.number !== undefined;
      home.mistaken(this, this.session);
      // What it was told is no good for another session: the core refuses it.
      if (isBent) {
        if (this.number !== undefined) this.#sayDial("ended", NOT_ITS_OWN);
        this.isMistaken = true;
        named.add({ kind: "note", text: TAKEN_FOR_ANOTHERS });
        setImmediate(() => this.end(NOT_ITS_OWN));
        return;
      }
      this.session = undefined;
    }
    if (this.session !== named && !home.hasRoom(named)) return;
    this.session = named;
    // A test and a lie may have changed what its policy had from the start.
    if (this.options.session !== named) introduce(core.policy, named.stored);
    this.#publish();
  }

  #publish(): void {
    const { session } = this;
    if (this.number !== undefined || !session || this.isMistaken) return;
    session.stored.dials += 1;
    session.running += 1;
    const dial = session.stored.dials;
    this.number = dial;
    session.store();
    const { by, test, lie } = this.options;
    const { host, port } = this.remote;
    session.add({
      ...{ kind: "dial", dial, what: "begun", source: { host, port }, by },
      ...(test !== undefined && { test }),
      ...(lie && { lie: lie.name }),
    });
    for (const tell of this.#pending.splice(0)) tell(session, dial);
  }

  /** Tells the session, once it is certain which it is; nothing of what was another's. */
  #tell(tell: (session: Session, dial: number) => void): void {
    if (this.isMistaken) return;
    if (this.session && this.number !== undefined) tell(this.session, this.number);
    else if (this.#pending.length < MOST_PENDING) this.#pending.push(tell);
  }

  say(happening: Happening): void {
    this.#tell((session, dial) => session.add({ ...happening, dial }));
  }

  #sayDial(what: "established" | "refused" | "ended", reason?: string): void {
    const { host, port } = this.remote;
    const { by } = this.options;
    const why = reason === undefined ? {} : { reason: cut(reason) };
    this.say({ kind: "dial", what, source: { host, port }, by, ...why });
  }

  #poke(): void {
    this.#guarded(() => this.#look());
    this.#world.poke();
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.options.home.fault(error);
      this.end("a fault of the listener's");
    }
  }

  #look(): void {
    const trace = this.#script?.trace;
    if (!trace) return;
    const fresh = trace.entries.slice(this.#seen);
    if (fresh.length === 0) return;
    if (this.options.test === undefined) {
      // Only a test looks back.
      trace.forget();
      trace.exchanges.splice(0, trace.exchanges.length - EXCHANGES);
    } else this.#seen = trace.entries.length;
    const look = this.#watch.look(fresh);
    this.#tell((session, dial) => this.#record(session, dial, look));
    for (const { event } of fresh) this.#follow(event);
  }

  #record(session: Session, dial: number, { messages, judged, datagrams, views, keys }: Look): void {
    const { files } = session;
    const { host, port } = this.remote;
    files.datagrams(datagrams, performance.timeOrigin);
    if (keys) files.keys(keys.ike, keys.esp);
    const since = views.map((view) => ({ ...view, timeMs: view.timeMs - this.begun }));
    files.ladder(since, this.#isFirstRecord(), `dial ${dial}, ${host} port ${port}`);
    for (const { at, ...message } of messages)
      session.add({ kind: "message", dial, ...message }, Math.round(performance.timeOrigin + at));
    for (const one of judged) session.judge(one, dial);
  }

  #hasRecorded = false;
  #isFirstRecord(): boolean {
    const first = !this.#hasRecorded;
    this.#hasRecorded = true;
    return first;
  }

  #follow(event: HostEvent): void {
    const { board } = this.options.home;
    switch (event.type) {
      case "keys":
        return board.learn(this, "ike", event.sa.ownSpi);
      case "child-established":
        return board.learn(this, "esp", event.child.spiIn);
      case "ike-established":
        return this.#proven(event.sa);
      case "ike-closed":
        if (!this.#established.has(event.sa) && !event.sa.established) this.#sayDial("refused", event.reason);
        return;
      case "child-failed":
        return this.say({ kind: "note", text: `no Child SA: ${cut(event.reason)}` });
      default:
        return;
    }
  }

  #proven(sa: IkeSa): void {
    this.#established.add(sa);
    const { local, remote } = this;
    this.#tell((session) => session.prove({ remote, local, natPort: sa.remote.port }));
    this.#sayDial("established");
  }

  /** To be called some times a second. */
  tick(): void {
    this.#guarded(() => this.#tick());
  }

  #tick(): void {
    const { home } = this.options;
    const now = performance.now();
    const silence = now - this.#last;
    // A capture of what went to a forged source would tell how to prove it ours.
    const isThere = home.board.ledger.isProven(this.remote.host);
    if (this.session && isThere && now - this.begun > PRESUMED_MS) this.#publish();
    if (silence > QUIET_MS) this.#tellKept();
    if (this.options.test !== undefined || this.#isLeaving || this.#isOver) return;
    this.#lookForFault();
    const sas = this.#script?.host.endpoint.core.sas.size ?? 0;
    const isNobodys = this.number === undefined && now - this.begun > NOBODYS_MS;
    if ((sas === 0 && silence > OVER_MS) || isNobodys) this.end();
    else if (silence > home.idleMs || now - this.begun > LONGEST_MS) this.#leave("idle for too long");
  }

  /** What a hook threw while a datagram had its effects waits for who asks. */
  #lookForFault(): void {
    const whole = this.#script?.until(() => true) ?? Promise.resolve(true);
    whole.catch((error: unknown) => {
      this.options.home.fault(error);
      this.end("a fault of the listener's");
    });
  }

  #tellKept(): void {
    if (this.#hasToldKept) return;
    this.#hasToldKept = true;
    const kept = this.#watch.kept();
    this.#tell((session, dial) => {
      for (const one of kept) session.judge(one, dial);
    });
  }

  /** The test waits for one more dial of its participant; false when it does not come. */
  again(): Promise<boolean> {
    this.say({ kind: "note", text: "the test goes on with another dial: please dial again" });
    return new Promise((resolve) => {
      const done = (came: boolean) => {
        clearTimeout(timer);
        this.#again = undefined;
        resolve(came);
      };
      const timer = setTimeout(() => done(false), AGAIN_MS);
      this.#again = () => done(true);
    });
  }

  /** The participant has dialled again. */
  dialledAgain(): void {
    this.#again?.();
  }

  /** Deletes the IKE SAs first. */
  #leave(reason: string): void {
    this.#isLeaving = true;
    void this.#deleteIkeSas()
      .catch(this.options.home.fault)
      .then(() => this.end(reason));
  }

  async #deleteIkeSas(): Promise<void> {
    const script = this.#script;
    if (!script) return;
    const { endpoint } = script.host;
    const left = [...endpoint.core.sas.values()].filter((sa) => sa.established && sa.state !== "closed");
    let open = left.length;
    for (const sa of left)
      endpoint.deleteIke(sa, () => {
        open -= 1;
      });
    script.host.settle();
    await script.until(() => open === 0, QUIET_OF_TESTS_MS);
  }

  /** Ends it at once. */
  end(reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#script?.host.stop();
    void this.line.close();
    this.#tellEnd(`we ended the dial: ${reason ?? "it was over"}`);
    this.options.home.board.leave(this);
    this.#again?.();
    try {
      this.#look();
      this.#publish();
      this.#tellKept();
      this.#sayDial("ended", reason);
    } catch (error) {
      this.options.home.fault(error);
    }
    if (this.session && this.number !== undefined) this.session.running -= 1;
    this.#pending = [];
    this.options.home.ended(this);
  }
}
