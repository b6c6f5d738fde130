/** The builtin peer in memory under virtual time: no sockets, no root, and the same run for the same seed. */

import { findLie } from "../../peers/builtin/lies/index.ts";
import { BuiltinPeer } from "../../peers/builtin/peer.ts";
import { findVariant } from "../../peers/builtin/variants.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import { type Impairment, MemoryNetwork } from "../link/memory.ts";
import type { Arena } from "../script/arena.ts";
import { configFor, innerHosts } from "./config.ts";

export interface MemoryOptions {
  seed: string;
  lie?: string;
  variant?: string;
  impairment?: Partial<Impairment>;
}

const TESTER = "192.0.2.1";
const PEER = "192.0.2.2";
const STRANGER = "192.0.2.3";

/** A fresh network with a configured builtin peer in it. */
export async function memoryArena(
  changes: Partial<PeerConfig> = {},
  options: MemoryOptions,
): Promise<Arena & { driver: BuiltinPeer }> {
  const random = seededRandom(options.seed);
  const network = new MemoryNetwork(random.fork("network"), options.impairment);
  const local = { host: TESTER, port: 500 };
  const remote = { host: PEER, port: 500 };
  const ports = { natPort: 4500, remoteNatPort: 4500 };
  const driver = new BuiltinPeer({
    ...ports,
    clock: network.clock,
    random: random.fork("peer"),
    link: network.attach(PEER),
    lie: options.lie === undefined ? undefined : findLie(options.lie),
    variant: options.variant === undefined ? undefined : findVariant(options.variant),
  });
  const config = configFor(remote, local, changes);
  await driver.configure(config);
  return {
    ...ports,
    ...{ world: network, random: random.fork("tester"), link: network.attach(TESTER, STRANGER) },
    ...{ driver, config, local, remote, stranger: { host: STRANGER, port: 500 }, inner: innerHosts(config) },
    ...{ patience: 40_000, quiet: 3_000, poke: () => {}, rawEsp: true },
  };
}
