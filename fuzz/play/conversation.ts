/**
 * Plays one trace with the peer. Driven by callbacks: it never waits, so that several take place at once in one world.
 * A step ends as an honest one ends, by an answer, or once the peer has answered a probe sent after it and then had a
 * moment more.
 */
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { hasNotify } from "../../harness/ike/payloads.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import type { Datagram, Link } from "../../harness/link/types.ts";
import type { Credential } from "../../harness/pki/types.ts";
import type { Arena } from "../../harness/script/arena.ts";
import type { HostEvent } from "../../harness/script/host.ts";
import { concat } from "../../harness/wire/bytes.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { NON_ESP_MARKER } from "../../harness/wire/udp.ts";
import type { Operator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import type { FuzzCase } from "../trace.ts";
import { classOf, classOfEsp, classOfUnused } from "./classes.ts";
import { Course } from "./course.ts";
import { Keeping } from "./keeping.ts";
import { type LastIds, part } from "./leaving.ts";
import { Lies, type Sees } from "./lies.ts";
import { standsAlone } from "./line-up.ts";
import { OurEnd } from "./our-end.ts";
import type { Pace } from "./pace.ts";
import type { Probes } from "./probes.ts";
import { Record } from "./record.ts";
import { end, outcomeOf, type Running, running } from "./running.ts";
import { type Standing, standingAfter } from "./standing.ts";
import type { Party, Switchboard } from "./switchboard.ts";
import { Waiting } from "./waiting.ts";

export interface ConversationOptions {
  arena: Arena;
  case: FuzzCase;
  policy: Policy;
  board: Switchboard;
  pace: Pace;
  probes: Probes;
  operators: ReadonlyMap<string, Operator>;
  sees?: Sees | undefined;
  credential?: Credential | undefined;
  /** Whether it leaves its IKE SA to others, where its first steps are honest. */
  keeps?: boolean | undefined;
  /** The IKE SA of another one that it goes on with, in the place of its first steps. */
  on?: Standing | undefined;
}

/** Messages of ours in one conversation. */
const MOST_MESSAGES = 512;

export class Conversation implements Party {
  readonly #options: ConversationOptions;
  readonly #record: Record;
  readonly #lies: Lies;
  readonly #ours: OurEnd;
  readonly #course: Course;
  readonly #waiting: Waiting;
  readonly #link: Link;
  /** Of honest requests, the Message ID. */
  readonly #lastId: LastIds = new Map();
  /** What we sent so far, and what happened at all, in numbers. */
  #sent = 0;
  #progress = 0;
  /** How much had been sent when the last lie was told. */
  #lastLie?: number;
  /** What had been sent when our last message was answered; not set for anything but an exchange alone. */
  #heardAt = -1;
  /** Messages that were changed. */
  readonly #changed: OutgoingMessage[] = [];
  #looking = false;
  #begun = false;
  #endedAt = 0;
  readonly #keeping: Keeping;
  /** The peer said something under the keys of an SA. */
  #heardSealed = false;
  #probe: Outcome["probe"] = "silence";
  over = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
    const { arena, pace, board, probes, operators, sees, policy, credential, on } = options;
    const { peer } = options.case.trace;
    const random = seededRandom(options.case.seed);
    this.#record = new Record(pace, peer === "initiator");
    this.#lies = new Lies({
      ...{ operators, sees, random, sent: on?.sent },
      stepOf: (message) => this.#stepOf(message),
      lied: (what) => this.#lied(what),
    });
    this.#link = this.#tapped(board.join(this));
    this.#ours = new OurEnd({
      ...{ arena, policy, peer, link: this.#link, random, lies: this.#lies, credential },
      event: (event) => this.#onEvent(event),
      settled: () => this.#settled(),
      failed: () => {},
    });
    this.#course = new Course({
      scene: { arena, ours: this.#ours, record: this.#record },
      ...{ steps: options.case.trace.steps, lastId: this.#lastId },
      now: () => this.#now(),
      outOfTurn: () => this.#lied("sequence"),
      told: () => {
        this.#progress++;
        this.#settled();
      },
    });
    this.#waiting = new Waiting({
      ...{ arena, pace, probes },
      state: () => ({
        open: this.#course.open(),
        sent: this.#sent,
        progress: this.#progress,
        lastLie: this.#lastLie,
      }),
      send: (octets) => this.#sendProbe(octets),
      answered: (ms) => this.#probeAnswered(ms),
      look: () => this.#look(),
      judge: () => this.#course.judge(),
      silent: () => this.#dead(),
    });
    this.#keeping = new Keeping({ arena, pace, asked: (good) => this.#asked(good) });
    if (on) this.#goOn(on);
  }

  #goOn(standing: Standing): void {
    this.#keeping.goOn(standing, this.#ours.host);
    this.#record.goOn(standing.record);
    this.#course.goOn(standing.steps);
  }

  /** Plays; {@link over} becomes true at the end. */
  start(): void {
    this.#begun = true;
    this.#settled();
  }

  /** Tells the lies when each datagram has left. */
  #tapped(link: Link): Link {
    return {
      ...link,
      send: (datagram) => {
        link.send(datagram);
        this.#lies.onTransmitted();
      },
    };
  }

  // The way in.

  take(datagram: Datagram): void {
    if (!this.#waiting.takes(datagram)) return this.#ours.host.take(datagram);
    this.#record.addProbe(this.#now(), { type: "datagram-received", datagram });
    this.#options.arena.poke();
  }

  hasEsp(spi: number): boolean {
    return this.#record.pipes.some(({ inbound }) => inbound.spi === spi);
  }

  awaitsPeer(): boolean {
    return !this.over;
  }

  #onEvent(event: HostEvent): void {
    if (this.over || this.#keeping.asking) return;
    this.#note(event);
    const { natPort } = this.#options.arena;
    switch (event.type) {
      case "sent":
        if (event.copy > 0) break;
        this.#counted();
        this.#lies.onSent(event.message, event.datagrams, this.#ours.host.endpoint.core);
        break;
      case "esp-sent":
        this.#counted();
        break;
      case "received":
        if (event.repeated) break;
        this.#progress++;
        this.#heardSealed ||= event.message.protected;
        if (event.message.isResponse && this.#isExchangeAlone()) this.#heardAt = this.#sent;
        if (!event.message.isResponse) this.#begins();
        this.#course.answer(classOf(event.message), event.message.protected && event.message.isResponse);
        if (hasNotify(event.message.payloads, NOTIFY.AUTHENTICATION_FAILED))
          this.#course.rebuked("AUTHENTICATION_FAILED");
        break;
      case "dropped":
        this.#course.answer(classOfUnused(event.datagram, natPort), false);
        break;
      case "esp-received":
        this.#course.answer(classOfEsp(event), false);
        break;
      case "ike-closed":
        // One that was replaced has to go.
        if (!event.sa.replacedBy) this.#course.rebuked(event.reason);
        break;
    }
  }

  #note(event: HostEvent): void {
    if (!this.over) this.#record.add(this.#now(), event, this.#ours?.host);
  }

  #counted(): void {
    this.#sent++;
    this.#progress++;
    for (const step of this.#course.open()) step.sinceSent = 0;
  }

  /** The peer began something: as fast as that it may begin what it is told next. */
  #begins(): void {
    const step = this.#course.open().findLast(({ told }) => told !== undefined);
    if (step?.told === undefined) return;
    this.#options.pace.answered("begin", this.#now() - step.told);
    step.told = undefined;
  }

  /** Whether nothing but our last request can be what a response answers. */
  #isExchangeAlone(): boolean {
    return this.#course.isOneOfOurs && !this.#lies.beside;
  }

  // Our messages.

  #stepOf(message: OutgoingMessage | "esp"): Running | undefined {
    return this.over || this.#keeping.asking ? undefined : this.#course.stepOf(message);
  }

  /** `sequence`: what is about to be sent is out of turn. */
  #lied(what: OutgoingMessage | "esp" | "beside" | "sequence"): void {
    if (what === "beside") this.#counted();
    // A message is counted when it leaves.
    this.#lastLie = what === "beside" ? this.#sent : this.#sent + 1;
    if (typeof what === "string") return;
    this.#record.taint(what);
    this.#changed.push(what);
  }

  // The course.

  #settled(): void {
    this.#look();
    this.#options.arena.poke();
  }
  #look(): void {
    if (this.#looking || this.over || !this.#begun) return;
    this.#looking = true;
    while (!this.over && this.#turn());
    this.#looking = false;
  }

  /** Does one thing; false if there is nothing to be done now. */
  #turn(): boolean {
    this.#course.reach();
    if (this.#course.open().length > 0) {
      if (this.#record.full || this.#record.messages > MOST_MESSAGES) {
        this.#course.stop("more messages than a conversation may have");
        return true;
      }
      this.#waiting.wait();
      return false;
    }
    this.#lies.release(this.#ours.host.endpoint.core);
    if (!this.#course.goesOn) return this.#finish();
    if (this.#options.keeps)
      this.#keeping.keep(() => standingAfter(this.#course.begun, this.#record, this.#lies.sent));
    this.#course.next();
    return true;
  }

  /** Everything was said: the conversation is over once the peer has answered us or somebody after the last lie. */
  #finish(): boolean {
    if (this.#keeping.asks(this.#ours.host)) return false;
    const last = this.#lastLie ?? 0;
    if (this.#heardAt >= last) this.#probe = "answered";
    if (this.#heardAt >= last || this.#waiting.answeredSince(last)) this.#end();
    else this.#waiting.ask();
    return false;
  }

  #asked(good: boolean): void {
    if (good) this.#heardAt = this.#sent;
    this.#settled();
  }

  /** Nobody gets an answer any more. */
  #dead(): void {
    this.#probe = "silence";
    for (const step of this.#course.open()) end(step, "silence");
    this.#end();
    this.#options.arena.poke();
  }

  #probeAnswered(ms: number): void {
    this.#record.answered("probe", ms);
    this.#probe = "answered";
  }

  /** Ends it where it is, as for a peer that has died. */
  abort(): void {
    if (!this.over) this.#dead();
  }

  #end(): void {
    this.#endedAt = this.#now();
    this.over = true;
    this.#waiting.stop();
  }

  #now(): number {
    return this.#options.arena.world.clock.now();
  }

  #sendProbe(octets: Uint8Array): void {
    const { local, remote, natPort } = this.#options.arena;
    const protocol = local.transport ?? "udp";
    const marked = protocol === "tcp" || local.port === natPort;
    const data = marked ? concat(NON_ESP_MARKER, octets) : octets;
    const datagram: Datagram = { protocol, source: local, destination: remote, data };
    this.#record.addProbe(this.#now(), { type: "datagram-sent", datagram });
    this.#link.send(datagram);
  }

  /** Once it is over. */
  outcome(): Outcome {
    const record = this.#record;
    const { steps } = this.#options.case.trace;
    const played = steps.map((step, i) => outcomeOf(this.#course.begun[i] ?? running(i, step)));
    return {
      case: this.#options.case,
      steps: played,
      probe: this.#probe,
      durationMs: this.#endedAt - (record.firstAt ?? this.#endedAt),
      slowestMs: record.slowestMs,
      entries: record.entries,
      claims: record.claims(),
      changed: [...this.#changed],
      unproven: { ...record.unproven },
      messages: record.messages - this.#lies.skipped,
      ...(this.#options.on && { reused: true }),
    };
  }

  /** Whether nothing is under way any more, and only what may still come is waited for. */
  get resting(): boolean {
    return this.#waiting.resting;
  }

  /** Whether no other conversation may take place beside it. */
  get alone(): boolean {
    return standsAlone(this.#options.case.trace);
  }

  /** IKE SAs that the peer has half open because of this, as far as we know. */
  get halfOpen(): number {
    return this.#record.sas.filter((sa) => !sa.established && sa.state !== "closed").length;
  }

  /** Whether the peer began something, which it may go on with by itself. */
  get peerBegan(): boolean {
    return this.#options.case.trace.peer === "initiator";
  }

  /** Once it is over: the IKE SA that another one can go on with. */
  get standing(): Standing | undefined {
    return this.#keeping.standing;
  }

  /** Nothing shows that the IKE SA it began on was still alive then. */
  get doubtful(): boolean {
    return this.#options.on !== undefined && !this.#keeping.keeps && !this.#heardSealed;
  }

  /** Leaves its IKE SA to another one. */
  handTo(other: Conversation): void {
    this.#keeping.giveUp(this.#ours.host);
    this.#options.board.hand(this, other);
  }

  /** Sends a Delete for each IKE SA that stands. */
  part(): void {
    part(this.#ours.host, this.#lastId);
  }

  /** Whether no IKE SA stands any more. */
  get parted(): boolean {
    return [...this.#ours.host.endpoint.core.sas.values()].every((sa) => !sa.established);
  }

  /** Forgets everything. Answers to what was sent last are nobody's. */
  close(): void {
    this.over = true;
    this.#waiting.stop();
    this.#ours.host.stop();
    this.#options.board.leave(this);
  }
}
