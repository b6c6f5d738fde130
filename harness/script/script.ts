/** What a test holds: our endpoint, with every value open to change, and the peer's driver. */
import type { EspExtension } from "../esp/hooks.ts";
import { fragmentation } from "../extensions/fragmentation.ts";
import { postQuantum } from "../extensions/post-quantum.ts";
import type { ChildSa } from "../ike/child.ts";
import type { AuthWishes } from "../ike/exchanges/ike-auth.ts";
import type { Decisions, Extension, OutgoingMessage } from "../ike/hooks.ts";
import { hasNotify } from "../ike/payloads.ts";
import type { Policy } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Address, Datagram } from "../link/types.ts";
import { EMPTY, equal, hex } from "../wire/bytes.ts";
import { type CodePointName, codePointOf } from "../wire/documents/code-point.ts";
import { EXCHANGE, exchangeTypes } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Arena } from "./arena.ts";
import { isDemanded } from "./demanded.ts";
import { keyRecorder } from "./diagnosis.ts";
import { Host } from "./host.ts";
import { espProposals, ikeProposals, withoutKe } from "./policy.ts";
import { Session } from "./session.ts";
import { type Exchange, MOST_OCTETS, Trace } from "./trace.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** How an attempt at an IKE SA ended. */
export interface Attempt {
  sa: IkeSa;
  /** Why there is no IKE SA. */
  failure?: string;
  /** Why there is an IKE SA without Child SA. */
  childFailure?: string;
  /** Why there is an IKE SA, but nothing of what it was for. */
  applicationFailure?: string;
}

/** What a failure says of a message that came and that our endpoint dropped. */
export const UNUSED_MESSAGE = "(a message that was not acted on)";

/** Whether the peer is done with an SA is for a test to see; our end must be there to ask. */
const PATIENT: Extension = {
  name: "patient",
  decide: { "INVALID_SYNTAX in a response": "keep the IKE SA" },
};

const FLOODED = [
  `at most ${MOST_OCTETS / 2 ** 20} MiB of events in one test`,
  "more: the peer floods us",
] as const;

export class Script {
  readonly arena: Arena;
  /** Ours; change it before the exchange that it is for. */
  readonly policy: Policy;
  readonly trace = new Trace();
  readonly host: Host;
  readonly keyRecorder = keyRecorder();
  readonly extensions: Extension[];
  /** Those that it began with. */
  readonly #ordinary: readonly Extension[];
  readonly espExtensions: EspExtension[] = [];
  /** Set by {@link tolerate}. */
  tolerated?: string;
  /** What a hook of the test threw first, outside of the test's own course. */
  #fault?: { error: unknown };

  /** `outer` gets what happens as well, but for the messages: they belong to the trace of this script alone. */
  constructor(arena: Arena, outer?: Trace) {
    this.arena = arena;
    this.policy = arena.policy();
    const { codePoints } = arena.config;
    this.extensions = [
      ...[fragmentation(), ...postQuantum({ codePoints }), PATIENT, this.keyRecorder],
      ...(arena.extensions ?? []),
    ];
    this.#ordinary = [...this.extensions];
    const { random, link, natPort, remoteNatPort, world } = arena;
    this.host = new Host({
      ...{ random, link, natPort, remoteNatPort, clock: world.clock },
      policy: this.policy,
      extensions: this.extensions,
      esp: this.espExtensions,
      answersEcho: true,
      event: (event) => {
        if (event.type !== "sent" && event.type !== "received") outer?.add(world.clock.now(), event);
        if (!this.trace.add(world.clock.now(), event)) this.#fault ??= { error: new Failure(...FLOODED) };
      },
      settled: () => arena.poke(),
      failed: (error) => {
        this.#fault ??= { error };
      },
    });
  }

  /** The number that the peer uses for a code point of a draft: its own where its definition names one. */
  codePoint(name: CodePointName): number {
    return codePointOf(name, this.arena.config.codePoints);
  }

  /** Passes with a remark: allowed, but the text recommends otherwise. */
  tolerate(reason: string): void {
    this.tolerated = reason;
  }

  /** Replaces the fragmentation extension by one with these values, or by none. */
  fragmentation(options?: Parameters<typeof fragmentation>[0]): void {
    const index = this.extensions.findIndex((e) => e.name === "fragmentation");
    if (index >= 0) this.extensions.splice(index, 1);
    if (options) this.extensions.unshift(fragmentation(options));
  }

  /**
   * Changes our messages of one exchange type before they are sealed: requests, or with "response" our responses.
   * The returned function ends that.
   */
  change(
    exchangeType: number,
    change: (message: OutgoingMessage) => void,
    which: "request" | "response" = "request",
  ): () => void {
    let over = false;
    this.extensions.push({
      name: "change",
      outgoing: (message) => {
        const matches =
          message.header.exchangeType === exchangeType && message.isResponse === (which === "response");
        if (matches && !over) change(message);
      },
    });
    return () => {
      over = true;
    };
  }

  /** Makes our endpoint decide otherwise than ordinary; see {@link Decisions}. */
  decide<P extends keyof Decisions>(point: P, answer: Decisions[P]): void {
    const decide: Partial<{ [Q in keyof Decisions]: Decisions[Q] }> = { [point]: answer };
    this.extensions.push({ name: `decide ${point}`, decide });
  }

  /** Waits for a condition; false after `ms` (the arena's patience). Throws what a hook has thrown meanwhile. */
  async until(condition: () => boolean, ms = this.arena.patience): Promise<boolean> {
    const held = await this.arena.world.until(() => this.#fault !== undefined || condition(), ms);
    if (this.#fault) throw this.#fault.error;
    return held;
  }

  /**
   * As {@link until}, for an answer to a request of ours. False as soon as the peer has answered a stranger who came later, and
   * then has had `grace` for a repeat of the request; if it answers nobody, when patience is over.
   */
  async untilAnswered(condition: () => boolean, grace: number): Promise<boolean> {
    const { patience, quiet } = this.arena;
    if (await this.until(condition, 2 * quiet)) return true;
    return this.until(condition, (await this.peerAnswers()) ? grace : patience);
  }

  /** As {@link until}, for what only the next copy of the peer's request brings: how long it waits before that is for it to say. */
  untilRepeated(condition: () => boolean): Promise<boolean> {
    return this.until(condition, 2 * this.arena.patience);
  }

  /** Lets time pass and everything that is under way arrive. */
  async wait(ms = this.arena.quiet): Promise<void> {
    await this.until(() => false, ms);
  }

  /** IKE_SA_INIT, whatever comes of it. */
  async tryInit(): Promise<Attempt> {
    const attempt: { failure?: string } = {};
    let done = false;
    const sa = this.host.endpoint.init(this.arena.local, this.arena.remote, (failure) => {
      attempt.failure = failure;
      done = true;
    });
    this.host.settle();
    if (!(await this.until(() => done))) attempt.failure = "no answer to IKE_SA_INIT that helps";
    return { sa, ...attempt };
  }

  /** IKE_SA_INIT and IKE_AUTH, whatever comes of it. */
  async tryDial(wishes: AuthWishes = {}): Promise<Attempt> {
    const init = await this.tryInit();
    return init.failure ? init : this.tryAuth(init.sa, wishes);
  }

  async tryAuth(sa: IkeSa, wishes: AuthWishes = {}): Promise<Attempt> {
    let result: Attempt | undefined;
    this.host.endpoint.auth(sa, wishes, ({ failure, childFailure, applicationFailure }) => {
      result = { sa, failure, childFailure, applicationFailure };
    });
    this.host.settle();
    await this.until(() => result !== undefined);
    return result ?? { sa, failure: "no answer to IKE_AUTH" };
  }

  /** An IKE SA with keys, before IKE_AUTH. */
  async init(): Promise<Session> {
    const { sa, failure } = await this.tryInit();
    if (failure) throw this.#without("an IKE_SA_INIT response with keys", failure);
    return new Session(this, sa);
  }

  /** An established IKE SA with its first Child SA; we are the initiator. */
  async dial(wishes: AuthWishes = {}): Promise<Session> {
    const { sa, failure, childFailure } = await this.tryDial(wishes);
    const reason = failure ?? childFailure;
    if (reason) throw this.#without("an established IKE SA with a Child SA", reason);
    // A daemon may answer before the Child SA is in its kernel.
    await this.until(() => sa.state === "closed", this.arena.quiet / 15);
    return new Session(this, sa);
  }

  /** A peer that is told to use what no text demands of everybody may choose, offer or begin nothing of it. */
  #without(expected: string, actual: string, by: "us" | "peer" = "us"): Error {
    const last = this.trace.exchanges.findLast((e) => e.by === by);
    const declined = last
      ? hasNotify(last.response?.payloads ?? [], NOTIFY.NO_PROPOSAL_CHOSEN)
      : by === "peer";
    const { ikeProposals: ike, espProposals: esp } = this.arena.config;
    const forIke = ikeProposals(...ike).some(isDemanded);
    const forEsp = espProposals(...esp)
      .map(withoutKe)
      .some(isDemanded);
    const demanded = last ? (last.exchangeType === EXCHANGE.IKE_SA_INIT ? forIke : forEsp) : forIke && forEsp;
    if (!declined || demanded) return new Failure(expected, actual);
    return new Unsupported(
      `the peer does without what it was told: ${ike.join(", ")}; ESP ${esp.join(", ")}`,
    );
  }

  /** Has the peer initiate, and waits until `condition` holds (its patience over, or the peer dead: false). */
  async provoke(condition: () => boolean): Promise<boolean> {
    const { driver, patience } = this.arena;
    await driver.initiate();
    if (await this.until(condition, patience / 4)) return true;
    if (await driver.exit?.()) return condition();
    return this.until(condition, (3 * patience) / 4);
  }

  /** An established IKE SA with its first Child SA; the peer is the initiator. */
  async accept(): Promise<Session> {
    const child = () => this.trace.childSas()[0];
    const before = this.trace.exchanges.length;
    const refused = () => this.trace.exchanges.slice(before).some(isRefusedAuth);
    const came = await this.provoke(() => child() !== undefined || refused());
    const sa = child()?.ike;
    if (!came || !sa) {
      const [expected, actual] = ["the peer to establish an IKE SA with a Child SA", this.lastReason()];
      const there = this.trace.exchanges.length > 0 || (await this.peerAnswers());
      throw there ? this.#without(expected, actual, "peer") : new Failure(expected, actual);
    }
    await this.#taken(sa.children[0]);
    if (sa.state === "closed")
      throw new Failure("the peer to keep the IKE SA", sa.closedBecause ?? "it was closed");
    return new Session(this, sa);
  }

  /** An established IKE SA in the role that the peer's role asks of us. */
  establish(peer: "initiator" | "responder"): Promise<Session> {
    return peer === "responder" ? this.dial() : this.accept();
  }

  /** Waits until the peer's driver knows the Child SA: what it makes of our last response shows a moment later. */
  async #taken(child: ChildSa | undefined): Promise<void> {
    const { driver, quiet } = this.arena;
    const spi = hex(child?.spiIn ?? EMPTY);
    const step = quiet / 10;
    for (let waited = 0; waited < quiet; waited += step) {
      if (await this.until(() => child?.ike.state === "closed", step)) return;
      const { childSas } = await driver.status();
      if (childSas.some(({ spiIn, spiOut }) => spi === spiIn || spi === spiOut)) return;
    }
  }

  /** The last thing that went wrong, by our trace; if nothing did, where the peer left off. */
  lastReason(): string {
    const reasons = this.trace.entries.flatMap(({ event }) =>
      event.type === "dropped" || event.type === "ike-closed" || event.type === "child-failed"
        ? [event.type === "dropped" ? `${event.reason} ${UNUSED_MESSAGE}` : event.reason]
        : [],
    );
    return reasons.at(-1) ?? this.#lastExchange();
  }

  #lastExchange(): string {
    const { exchanges } = this.trace;
    const last = exchanges.at(-1);
    if (!last) return "no exchange";
    const count = exchanges.length === 1 ? "1 exchange" : `${exchanges.length} exchanges`;
    const whose = last.by === "us" ? "ours" : "the peer's";
    return `${count} and no more, the last ${exchangeTypes.nameOf(last.exchangeType)}, ${whose}`;
  }

  /** The last exchange of this type, begun by us unless told otherwise; fails if there was none. */
  exchange(exchangeType: number, by: "us" | "peer" = "us"): Exchange {
    const found = this.trace.exchangesOf(exchangeType, by).at(-1);
    if (!found) throw new Failure(`an exchange ${exchangeTypes.nameOf(exchangeType)} begun by ${by}`, "none");
    return found;
  }

  /** Sends IKE octets as they are, from our IKE port to the peer's. */
  sendOctets(octets: Uint8Array, from: Address = this.arena.local, to: Address = this.arena.remote): void {
    this.host.endpoint.core.transmit(octets, from, to);
  }

  /** Datagrams that came since the trace had `since` entries. */
  received(since = 0): Datagram[] {
    return this.trace.entries
      .slice(since)
      .flatMap(({ event }) => (event.type === "datagram-received" ? [event.datagram] : []));
  }

  /** The trace's length now, for {@link received}. */
  mark(): number {
    return this.trace.entries.length;
  }

  /** Ends the IKE SAs that are up, as an ordinary endpoint does: for a peer that nobody can make forget them. */
  async leave(): Promise<void> {
    this.extensions.splice(0, this.extensions.length, ...this.#ordinary);
    const left = this.trace.ikeSas().filter(({ established, state }) => established && state !== "closed");
    let open = left.length;
    const closed = () => {
      open -= 1;
    };
    for (const sa of left) this.host.endpoint.deleteIke(sa, closed);
    this.host.settle();
    if (open > 0) await this.until(() => open === 0, this.arena.quiet);
  }

  /** True if the peer still answers: a fresh IKE_SA_INIT, which a good peer never ignores. */
  async peerAnswers(): Promise<boolean> {
    const probe = new Script({ ...this.arena });
    this.arena.link.onReceive((datagram) => (isOf(probe, datagram) ? probe : this).host.take(datagram));
    try {
      const { failure } = await probe.tryInit();
      return failure === undefined || probe.trace.exchanges.some((e) => e.response);
    } finally {
      for (const entry of probe.trace.entries) this.trace.entries.push(entry);
      probe.host.stop();
      this.arena.link.onReceive((datagram) => this.host.take(datagram));
    }
  }
}

/** True if we told the peer that we do not believe it. */
const isRefusedAuth = ({ by, exchangeType, response }: Exchange): boolean =>
  by === "peer" &&
  exchangeType === EXCHANGE.IKE_AUTH &&
  hasNotify(response?.payloads ?? [], NOTIFY.AUTHENTICATION_FAILED);

/** True if the datagram is IKE of an SA that this script began. */
function isOf({ host }: Script, { data }: Datagram): boolean {
  return [...host.endpoint.core.sas.values()].some(({ spiI }) =>
    [0, 4].some((offset) => equal(data.subarray(offset, offset + 8), spiI)),
  );
}
