/** Two honest hosts on a network in memory: what property tests and benchmarks run. */
import type { PeerConfig } from "../../peers/contract.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import {
  type FragmentationOptions,
  fragmentation,
  ordinaryFragmentation,
} from "../extensions/fragmentation.ts";
import { postQuantum } from "../extensions/post-quantum.ts";
import type { Extension } from "../ike/hooks.ts";
import type { Policy } from "../ike/policy.ts";
import { type Impairment, MemoryNetwork } from "../link/memory.ts";
import type { Address } from "../link/types.ts";
import { pki } from "../pki/pki.ts";
import { Host, type HostEvent } from "../script/host.ts";
import { materialFor, policyFor } from "../script/policy.ts";
import { ordinaryConfig } from "./config.ts";

export interface PairOptions {
  seed: string;
  impairment?: Partial<Impairment>;
  config?: Partial<PeerConfig>;
  /** Changes to the policies of the two ends. */
  policies?: { a?: Partial<Policy>; b?: Partial<Policy> };
  /** Changes to the ordinary values; not set: no end announces fragmentation. */
  fragmentation?: Partial<FragmentationOptions>;
  /** Further extensions of an end. */
  extensions?(end: "a" | "b"): Extension[];
  event?(end: "a" | "b", event: HostEvent): void;
}

export interface Pair {
  network: MemoryNetwork;
  a: Host;
  b: Host;
  addresses: { a: Address; b: Address };
}

export const PAIR_ADDRESSES = { a: { host: "192.0.2.1", port: 500 }, b: { host: "192.0.2.2", port: 500 } };

/** Makes both ends, idle. `a` stands where the tester stands, `b` where the peer does. */
export function makePair(options: PairOptions): Pair {
  const random = seededRandom(options.seed);
  const network = new MemoryNetwork(random.fork("network"), options.impairment);
  const addresses = PAIR_ADDRESSES;
  const config = { ...ordinaryConfig(addresses.b, addresses.a), ...options.config };
  const make = (end: "a" | "b"): Host =>
    new Host({
      policy: { ...policyFor(config, end === "a" ? "tester" : "peer"), ...options.policies?.[end] },
      extensions: [
        ...(options.fragmentation
          ? [fragmentation({ ...ordinaryFragmentation, ...options.fragmentation })]
          : []),
        ...postQuantum({ codePoints: config.codePoints }),
        ...(options.extensions?.(end) ?? []),
      ],
      esp: [],
      random: random.fork(end),
      clock: network.clock,
      link: network.attach(addresses[end].host),
      ...{ natPort: 4500, remoteNatPort: 4500, answersEcho: true },
      event: (event) => options.event?.(end, event),
    });
  return { network, a: make("a"), b: make("b"), addresses };
}

/** Policies of two ends that prove themselves as this configuration of `b` says, with their keys and certificates. */
export async function authenticated(config: Partial<PeerConfig>): Promise<{ a: Policy; b: Policy }> {
  const whole = { ...ordinaryConfig(PAIR_ADDRESSES.b, PAIR_ADDRESSES.a), ...config };
  const policyOf = async (side: "tester" | "peer"): Promise<Policy> =>
    policyFor(whole, side, await materialFor(whole, side, pki));
  return { a: await policyOf("tester"), b: await policyOf("peer") };
}
