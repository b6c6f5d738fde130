/** Drives a peer by the verbs of the contract, over whatever channel. */
import { setTimeout as pause } from "node:timers/promises";
import { pki } from "../harness/pki/pki.ts";
import { innerHosts } from "../harness/run/config.ts";
import { materialFor } from "../harness/script/policy.ts";
import { type Driver, DriverUnsupported, type PeerConfig, type PeerStatus } from "./contract.ts";
import { certificatePem } from "./pem.ts";
import {
  type AnyAsk,
  type Ask,
  type Channel,
  type Credentials,
  type Done,
  DriverFault,
  type Reply,
} from "./verbs.ts";

/** After so many failed starts in a row no further one is tried. */
const MOST_FAILURES = 5;
/** Characters of a log that are kept, the last ones. */
const LOG = 256 << 10;
const STOPPED = "has been stopped";

export interface ContractOptions {
  /** Starts the driver's side anew; `said` gets what it says beside its replies, which is the peer's log. */
  open: (said: (text: string) => void) => Promise<Channel>;
  hello: Hello;
}

export type Hello = Extract<Ask, { verb: "hello" }>;

/** Every verb rejects with a DriverFault where the other side does not keep the contract; the next one starts it anew. */
export class ContractDriver implements Driver {
  readonly #options: ContractOptions;
  #channel: Channel | undefined;
  #config: PeerConfig | undefined;
  /** False once what was configured is lost with the driver's process. */
  #configured = false;
  #test: string | undefined;
  #failures = 0;
  #failure: unknown;
  #stopped = false;
  /** Requests that have no reply yet. */
  #asking = 0;
  #log = "";
  /** What the driver said of itself. */
  about: Done = { ok: true };

  constructor(options: ContractOptions) {
    this.#options = options;
  }

  /** Stops it where the signal comes before it has started. @throws DriverFault, LabError */
  async start(signal?: AbortSignal): Promise<void> {
    const stop = () => void this.stop();
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await this.#open();
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Ends it for good, in the middle of a request if need be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#end();
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.start();
  }

  async #end(): Promise<void> {
    const channel = this.#channel;
    this.#forget();
    if (!channel) return;
    // Behind a request without a reply it would have to wait.
    if (channel.usable && this.#asking === 0) await channel.ask({ verb: "bye" }).catch(() => undefined);
    await channel.close();
  }

  /** Which test the verbs are for from now on. */
  begin(test: string): void {
    this.#test = test;
  }

  async configure(config: PeerConfig): Promise<void> {
    this.#config = undefined;
    const credentials = await credentialsOf(config);
    const test = this.#test;
    const inner = config.localTs[0]?.includes(":") ? 6 : 4;
    await this.#do({
      ...{ verb: "configure", config, hosts: innerHosts(config, { inner }) },
      ...(credentials && { credentials }),
      ...(test !== undefined && { test }),
    });
    this.#config = config;
    this.#configured = true;
  }

  async initiate(): Promise<void> {
    await this.#do({ verb: "initiate" });
  }

  async rekeyIke(): Promise<void> {
    await this.#do({ verb: "rekey-ike" });
  }

  async rekeyChild(): Promise<void> {
    await this.#do({ verb: "rekey-child" });
  }

  async delete(what: "ike" | "child"): Promise<void> {
    await this.#do({ verb: "delete", what });
  }

  async sendTraffic(options: { from: string; to: string; count: number; size?: number }): Promise<void> {
    await this.#do({ verb: "send-traffic", ...options });
  }

  /** A driver that cannot tell is no reason to think ill of the peer. */
  async status(): Promise<PeerStatus> {
    const told = await this.#do({ verb: "status" }).catch((error: unknown) => {
      if (error instanceof DriverUnsupported) return undefined;
      throw error;
    });
    const { alive = true, ikeSas = [], childSas = [], exit } = told ?? { ok: true };
    if (alive) return { alive, ikeSas, childSas };
    return { alive, ikeSas: [], childSas: [], exit: exit ?? "no cause told" };
  }

  /** After a new start of the driver the configuration is loaded again, which leaves no SA either. */
  async reset(): Promise<void> {
    await this.#usable();
    if (this.#config && !this.#configured) return this.configure(this.#config);
    await this.#do({ verb: "reset" });
  }

  async logs(): Promise<string> {
    return this.#log;
  }

  async markLog(): Promise<void> {
    this.#log = "";
  }

  /** Its channel has ended; where the driver has a process of its own, its peer has with it. */
  ended(): boolean {
    return this.#channel?.usable !== true;
  }

  /** A request as it is, and the reply. @throws DriverFault */
  async tell(ask: AnyAsk): Promise<Reply> {
    const channel = await this.#usable();
    try {
      return await this.#ask(channel, ask);
    } finally {
      if (!channel.usable) await this.#drop(channel);
    }
  }

  /** Whether its process, where it has one, ends by itself within this time. */
  async hasEnded(ms: number): Promise<boolean> {
    const ended = this.#channel?.ended;
    if (!ended) return true;
    return Promise.race([ended.then(() => true), pause(ms, false, { ref: false })]);
  }

  async #do(ask: Ask): Promise<Done> {
    return checked(await this.tell(ask), ask.verb);
  }

  async #ask(channel: Channel, ask: AnyAsk): Promise<Reply> {
    this.#asking += 1;
    try {
      return await channel.ask(ask);
    } finally {
      this.#asking -= 1;
    }
  }

  async #usable(): Promise<Channel> {
    return this.#channel ?? this.#open();
  }

  async #open(): Promise<Channel> {
    if (this.#stopped) throw new DriverFault(STOPPED);
    if (this.#failures >= MOST_FAILURES) throw this.#failure;
    const channel = await this.#options.open((text) => {
      this.#log = (this.#log + text).slice(-LOG);
    });
    this.#channel = channel;
    try {
      // It may have come while that was opened.
      if (this.#stopped) throw new DriverFault(STOPPED);
      this.about = this.#whereItWas(checked(await this.#ask(channel, this.#hello), "hello"));
      this.#failures = 0;
      return channel;
    } catch (error) {
      this.#failures += 1;
      this.#failure = error;
      await this.#drop(channel);
      throw error;
    }
  }

  /** Where it was before, or else where it may be. */
  get #hello(): Hello {
    const { hello } = this.#options;
    return { ...hello, peer: { ...hello.peer, ...this.about.peer } };
  }

  /** @throws DriverFault for a peer that has moved, where it can be told nothing more */
  #whereItWas(about: Done): Done {
    const { port, natPort } = this.about.peer ?? {};
    if (port === undefined || (about.peer?.port === port && about.peer.natPort === natPort)) return about;
    throw new DriverFault(`came back at other ports than ${port} and ${natPort}, which hello named`);
  }

  async #drop(channel: Channel): Promise<void> {
    this.#forget();
    await channel.close();
  }

  #forget(): void {
    this.#channel = undefined;
    this.#configured = false;
  }
}

/** @throws DriverUnsupported, DriverFault */
function checked(reply: Reply, verb: Ask["verb"]): Done {
  if ("ok" in reply) return reply;
  if ("unsupported" in reply) throw new DriverUnsupported(reply.unsupported || `the driver has no ${verb}`);
  throw new DriverFault(`failed at ${verb}: ${reply.error}`);
}

async function credentialsOf(config: PeerConfig): Promise<Credentials | undefined> {
  const { own, trust } = await materialFor(config, "peer", pki);
  if (!own && trust.length === 0) return undefined;
  return {
    certificates: (own?.chain ?? []).map(certificatePem),
    ...(own && { key: own.key.export({ type: "pkcs8", format: "pem" }).toString() }),
    trust: trust.map(certificatePem),
  };
}
