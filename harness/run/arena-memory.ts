/** The builtin peer in memory under virtual time: no sockets, no root, and the same run for the same seed. */

import { findLie } from "../../peers/builtin/lies/index.ts";
import type { Planted } from "../../peers/builtin/lies/lie.ts";
import { BuiltinPeer } from "../../peers/builtin/peer.ts";
import { findVariant } from "../../peers/builtin/variants.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import { type Impairment, MemoryNetwork } from "../link/memory.ts";
import type { Address } from "../link/types.ts";
import { pki } from "../pki/pki.ts";
import type { Arena } from "../script/arena.ts";
import { materialFor, policyFor } from "../script/policy.ts";
import type { ArenaWishes } from "../script/test.ts";
import { configFor, innerHosts } from "./config.ts";

export interface MemoryOptions {
  seed: string;
  /** By its name, or one made for a test. */
  lie?: string | Planted;
  variant?: string;
  impairment?: Partial<Impairment>;
}

const HOSTS = {
  4: { tester: "192.0.2.1", peer: "192.0.2.2", stranger: "192.0.2.3" },
  6: { tester: "2001:db8::1", peer: "2001:db8::2", stranger: "2001:db8::3" },
} as const;

/** Every host is in this group (RFC 1112). */
const ALL_HOSTS = "224.0.0.1";

/** Over TCP, 4500 is the port for IKE and ESP (RFC 9329 section 2). */
const ikeAddress = (host: string, transport: PeerConfig["transport"]): Address =>
  transport ? { host, port: 4500, transport } : { host, port: 500 };

/** A fresh network with a configured builtin peer in it. */
export async function memoryArena(
  wishes: ArenaWishes,
  options: MemoryOptions,
): Promise<Arena & { driver: BuiltinPeer }> {
  const random = seededRandom(options.seed);
  const network = new MemoryNetwork(random.fork("network"), options.impairment);
  const { tester, peer, stranger } = HOSTS[wishes.outer ?? 4];
  const at = (host: string) => ikeAddress(host, wishes.config?.transport);
  const [local, remote] = [at(tester), at(peer)];
  const ports = { natPort: 4500, remoteNatPort: 4500 };
  const link = network.attach(peer);
  link.join?.(ALL_HOSTS);
  const driver = new BuiltinPeer({
    ...ports,
    clock: network.clock,
    random: random.fork("peer"),
    link,
    lie: typeof options.lie === "string" ? findLie(options.lie) : options.lie,
    variant: options.variant === undefined ? undefined : findVariant(options.variant),
  });
  const config = configFor(remote, local, wishes);
  await driver.configure(config);
  const material = await materialFor(config, "tester", pki);
  return {
    ...ports,
    ...{ world: network, random: random.fork("tester"), link: network.attach(tester, stranger) },
    ...{
      driver,
      config,
      policy: () => policyFor(config, "tester", material),
      local,
      remote,
      stranger: at(stranger),
      further: (host: string) => network.attach(host),
      inner: innerHosts(config, wishes),
    },
    ...{ patience: 40_000, quiet: 3_000, poke: () => {}, rawEsp: true, virtual: true },
  };
}
