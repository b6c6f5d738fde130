/** A peer to fuzz, in whatever runtime, as one lane holds it. */

import type { PeerOrder } from "../../harness/run/lane-protocol.ts";
import { openPeer } from "../../harness/run/open-peer.ts";
import type { Arena } from "../../harness/script/arena.ts";
import type { Driver, PeerRole } from "../../peers/contract.ts";
import type { PeerInfo } from "../../reports/results.ts";
import { Player } from "../play/player.ts";
import type { Setup } from "../setups.ts";

export interface FuzzLane {
  info: PeerInfo;
  /** Milliseconds since 1970 at which the arenas' clock showed zero. */
  epochMs: number;
  /** Not set before the first arena where every arena has a peer of its own. */
  driver(): Driver | undefined;
  /**
   * The peer told what the setup says, fresh, and an arena with it. It is configured anew only where that is not what
   * it was told before. `label` seeds a peer whose randomness is ours.
   */
  arena(setup: Setup, peer: PeerRole, label: string): Promise<Arena>;
  /** What plays cases on such an arena. */
  prepare(setup: Setup, peer: PeerRole, label: string): Promise<Player>;
  /** Brings the peer back after a crash or a hang. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The lane of one peer in this process. @throws LabError; nothing is left then */
export async function openLane(order: PeerOrder): Promise<FuzzLane> {
  const peer = await openPeer(order);
  const arena: FuzzLane["arena"] = ({ name, wishes }, role, label) =>
    peer.arena(`${name}/${role}/${label}`, wishes);
  return {
    get info() {
      return peer.info;
    },
    epochMs: peer.epochMs,
    driver: () => peer.driver(),
    arena,
    prepare: async (setup, role, label) => new Player(await arena(setup, role, label), { peer: role }),
    restart: () => peer.restart(),
    stop: () => peer.stop(),
  };
}
