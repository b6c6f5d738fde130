/** The driver of a peer at an address: what it would have to be told, and nobody can tell it, is `unsupported`. */
import { setTimeout as pause } from "node:timers/promises";
import { type Driver, DriverUnsupported, type PeerConfig, type PeerStatus } from "../contract.ts";
import type { ContractDriver } from "../contract-driver.ts";

/** How long one that does not answer is left alone, in the place of a restart. */
const LEFT_ALONE_MS = 2_000;

const cannot = (what: string): Promise<never> =>
  Promise.reject(
    new DriverUnsupported(`nobody can make a peer at an address ${what}: --hook, --command or --prompt can`),
  );

/** What is known of its configuration; `another`: it was told, and may have taken, that of a test. */
type Configured = "own" | "another" | "not known";

export class AddressDriver implements Driver {
  readonly #own: PeerConfig;
  readonly #means: ContractDriver | undefined;
  #has: Configured;

  /** `own` is how its owner says that it is configured; `means` how it is told something, where it can be. */
  constructor(own: PeerConfig, means?: ContractDriver) {
    this.#own = own;
    this.#means = means;
    // A lane before this one may have left it with that of a test.
    this.#has = means ? "not known" : "own";
  }

  begin(test: string): void {
    this.#means?.begin(test);
  }

  /** @throws DriverUnsupported where it would have to be configured otherwise than it is */
  async configure(config: PeerConfig): Promise<void> {
    const others = differences(this.#own, config);
    if (others.length > 0) return this.#tellOther(config, others.join(", "));
    if (this.#has === "own") return this.reset();
    await this.#tellOwn();
  }

  async #tellOther(config: PeerConfig, names: string): Promise<void> {
    if (!this.#means) throw new DriverUnsupported(`nobody can tell a peer at an address: ${names}`);
    const had = this.#has;
    // From here on, whatever comes of it: a late answer or a fault may be of one that took it.
    this.#has = "another";
    await this.#means.configure(config).catch((error: unknown) => {
      if (!(error instanceof DriverUnsupported)) throw error;
      this.#has = had;
      throw new DriverUnsupported(`nobody can tell a peer at an address: ${names} (${error.message})`);
    });
  }

  /** One that nobody can configure has its own, as long as it was told no other. */
  async #tellOwn(): Promise<void> {
    try {
      await this.#means?.configure(this.#own);
      this.#has = "own";
    } catch (error) {
      if (!(error instanceof DriverUnsupported)) throw error;
      if (this.#has === "another")
        throw new DriverUnsupported(
          `nobody can tell a peer at an address its own configuration again: ${error.message}`,
        );
      this.#has = "own";
      await this.reset();
    }
  }

  initiate = (): Promise<void> => this.#means?.initiate() ?? cannot("begin");
  rekeyIke = (): Promise<void> => this.#means?.rekeyIke() ?? cannot("rekey");
  rekeyChild = (): Promise<void> => this.#means?.rekeyChild() ?? cannot("rekey");
  delete = (what: "ike" | "child"): Promise<void> => this.#means?.delete(what) ?? cannot("delete");

  sendTraffic(options: Parameters<Driver["sendTraffic"]>[0]): Promise<void> {
    return this.#means?.sendTraffic(options) ?? cannot("send");
  }

  /** Where nothing is known of it, nothing is held against it. */
  async status(): Promise<PeerStatus> {
    return this.#means?.status() ?? { alive: true, ikeSas: [], childSas: [] };
  }

  /** What cannot be told to forget is left as it is. */
  async reset(): Promise<void> {
    await this.#means?.reset().catch((error: unknown) => {
      if (!(error instanceof DriverUnsupported)) throw error;
    });
  }

  logs = async (): Promise<string> => (await this.#means?.logs()) ?? "";

  async markLog(): Promise<void> {
    await this.#means?.markLog();
  }

  /** It is given time to come back by itself. */
  async restart(): Promise<void> {
    await pause(LEFT_ALONE_MS);
  }

  /** It is left as it was found, if it can be. */
  async stop(): Promise<void> {
    if (this.#has === "another") await this.#tellOwn().catch(() => undefined);
    await this.#means?.stop();
  }
}

/** Names of the fields in which the wanted configuration is another. */
function differences(own: PeerConfig, wanted: PeerConfig): string[] {
  const [its, other] = [new Map(Object.entries(own)), new Map(Object.entries(wanted))];
  const names = new Set([...its.keys(), ...other.keys()]);
  return [...names].filter((name) => JSON.stringify(its.get(name)) !== JSON.stringify(other.get(name)));
}
