/** An IKE SA in the hands of a test. The methods wait for the peer; those named `try...` do not mind what it says. */
import { DriverUnsupported } from "../../peers/contract.ts";
import type { Pipe } from "../esp/pipe.ts";
import type { ChildSa } from "../ike/child.ts";
import type { ChildWishes } from "../ike/exchanges/child.ts";
import type { IncomingMessage } from "../ike/hooks.ts";
import { hasNotify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { formatAddress } from "../wire/address.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE, exchangeTypes } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload, Proposal } from "../wire/types.ts";
import { whyNoEsp } from "./diagnosis.ts";
import { expectNothingInClear } from "./in-clear.ts";
import type { Script } from "./script.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** How many times a quiet moment a peer that serves strangers has for a request that may need a key exchange. */
const GRACE = 5;

export class Session {
  readonly script: Script;
  readonly sa: IkeSa;

  constructor(script: Script, sa: IkeSa) {
    this.script = script;
    this.sa = sa;
  }

  /** The newest Child SA that is in use. */
  get child(): ChildSa {
    const child = this.sa.children.findLast((c) => c.state === "installed");
    if (!child) throw new Failure("a Child SA", "none is installed");
    return child;
  }

  pipe(child: ChildSa = this.child): Pipe {
    const pipe = this.script.host.pipeOf(child);
    if (!pipe) throw new Failure("a Child SA with its keys", "it was closed");
    return pipe;
  }

  /** Runs a command of the endpoint that calls back, and waits for that; undefined if nothing came. */
  async #run<T>(command: (done: (result: T) => void) => void): Promise<T | undefined> {
    let result: { value: T } | undefined;
    command((value) => {
      result = { value };
    });
    this.script.host.settle();
    await this.#answered(() => result !== undefined);
    return result?.value;
  }

  #answered(condition: () => boolean): Promise<boolean> {
    return this.script.untilAnswered(condition, GRACE * this.script.arena.quiet);
  }

  /** A request with these payloads, and its response; undefined if there is none in time. */
  tryRequest(exchangeType: number, payloads: Payload[]): Promise<IncomingMessage | undefined> {
    return this.#run<IncomingMessage | undefined>((done) =>
      this.script.host.endpoint.request(this.sa, exchangeType, payloads, done),
    );
  }

  /** The same; fails if there is no response. */
  async request(exchangeType: number, payloads: Payload[]): Promise<IncomingMessage> {
    const since = this.script.mark();
    const response = await this.tryRequest(exchangeType, payloads);
    if (response) return response;
    throw new Failure(`a response to ${exchangeTypes.nameOf(exchangeType)}`, this.#silence(since));
  }

  /** What came instead of a response: one that cannot be taken is no silence. */
  #silence(since: number): string {
    const dropped = this.script.trace.entries
      .slice(since)
      .flatMap(({ event }) => (event.type === "dropped" ? [event.reason] : []));
    return dropped.length > 0 ? `only what was dropped: ${dropped.at(-1)}` : "silence";
  }

  informational(...payloads: Payload[]): Promise<IncomingMessage> {
    return this.request(EXCHANGE.INFORMATIONAL, payloads);
  }

  /** A Child SA, or why there is none. */
  async tryCreateChild(wishes: ChildWishes = {}): Promise<ChildSa | string> {
    const made = await this.#run<ChildSa | string>((done) =>
      this.script.host.endpoint.createChild(this.sa, wishes, done),
    );
    return made ?? "no answer to CREATE_CHILD_SA";
  }

  /** A peer may refuse all CREATE_CHILD_SA requests (RFC 7296 sections 1.3 and 4). */
  #without(expected: string, actual: string): Error {
    const last = this.script.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "us").at(-1);
    const refused = hasNotify(last?.response?.payloads ?? [], NOTIFY.NO_ADDITIONAL_SAS);
    return refused ? new Unsupported("the peer says NO_ADDITIONAL_SAS") : new Failure(expected, actual);
  }

  async createChild(wishes: ChildWishes = {}): Promise<ChildSa> {
    const child = await this.tryCreateChild(wishes);
    if (typeof child === "string") throw this.#without("a new Child SA", child);
    return child;
  }

  /** Replaces a Child SA; waits until our Delete of the old one is answered. */
  async rekeyChild(wishes: ChildWishes = {}, old: ChildSa = this.child): Promise<ChildSa> {
    const child = await this.createChild({ ...wishes, replaces: old });
    await this.#answered(() => old.state === "closed" || this.sa.state === "closed");
    return child;
  }

  async tryRekeyIke(wishes: { proposals?: Proposal[]; group?: number } = {}): Promise<IkeSa | string> {
    const made = await this.#run<IkeSa | string>((done) =>
      this.script.host.endpoint.rekeyIke(this.sa, wishes, done),
    );
    return made ?? "no answer to CREATE_CHILD_SA";
  }

  /** Replaces the IKE SA; waits until our Delete of the old one is answered. */
  async rekeyIke(wishes: { proposals?: Proposal[]; group?: number } = {}): Promise<Session> {
    const sa = await this.tryRekeyIke(wishes);
    if (typeof sa === "string") throw this.#without("a new IKE SA", sa);
    await this.#answered(() => this.sa.state === "closed");
    return new Session(this.script, sa);
  }

  /** Has the peer's driver act, and waits until `seen` gives something. */
  async provoke<T>(verb: () => Promise<void>, seen: () => T | undefined, what: string): Promise<T> {
    await verb();
    await this.script.until(() => seen() !== undefined);
    const result = seen();
    if (result === undefined) throw new Failure(what, this.script.lastReason());
    return result;
  }

  /** The Child SA that the peer made by rekeying `old` on command. */
  peerRekeysChild(old: ChildSa = this.child): Promise<ChildSa> {
    // The trace also has one that the peer deleted again before we looked.
    const fresh = () => this.script.trace.childSas().find((c) => c.replaces === old);
    return this.provoke(() => this.script.arena.driver.rekeyChild(), fresh, "the peer to rekey the Child SA");
  }

  /** The IKE SA that the peer made by rekeying this one on command. */
  async peerRekeysIke(): Promise<Session> {
    const fresh = () => this.sa.replacedBy;
    const sa = await this.provoke(
      () => this.script.arena.driver.rekeyIke(),
      fresh,
      "the peer to rekey the IKE SA",
    );
    await this.script.until(() => this.sa.state === "closed");
    return new Session(this.script, sa);
  }

  async deleteChild(child: ChildSa = this.child): Promise<void> {
    await this.#run<void>((done) => this.script.host.endpoint.deleteChild(child, () => done()));
  }

  async deleteIke(): Promise<void> {
    await this.#run<void>((done) => this.script.host.endpoint.deleteIke(this.sa, () => done()));
  }

  /** True if an empty INFORMATIONAL is answered. */
  async alive(): Promise<boolean> {
    const { script } = this;
    let outcome: { response?: IncomingMessage } | undefined;
    script.host.endpoint.request(this.sa, EXCHANGE.INFORMATIONAL, [], (response) => {
      outcome = { ...(response && { response }) };
    });
    script.host.settle();
    await script.untilAnswered(() => outcome !== undefined, 3 * script.arena.quiet);
    return outcome?.response !== undefined;
  }

  /** The inner hosts at both ends: those of the arena, or who was leased an address, with that. */
  get hosts(): { tester: string; peer: string } {
    const { ownAddresses, leased } = this.sa;
    const { tester, peer } = this.script.arena.inner;
    const [own, other] = [ownAddresses?.[0], leased?.[0]];
    return {
      tester: own ? formatAddress(own.startAddress) : tester,
      peer: other ? formatAddress(other.startAddress) : peer,
    };
  }

  /** Sends up to `tries` (3) echo requests through the Child SA; true if a reply came back inside of ESP. */
  async ping(
    options: { child?: ChildSa; size?: number; from?: string; to?: string; tries?: number } = {},
  ): Promise<boolean> {
    const { script, hosts } = this;
    if (script.arena.noEcho !== undefined) throw new Unsupported(script.arena.noEcho);
    const child = options.child ?? this.child;
    const pipe = this.pipe(child);
    const identifier = (script.arena.random(1)[0] ?? 0) + 0x4200;
    const data = new Uint8Array(options.size ?? 56).fill(0xa5);
    const since = script.mark();
    const { from = hosts.tester, to = hosts.peer, tries = 3 } = options;
    const answered = () =>
      script.trace.entries.slice(since).some(({ event }) => {
        if (event.type !== "esp-received" || !event.inner?.echo?.reply) return false;
        return event.inner.echo.identifier === identifier && event.inner.allowed;
      });
    for (let sequence = 1; sequence <= tries && !answered(); sequence++) {
      script.host.sendEcho(pipe, { from, to, identifier, sequence, data });
      await script.until(answered, (script.arena.patience / 8) * sequence);
    }
    return answered();
  }

  /**
   * Proves the Child SA in both directions: our echo request is answered inside of ESP that opens with keys we
   * derived, and the peer's own request arrives the same way, where somebody can make it send one.
   */
  async proveTraffic(child: ChildSa = this.child): Promise<void> {
    const spi = hex(child.spiIn);
    const begin = this.script.mark();
    if (!(await this.ping({ child })))
      throw new Failure(
        `an echo reply through ESP SPI ${spi}`,
        (await whyNoEsp(this, child)) ?? "none that opens with our keys",
      );
    const { script } = this;
    const since = script.mark();
    const { peer, tester } = this.hosts;
    const { driver } = script.arena;
    const told = await driver.sendTraffic({ from: peer, to: tester, count: 2 }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof DriverUnsupported) return false;
        throw error;
      },
    );
    if (!told) return expectNothingInClear(script, begin);
    const came = () =>
      script.trace.entries
        .slice(since)
        .some(
          ({ event }) =>
            event.type === "esp-received" && event.inner?.echo?.reply === false && event.inner.allowed,
        );
    if (!(await script.until(came)))
      throw new Failure("the peer's echo request inside of ESP", (await whyNoEsp(this, child)) ?? "none");
    expectNothingInClear(script, begin);
  }
}
