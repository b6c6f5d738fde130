/** The driver of a peer that nobody here can tell anything: what it would have to be told is `unsupported`. */
import { setTimeout as pause } from "node:timers/promises";
import { type Driver, DriverUnsupported, type PeerConfig, type PeerStatus } from "../contract.ts";

/** How long one that does not answer is left alone, in the place of a restart. */
const LEFT_ALONE_MS = 2_000;

const cannot = (what: string): Promise<never> =>
  Promise.reject(new DriverUnsupported(`a peer at an address cannot be made to ${what}`));

export class AddressDriver implements Driver {
  readonly #own: PeerConfig;

  /** `own` is how its owner says that it is configured. */
  constructor(own: PeerConfig) {
    this.#own = own;
  }

  /** @throws DriverUnsupported where it would have to be configured otherwise than it is */
  async configure(config: PeerConfig): Promise<void> {
    const own = new Map(Object.entries(this.#own));
    const wanted = new Map(Object.entries(config));
    const names = new Set([...own.keys(), ...wanted.keys()]);
    const others = [...names].filter(
      (name) => JSON.stringify(own.get(name)) !== JSON.stringify(wanted.get(name)),
    );
    if (others.length === 0) return;
    throw new DriverUnsupported(`nobody can tell a peer at an address: ${others.join(", ")}`);
  }

  initiate = (): Promise<void> => cannot("begin");
  rekeyIke = (): Promise<void> => cannot("rekey");
  rekeyChild = (): Promise<void> => cannot("rekey");
  delete = (): Promise<void> => cannot("delete");
  sendTraffic = (): Promise<void> => cannot("send");

  /** Nothing is known of it, and so nothing held against it. */
  async status(): Promise<PeerStatus> {
    return { alive: true, ikeSas: [], childSas: [] };
  }

  async reset(): Promise<void> {}

  async logs(): Promise<string> {
    return "";
  }

  async markLog(): Promise<void> {}

  /** It is given time to come back by itself. */
  async restart(): Promise<void> {
    await pause(LEFT_ALONE_MS);
  }
}
