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
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { NON_ESP_MARKER } from "../../harness/wire/udp.ts";
import type { Operator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import type { FuzzCase, Trace } from "../trace.ts";
import { begin, missingFor, provoke, reachedOf, type Scene } from "./acts.ts";
import { classOf, classOfEsp, classOfUnused } from "./classes.ts";
import { abandon, guarded, type LastIds, part } from "./leaving.ts";
import { Lies, type Sees } from "./lies.ts";
import { OurEnd } from "./our-end.ts";
import type { Pace } from "./pace.ts";
import type { Probes } from "./probes.ts";
import { Record } from "./record.ts";
import { end, isPeers, outcomeOf, type Running, running } from "./running.ts";
import { adopt, disown, restore, type Standing, standingAfter, stillStands } from "./standing.ts";
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

/** Messages of ours in one conversation, and answers that a step tells of. */
const MOST_MESSAGES = 512;
const MOST_ANSWERS = 64;

/** What the peer begins it begins on any SA, and it answers ESP on the newest that has the selectors: another one's. */
export const standsAlone = ({ peer, steps }: Trace): boolean =>
  peer === "initiator" || steps.some(({ act }) => isPeers(act) || act === "esp");

export class Conversation implements Party {
  readonly #options: ConversationOptions;
  readonly #record: Record;
  readonly #lies: Lies;
  readonly #ours: OurEnd;
  readonly #scene: Scene;
  readonly #waiting: Waiting;
  readonly #link: Link;
  readonly #steps: Running[] = [];
  /** Those that take place now. */
  #bout: Running[] = [];
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
  #standing: Standing | undefined;
  /** Whether the peer was asked on the SA that others may go on with; what is said then is no part of the case. */
  #restoring: "not yet" | "under way" | "done" = "not yet";
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
    this.#scene = { arena, ours: this.#ours, record: this.#record };
    this.#waiting = new Waiting({
      ...{ arena, pace, probes },
      state: () => ({
        open: this.#open(),
        sent: this.#sent,
        progress: this.#progress,
        lastLie: this.#lastLie,
      }),
      send: (octets) => this.#sendProbe(octets),
      answered: (ms) => this.#probeAnswered(ms),
      look: () => this.#look(),
      judge: () => this.#judge(),
      silent: () => this.#dead(),
    });
    if (on) this.#goOn(on);
  }

  #goOn(standing: Standing): void {
    this.#standing = standing;
    standing.uses++;
    adopt(this.#ours.host, standing);
    this.#record.goOn(standing.record);
    this.#steps.push(...standing.steps);
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
    if (this.over || this.#restoring === "under way") return;
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
        this.#answer(classOf(event.message), event.message.protected && event.message.isResponse);
        if (hasNotify(event.message.payloads, NOTIFY.AUTHENTICATION_FAILED))
          this.#rebuked("AUTHENTICATION_FAILED");
        break;
      case "dropped":
        this.#answer(classOfUnused(event.datagram, natPort), false);
        break;
      case "esp-received":
        this.#answer(classOfEsp(event), false);
        break;
      case "ike-closed":
        // One that was replaced has to go.
        if (!event.sa.replacedBy) this.#rebuked(event.reason);
        break;
    }
  }

  #note(event: HostEvent): void {
    if (!this.over) this.#record.add(this.#now(), event, this.#ours?.host);
  }

  #counted(): void {
    this.#sent++;
    this.#progress++;
    for (const step of this.#open()) step.sinceSent = 0;
  }

  /** The peer began something: as fast as that it may begin what it is told next. */
  #begins(): void {
    const step = this.#open().findLast(({ told }) => told !== undefined);
    if (step?.told === undefined) return;
    this.#options.pace.answered("begin", this.#now() - step.told);
    step.told = undefined;
  }

  /** What came several times in a row, as a repeat does, is told once. */
  #answer(text: string, tookId: boolean): void {
    const step = this.#bout.find((s) => s.ended === undefined) ?? this.#bout.at(-1);
    if (!step) return;
    step.sinceSent++;
    step.tookId ||= tookId;
    if (step.answers.length < MOST_ANSWERS && step.answers.at(-1) !== text) step.answers.push(text);
  }

  /** Whether nothing but our last request can be what a response answers. */
  #isExchangeAlone(): boolean {
    const [step, ...more] = this.#bout;
    return step !== undefined && !step.peers && more.length === 0 && !this.#lies.beside;
  }

  #rebuked(reason: string): void {
    for (const step of this.#open()) if (!step.step.act.startsWith("peer-delete")) step.rebuked ??= reason;
  }

  // Our messages.

  /** Requests belong to the newest step of ours that is for their SA, responses to the peer's. */
  #stepOf(message: OutgoingMessage | "esp"): Running | undefined {
    if (this.over || this.#restoring === "under way") return undefined;
    const open = this.#bout.filter((step) => !this.#isOver(step));
    if (message === "esp") return open.findLast(({ step: { act } }) => act === "esp" || act === "peer-esp");
    if (message.isResponse) return open.findLast((step) => step.peers);
    if (message.sa) this.#lastId.set(message.sa, message.header.messageId);
    const own = open.filter((step) => !step.peers);
    return own.findLast((step) => step.sa === message.sa) ?? own.at(-1);
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
    for (const step of this.#bout) if (!step.peers && step.reached?.()) end(step, "done");
    const open = this.#open();
    if (open.length > 0) {
      if (this.#record.full || this.#record.messages > MOST_MESSAGES) return this.#endless(open);
      this.#waiting.wait();
      return false;
    }
    this.#lies.release(this.#ours.host.endpoint.core);
    return this.#steps.length < this.#options.case.trace.steps.length ? this.#next() : this.#finish();
  }

  #isOver(step: Running): boolean {
    return step.ended !== undefined && (step.holds?.() ?? true);
  }

  #open(): Running[] {
    return this.#bout.filter((step) => !this.#isOver(step));
  }

  /** Begins the next step, and those that begin with it. */
  #next(): boolean {
    const { steps } = this.#options.case.trace;
    if (this.#options.keeps) this.#standing ??= standingAfter(this.#steps, this.#record, this.#lies.sent);
    this.#bout = [];
    do {
      const step = steps[this.#steps.length];
      if (step) this.#begin(running(this.#steps.length, step));
    } while (steps[this.#steps.length]?.together);
    return true;
  }

  #begin(step: Running): void {
    this.#steps.push(step);
    this.#bout.push(step);
    if (step.peers) return this.#provoke(step);
    const missing = guarded(() => begin(this.#scene, step, () => this.#lied("sequence")));
    if (missing !== undefined) end(step, "not begun", missing);
    this.#ours.host.settle();
  }

  #provoke(step: Running): void {
    const missing = missingFor(this.#scene, step.step.act);
    if (missing !== undefined) return end(step, "not begun", missing);
    step.reached = reachedOf(this.#scene, step.step.act);
    step.underWay = true;
    step.told = this.#now();
    const { clock } = this.#options.arena.world;
    const done = () => {
      step.underWay = false;
      this.#progress++;
      this.#settled();
    };
    const failed = (error: unknown) => {
      end(step, "not begun", error instanceof Error ? error.message : String(error));
      done();
    };
    clock.outside(provoke(this.#scene, step.step.act).then(done, failed));
  }

  /** The peer had its time: these steps end as they are. */
  #judge(): void {
    for (const step of this.#open()) {
      step.holds = undefined;
      if (step.ended === "done") step.ended = "silence";
      if (step.rebuked !== undefined) end(step, "refused", step.rebuked);
      if (step.peers && step.reached?.()) end(step, "done");
      if (step.sinceSent > 0 && !step.peers) end(step, "refused", step.answers.at(-1));
      end(step, "silence");
      abandon(this.#ours.host, this.#lastId, step.tookId);
    }
  }

  /** No end is in sight, as when the peer wants ever more rounds. */
  #endless(open: readonly Running[]): boolean {
    for (const step of open) {
      step.holds = undefined;
      end(step, "refused", "more messages than a conversation may have");
    }
    this.#steps.push(
      ...this.#options.case.trace.steps
        .slice(this.#steps.length)
        .map((step, i) => running(this.#steps.length + i, step)),
    );
    this.#bout = [];
    return true;
  }

  /** Everything was said: the conversation is over once the peer has answered us or somebody after the last lie. */
  #finish(): boolean {
    if (this.#restores()) return false;
    const last = this.#lastLie ?? 0;
    if (this.#heardAt >= last) this.#probe = "answered";
    if (this.#heardAt >= last || this.#waiting.answeredSince(last)) this.#end();
    else this.#waiting.ask();
    return false;
  }

  /** Asks once whether the IKE SA is still good for others; true while the answer is waited for. */
  #restores(): boolean {
    if (this.#restoring !== "not yet" || !this.#standing) return this.#restoring === "under way";
    if (!stillStands(this.#standing)) {
      this.#restored(false);
      return false;
    }
    this.#restoring = "under way";
    const { arena, pace } = this.#options;
    const { clock } = arena.world;
    const until = this.#now() + pace.grace(EXCHANGE.INFORMATIONAL);
    const done = (good: boolean) => {
      cancel();
      if (this.#restoring !== "under way") return;
      this.#restored(good);
      this.#settled();
    };
    const cancel = clock.at(until, () => done(false));
    guarded(() => void (this.#standing && restore(this.#ours.host, this.#standing, done)));
    return true;
  }

  #restored(good: boolean): void {
    this.#restoring = "done";
    if (good) this.#heardAt = this.#sent;
    else this.#standing = undefined;
  }

  /** Nobody gets an answer any more. */
  #dead(): void {
    this.#probe = "silence";
    for (const step of this.#open()) end(step, "silence");
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
    const played = steps.map((step, i) => outcomeOf(this.#steps[i] ?? running(i, step)));
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
      messages: record.messages,
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
    const isGood = this.#restoring === "done" && this.#standing && stillStands(this.#standing);
    return isGood ? this.#standing : undefined;
  }

  /** Nothing shows that the IKE SA it began on was still alive then. */
  get doubtful(): boolean {
    return this.#options.on !== undefined && !this.#standing && !this.#heardSealed;
  }

  /** Leaves its IKE SA to another one. */
  handTo(other: Conversation): void {
    if (this.#standing) disown(this.#ours.host, this.#standing);
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
