/** Where a test takes place: a world with a peer in it. Made anew for every test by the lane. */
import type { Driver, PeerConfig } from "../../peers/contract.ts";
import type { Random } from "../crypto/types.ts";
import type { Extension } from "../ike/hooks.ts";
import type { Policy } from "../ike/policy.ts";
import type { Address, Link, World } from "../link/types.ts";

export interface Arena {
  world: World;
  random: Random;
  link: Link;
  driver: Driver;
  /** What the peer was told. */
  config: PeerConfig;
  /** Our policy, which mirrors that; a fresh one at every call. */
  policy(): Policy;
  /** Our IKE address and the peer's, and the ports with the non-ESP marker. */
  local: Address;
  remote: Address;
  natPort: number;
  remoteNatPort: number;
  /** A second address of ours, to try what a stranger can do. Not set where there is none. */
  stranger?: Address;
  /** One more host of ours, with a link of its own. Not set where there can be none. */
  further?(host: string): Link;
  /** Hosts behind both ends, which the traffic inside of ESP is between. */
  inner: { tester: string; peer: string };
  /** Why nobody behind the peer answers ICMP echo requests, where that was found out. Not set: somebody does. */
  noEcho?: string;
  /** True where time is not real, so that a wait costs nothing. */
  virtual?: boolean;
  /** How long an answer may take, in milliseconds of this world's clock. */
  patience: number;
  /** How long silence is watched for. */
  quiet: number;
  /** Must be called after each event where time is real; in memory it does nothing. */
  poke(): void;
  /** True if ESP can travel as IP protocol 50. */
  rawEsp: boolean;
  /** What our end says and decides otherwise for ESP to take this way. Not set: nothing. */
  extensions?: readonly Extension[];
}
