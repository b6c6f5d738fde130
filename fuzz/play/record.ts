/** What happened in a conversation, as its outcome tells it. */
import type { Pipe } from "../../harness/esp/pipe.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { hasNotify } from "../../harness/ike/payloads.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Host, HostEvent } from "../../harness/script/host.ts";
import { Trace, type TraceEntry } from "../../harness/script/trace.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import type { Claim } from "../outcome.ts";
import type { Pace } from "./pace.ts";

/** IKE SAs and Child SAs that one conversation remembers. */
const MOST_SAS = 64;
const MOST_PIPES = 64;

const PROVES: readonly number[] = [
  EXCHANGE.IKE_SA_INIT,
  EXCHANGE.IKE_INTERMEDIATE,
  EXCHANGE.IKE_AUTH,
  EXCHANGE.GSA_AUTH,
];

type Heard = Pick<OutgoingMessage, "header" | "payloads" | "protected" | "isResponse">;

export class Record {
  /** IKE SAs in the order in which they began. */
  readonly sas: IkeSa[] = [];
  /** Of all Child SAs, the closed ones too. */
  readonly pipes: Pipe[] = [];
  /** Identifiers of our echo requests that were answered. */
  readonly echoes = new Set<number>();
  readonly counts = { established: 0, closed: 0, children: 0, childrenClosed: 0, echoRequests: 0 };
  readonly unproven = { out: 0, in: 0 };
  messages = 0;
  slowestMs = 0;
  firstAt?: number;
  /** More came than is kept: the peer floods us. */
  full = false;
  readonly #trace = new Trace();
  readonly #pace: Pace;
  readonly #tainted = new Set<IkeSa>();
  readonly #established = new Set<IkeSa>();
  /** Once it began by itself the peer knows our address. */
  #proven: boolean;
  #lastIn = 0;
  readonly #asked = new Map<IkeSa, number>();
  /** When a peer that goes on at once, as it does until the IKE SA stands, was answered. */
  readonly #told = new Map<IkeSa, number>();
  readonly #withCookie = new Set<IkeSa>();

  constructor(pace: Pace, proven: boolean) {
    this.#pace = pace;
    this.#proven = proven;
  }

  get entries(): readonly TraceEntry[] {
    return this.#trace.entries;
  }

  /** As it is now. */
  copy(): Record {
    const made = new Record(this.#pace, this.#proven);
    made.goOn(this);
    made.firstAt = this.firstAt;
    made.slowestMs = this.slowestMs;
    return made;
  }

  /** Puts what happened in another one in front. */
  goOn(from: Record): void {
    for (const { at, event } of from.entries) this.#trace.add(at, event);
    this.sas.push(...from.sas);
    this.pipes.push(...from.pipes);
    for (const sa of from.#established) this.#established.add(sa);
    Object.assign(this.counts, from.counts);
    Object.assign(this.unproven, from.unproven);
    this.#proven = from.#proven;
    this.messages = from.messages;
  }

  began(sa: IkeSa): void {
    if (!this.sas.includes(sa) && this.sas.length < MOST_SAS) this.sas.push(sa);
  }

  /** A lie was told in this message. */
  taint({ sa, header }: OutgoingMessage, exchangeType = header.exchangeType): void {
    if (sa && (!sa.established || PROVES.includes(exchangeType))) this.#tainted.add(sa);
  }

  /** Takes a datagram of a probe, which is a stranger's. */
  addProbe(at: number, event: HostEvent): void {
    this.#trace.add(at, event);
    this.firstAt ??= at;
  }

  /** Takes an event; before anything acts on it. */
  add(at: number, event: HostEvent, host: Host | undefined): void {
    if (!this.#trace.add(at, event)) this.full = true;
    this.#countOctets(at, event);
    switch (event.type) {
      case "sent":
        if (event.copy === 0) this.#onSent(at, event.message);
        break;
      case "received":
        if (event.message.sa) this.#onReceived(at, event.message.sa, event.message);
        break;
      case "keys":
        this.began(event.sa);
        break;
      case "ike-established":
        this.counts.established++;
        this.#established.add(event.sa);
        break;
      case "ike-closed":
        this.counts.closed++;
        break;
      case "child-established":
        this.#onChild(host);
        break;
      case "child-closed":
        this.counts.childrenClosed++;
        break;
      case "esp-sent":
        this.messages++;
        break;
      case "esp-received":
        this.#onEsp(event);
        break;
    }
  }

  #onSent(at: number, message: OutgoingMessage): void {
    this.messages++;
    const { sa, isResponse, payloads } = message;
    if (!sa) return;
    if (isResponse) return void (sa.established || this.#told.set(sa, at));
    this.#asked.set(sa, at);
    if (!message.protected && hasNotify(payloads, NOTIFY.COOKIE)) this.#withCookie.add(sa);
  }

  #onReceived(at: number, sa: IkeSa, message: Heard): void {
    if (message.isResponse) return this.#onResponse(at, sa, message);
    const told = this.#told.get(sa);
    this.#told.delete(sa);
    if (told !== undefined) this.answered(message.header.exchangeType, at - told);
  }

  #onResponse(at: number, sa: IkeSa, { header, payloads, protected: sealed }: Heard): void {
    const asked = this.#asked.get(sa);
    this.#asked.delete(sa);
    if (asked !== undefined) this.answered(header.exchangeType, at - asked);
    const cookied = this.#withCookie.has(sa) && payloads.some(({ kind }) => kind === "SA");
    if (!this.#proven && (sealed || cookied)) {
      this.#proven = true;
      this.unproven.in -= this.#lastIn;
    }
  }

  /** An answer took so long. */
  answered(what: number | "probe", ms: number): void {
    this.slowestMs = Math.max(this.slowestMs, ms);
    this.#pace.answered(what, ms);
  }

  #countOctets(at: number, event: HostEvent): void {
    if (event.type !== "datagram-sent" && event.type !== "datagram-received") return;
    const { protocol, data } = event.datagram;
    const isOut = event.type === "datagram-sent";
    if (isOut) this.firstAt ??= at;
    if (this.#proven || protocol !== "udp") return;
    if (isOut) this.unproven.out += data.length;
    else this.unproven.in += this.#lastIn = data.length;
  }

  #onChild(host: Host | undefined): void {
    this.counts.children++;
    const pipe = host?.pipes.at(-1);
    if (pipe && this.pipes.length < MOST_PIPES) this.pipes.push(pipe);
  }

  #onEsp({ inner }: Extract<HostEvent, { type: "esp-received" }>): void {
    if (!inner?.echo || !inner.allowed) return;
    if (inner.echo.reply) this.echoes.add(inner.echo.identifier);
    else this.counts.echoRequests++;
  }

  claims(): Claim[] {
    return this.sas.filter((sa) => sa.keys).map((sa) => ({ sa, authentic: this.#authentic(sa, new Set()) }));
  }

  /** One made by rekeying is as authentic as the one that it replaced. */
  #authentic(sa: IkeSa, seen: Set<IkeSa>): boolean {
    if (this.#tainted.has(sa) || seen.has(sa) || !this.#established.has(sa)) return false;
    return sa.replaces ? this.#authentic(sa.replaces, seen.add(sa)) : true;
  }
}
