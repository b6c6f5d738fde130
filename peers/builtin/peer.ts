/** The builtin peer: the same endpoint as the tester's, under a driver of its own, and able to lie. */

import type { Random } from "../../harness/crypto/types.ts";
import type { EspExtension } from "../../harness/esp/hooks.ts";
import type { Pipe } from "../../harness/esp/pipe.ts";
import { fragmentation, ordinaryFragmentation } from "../../harness/extensions/fragmentation.ts";
import { postQuantum } from "../../harness/extensions/post-quantum.ts";
import type { ChildSa } from "../../harness/ike/child.ts";
import type { Extension } from "../../harness/ike/hooks.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Clock, Link } from "../../harness/link/types.ts";
import { pki } from "../../harness/pki/pki.ts";
import { groupCredential } from "../../harness/script/group-credential.ts";
import { Host, type HostEvent } from "../../harness/script/host.ts";
import { materialFor, policyFor } from "../../harness/script/policy.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { SN } from "../../harness/wire/registry/sn.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../../harness/wire/types.ts";
import type { Driver, GroupDriver, PeerConfig, PeerResources, PeerStatus, PingOptions } from "../contract.ts";
import { draftsOf } from "./drafts.ts";
import { ping } from "./esp-echo.ts";
import type { Effects } from "./faults/effects.ts";
import { Watch } from "./faults/watch.ts";
import { BuiltinGroups } from "./groups.ts";
import type { LieBehaviour, Planted } from "./lies/lie.ts";

/** Octets per fragment that keep an IPv4 packet within 576 octets (RFC 7383 section 2.5.1). */
const CHUNK = 456;

/** Lines of the log that are kept; who is flooded has nothing new to say behind them. */
const MOST_LINES = 5_000;

/** As few numbers left on an outbound SA are a reason to rekey it. */
const FEW_NUMBERS = 2 ** 16;

export interface BuiltinOptions {
  clock: Clock;
  random: Random;
  link: Link;
  natPort: number;
  remoteNatPort: number;
  lie?: Planted;
  /** Behaviour of an honest variant, on top of which a lie comes. */
  variant?: LieBehaviour;
  /** What its faults do to it. Not set: what can be done to a peer that shares its process with the tester. */
  effects?: Effects;
}

export class BuiltinPeer implements Driver {
  readonly #options: BuiltinOptions;
  #host?: Host;
  #behaviours: LieBehaviour[] = [];
  #told?: PeerConfig;
  /** What it makes of that. */
  #config?: PeerConfig;
  #dead?: string;
  /** It hangs or loops. */
  #deaf = false;
  /** Octets that it has no more use for. */
  #leaked = 0;
  readonly #effects: Effects;
  #watch?: Watch;
  #groups?: BuiltinGroups | undefined;
  readonly #log: string[] = [];
  /** Child SAs that were asked to be rekeyed as their numbers end. */
  readonly #ending = new WeakSet<ChildSa>();

  constructor(options: BuiltinOptions) {
    this.#options = { ...options, link: this.#mortal(options.link) };
    this.#effects = options.effects ?? this.#effectsInMemory();
  }

  async configure(config: PeerConfig): Promise<void> {
    this.#told = config;
    await this.reset();
  }

  async reset(): Promise<void> {
    this.#host?.stop();
    if (!this.#told || this.#dead || this.#deaf) return;
    const { clock, random, natPort, remoteNatPort, lie, variant } = this.#options;
    const behaviours = [variant, lie?.behaviour(this.#effects)].filter((b) => b !== undefined);
    this.#behaviours = behaviours;
    const watch = new Watch(
      behaviours.flatMap(({ sees }) => sees ?? []),
      natPort,
    );
    this.#watch = watch;
    const config = behaviours.reduce((told, b) => b.config?.(told) ?? told, this.#told);
    this.#config = config;
    const policy = policyFor(config, "peer", await materialFor(config, "peer", pki));
    if (config.replayWindow === 0 && !saysEsnWithout(config)) keepTo32Bits(policy);
    for (const behaviour of behaviours) behaviour.policy?.(policy);
    const delayMs = Math.max(0, ...behaviours.map((b) => b.delayMs ?? 0));
    const link = delayMs > 0 ? delayed(this.#options.link, clock, delayMs) : this.#options.link;
    const drafts = draftsOf(config, behaviours, (line) => this.#say(line));
    const groups = await this.#groupsOf(config, link, behaviours);
    this.#groups = groups;
    const ike = [...drafts.ike, ...(groups?.ike ?? [])];
    this.#host = new Host({
      ...{ policy, clock, random, link, natPort, remoteNatPort },
      extensions: [
        ...this.#fragmentation(behaviours),
        ...postQuantum({ codePoints: config.codePoints }),
        ...ike,
        watch.extension,
        ...behaviours.flatMap(extensionsOf),
      ],
      esp: [...this.#counter(), ...drafts.esp, ...(groups?.esp ?? []), ...behaviours.flatMap(espOf)],
      answersEcho: true,
      ...(config.replayWindow !== undefined && { window: config.replayWindow }),
      event: (event) => this.#onEvent(event, behaviours),
    });
    groups?.begin(this.#host);
  }

  async #groupsOf(
    { groups, local, remote }: PeerConfig,
    link: Link,
    behaviours: LieBehaviour[],
  ): Promise<BuiltinGroups | undefined> {
    if (!groups) return undefined;
    return new BuiltinGroups({
      ...{ groups, link, local, remote, random: this.#options.random },
      credential: await groupCredential(groups),
      hooks: behaviours.flatMap(({ group }) => group ?? []),
      log: (line) => this.#say(line),
    });
  }

  /** Set where it was told of groups. */
  get groups(): GroupDriver | undefined {
    return this.#groups;
  }

  #fragmentation(behaviours: LieBehaviour[]): Extension[] {
    const settings = behaviours.map((b) => b.fragmentation).filter((f) => f !== undefined);
    if (this.#config?.fragmentation === false || settings.includes("off")) return [];
    return [fragmentation(Object.assign({ ...ordinaryFragmentation, chunk: CHUNK }, ...settings))];
  }

  #say(line: string): void {
    if (this.#log.length < MOST_LINES) this.#log.push(`${this.#options.clock.now()} ${line}`);
  }

  /** Lets the first SAs begin where a test wants it. */
  #counter(): EspExtension[] {
    const counter = this.#config?.espCounter;
    if (counter === undefined) return [];
    const established: EspExtension["established"] = ({ child, outbound }) => {
      if (!child.replaces) outbound.counter = BigInt(counter);
    };
    return [{ name: "counter", established }];
  }

  /** Asks for a new Child SA in time before the numbers of this one end (RFC 4303 section 3.3.3). */
  #mindCounter({ child, outbound }: Pipe): void {
    const host = this.#running("rekeyChild");
    if (!host || outbound.remaining > FEW_NUMBERS || child.state !== "installed") return;
    if (this.#ending.has(child)) return;
    this.#ending.add(child);
    host.endpoint.rekeyChild(child);
    host.settle();
  }

  #onEvent(event: HostEvent, behaviours: LieBehaviour[]): void {
    if (event.type === "dropped" || event.type === "ike-closed" || event.type === "child-failed") {
      this.#say(`${event.type}: ${event.reason}`);
    }
    for (const { livenessMs } of behaviours) {
      if (event.type === "ike-established" && livenessMs !== undefined) this.#ask(event.sa, livenessMs);
    }
    if (event.type === "esp-sent") this.#mindCounter(event.pipe);
    if (event.type !== "datagram-received" || !this.#host) return;
    if (behaviours.some((b) => b.diesOf?.(event.datagram.data))) this.#die("signal SIGSEGV (planted)");
    this.#watch?.take(this.#host.endpoint.core, event.datagram);
  }

  /** Begins to ask the other end of this SA every so often whether it is alive. */
  #ask(sa: IkeSa, everyMs: number): void {
    const host = this.#host;
    const { clock, link, natPort, remoteNatPort } = this.#options;
    clock.at(clock.now() + everyMs, () => {
      if (!host || host !== this.#host || sa.state !== "established") return;
      host.endpoint.liveness(sa);
      const source = { host: sa.local.host, port: natPort };
      const destination = { host: sa.remote.host, port: remoteNatPort };
      // A stream needs no keepalives, for there are those of TCP itself (RFC 9329 section 6.6).
      if (sa.local.transport !== "tcp")
        link.send({ protocol: "udp", source, destination, data: Uint8Array.of(0xff) });
      host.settle();
      this.#ask(sa, everyMs);
    });
  }

  /** Stops answering for good, as a daemon does that has crashed. */
  #die(how: string): void {
    this.#dead ??= how;
    this.#host?.stop();
  }

  /**
   * A peer that hangs cannot stop the tester's process, nor may one that loops take it along: both are deaf, for good.
   * What one would keep is counted.
   */
  #effectsInMemory(): Effects {
    const deafen = (): void => {
      this.#deaf = true;
      this.#host?.stop();
    };
    return {
      crash: (where, signal = "SIGSEGV") => this.#die(`signal ${signal} (planted) in ${where}`),
      hang: deafen,
      loop: deafen,
      leak: (octets) => {
        this.#leaked += octets;
      },
    };
  }

  /** Carries nothing to or from a peer that is dead or deaf. */
  #mortal(link: Link): Link {
    const gone = (): boolean => this.#dead !== undefined || this.#deaf;
    return {
      ...link,
      send: (datagram) => {
        if (!gone()) link.send(datagram);
      },
      onReceive: (handler) =>
        link.onReceive((datagram) => {
          if (!gone()) handler(datagram);
        }),
    };
  }

  /** What its faults keep is all that can be told apart from what the tester takes. */
  async resources(): Promise<PeerResources> {
    return { octets: this.#leaked };
  }

  /** Brings a crashed peer back. */
  async restart(): Promise<void> {
    this.#dead = undefined;
    this.#leaked = 0;
    this.#deaf = false;
    await this.reset();
  }

  #running(verb: NonNullable<LieBehaviour["deafTo"]>[number]): Host | undefined {
    if (!this.#host) throw new Error("configure comes first");
    return this.#behaviours.some((b) => b.deafTo?.includes(verb)) ? undefined : this.#host;
  }

  async initiate(): Promise<void> {
    const host = this.#running("initiate");
    if (!host || !this.#config) return;
    host.endpoint.connect(this.#config.local, this.#config.remote);
    host.settle();
  }

  async rekeyIke(): Promise<void> {
    this.#command("rekeyIke", (host) => {
      const sa = [...host.endpoint.core.sas.values()].findLast((s) => s.state === "established");
      if (sa) host.endpoint.rekeyIke(sa);
    });
  }

  async rekeyChild(): Promise<void> {
    this.#command("rekeyChild", (host) => {
      const child = host.endpoint.core.children().findLast((c) => c.state === "installed");
      if (child) host.endpoint.rekeyChild(child);
    });
  }

  async delete(what: "ike" | "child"): Promise<void> {
    this.#command("delete", (host) => {
      const { core } = host.endpoint;
      const child = core.children().findLast((c) => c.state === "installed");
      const sa = [...core.sas.values()].findLast((s) => s.established);
      if (what === "child" && child) host.endpoint.deleteChild(child);
      if (what === "ike" && sa) host.endpoint.deleteIke(sa);
    });
  }

  #command(verb: NonNullable<LieBehaviour["deafTo"]>[number], act: (host: Host) => void): void {
    const host = this.#running(verb);
    if (!host) return;
    act(host);
    host.settle();
  }

  async sendTraffic(options: { from: string; to: string; count: number; size?: number }): Promise<void> {
    const host = this.#running("sendTraffic");
    const pipe = host?.pipes.findLast((p) => p.child.state === "installed");
    if (!host || !pipe) return;
    for (let sequence = 1; sequence <= options.count; sequence++) {
      const data = new Uint8Array(options.size ?? 56).fill(0x5a);
      host.sendEcho(pipe, { from: options.from, to: options.to, identifier: 0x7ee2, sequence, data });
    }
  }

  async ping(options: PingOptions): Promise<void> {
    const host = this.#running("ping");
    if (host && this.#config) ping(host, this.#config, options, this.#options.random, this.#behaviours);
  }

  async status(): Promise<PeerStatus> {
    const core = this.#host?.endpoint.core;
    return {
      alive: this.#dead === undefined,
      exit: this.#dead,
      ikeSas: [...(core?.sas.values() ?? [])].map((s) => ({
        spiI: hex(s.spiI),
        spiR: hex(s.spiR),
        state: s.state,
      })),
      childSas: (core?.children() ?? []).map((c) => ({
        spiIn: hex(c.spiIn),
        spiOut: hex(c.spiOut),
        state: c.state,
      })),
    };
  }

  async logs(): Promise<string> {
    return this.#log.map((line) => `${line}\n`).join("");
  }

  async markLog(): Promise<void> {
    this.#log.length = 0;
  }
}

/** Without that notify, who checks no replays should negotiate no extended numbers (RFC 4303 section 3.3.3). */
const saysEsnWithout = ({ drafts }: PeerConfig): boolean => drafts?.["anti-replay-notification"] === "01";

/** A proposal of extended numbers alone becomes one of 32 bits, as libreswan does it. */
function keepTo32Bits(policy: Policy): void {
  const shorten = (p: Proposal): Proposal => ({
    ...p,
    transforms: [...p.transforms.filter((t) => t.type !== TRANSFORM.SN), SEQUENTIAL],
  });
  policy.esp = policy.esp.map(shorten);
  policy.rekeyEsp = policy.rekeyEsp?.map(shorten) ?? policy.esp;
}

const SEQUENTIAL: Transform = { type: TRANSFORM.SN, id: SN.SEQUENTIAL_32, attributes: [] };

/** A link whose datagrams leave later. */
const delayed = (link: Link, clock: Clock, ms: number): Link => ({
  send: (datagram) => void clock.at(clock.now() + ms, () => link.send(datagram)),
  onReceive: (handler) => link.onReceive(handler),
  close: () => link.close(),
  ...(link.join && { join: (group) => link.join?.(group) }),
});

const extensionsOf = (b: LieBehaviour): Extension[] => (b.ike ? [{ name: "lie", ...b.ike }] : []);
const espOf = (b: LieBehaviour): EspExtension[] => (b.esp ? [{ name: "lie", ...b.esp }] : []);
