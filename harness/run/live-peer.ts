/** A peer as its lane holds it, whatever the runtime. */

import type { BuiltinPeer } from "../../peers/builtin/peer.ts";
import { findPeer } from "../../peers/definition.ts";
import type { PeerInfo } from "../../reports/results.ts";
import type { CodePointOverrides } from "../wire/documents/code-point.ts";
import { memoryArena } from "./arena-memory.ts";
import type { LanePeer } from "./lane.ts";
import type { LaneOrder } from "./lane-protocol.ts";

export interface LivePeer extends LanePeer {
  info: PeerInfo;
  /** Milliseconds since 1970 at which the arenas' clock showed zero. */
  epochMs: number;
  /** Told what was found out of its tunnel. Absent where that is known. Gives undefined. */
  tunnel?(found: Tunnel): undefined;
  stop(): Promise<void>;
}

export interface Tunnel {
  /** Why nobody answers echo requests through it; not set: somebody does. */
  noEcho?: string;
  /** ESP came as IP protocol 50, so that it can. */
  rawEsp: boolean;
}

type Named = Pick<LaneOrder, "id"> & Partial<Pick<LaneOrder, "peer" | "external">>;

/** What a peer is called in results; `fullVersion` is the daemon's own word. */
export function peerInfo(order: Named, fullVersion: string): PeerInfo {
  if (order.external) return { ...order.external, id: order.id, fullVersion };
  const { definition, version, runtime } = findPeer(order.peer ?? "");
  return { id: order.id, name: definition.name, version: version.version, runtime, fullVersion };
}

/** Virtual time begins at this moment in every capture, so that two runs from one seed give the same files. */
const VIRTUAL_EPOCH = Date.UTC(2026, 0, 1);

/** The builtin peer in memory: a fresh one for each test. */
export function memoryPeer(
  order: Pick<LaneOrder, "peer" | "id" | "seed" | "lie" | "variant">,
  toolVersion: string,
): LivePeer {
  let driver: BuiltinPeer | undefined;
  const { seed, lie, variant } = order;
  return {
    id: order.id,
    // Read from files, which the square, of a peer a run, does without.
    get info() {
      return peerInfo(order, `ipsec-bakeoff ${toolVersion}`);
    },
    epochMs: VIRTUAL_EPOCH,
    driver: () => driver,
    async arena(test, wishes) {
      const arena = await memoryArena(wishes, { seed: `${seed}/${test}`, lie, variant });
      driver = arena.driver;
      return arena;
    },
    restart: async () => {},
    stop: async () => {},
  };
}

/** The peer, in whose arenas these numbers of its definition hold unless a test wants others. */
export const withCodePoints = (peer: LivePeer, codePoints: CodePointOverrides): LivePeer => ({
  ...peer,
  arena(test, { config, ...wishes }) {
    const numbers = { ...codePoints, ...config?.codePoints };
    const told = Object.keys(numbers).length > 0 ? { codePoints: numbers } : {};
    return peer.arena(test, { ...wishes, config: { ...config, ...told } });
  },
});

/** The peer, in whose arenas holds what is found out of its tunnel. */
export function withTunnel(peer: LivePeer): LivePeer {
  let found: Tunnel | undefined;
  return {
    ...peer,
    async arena(test, wishes) {
      const made = await peer.arena(test, wishes);
      if (!found) return made;
      const { noEcho, rawEsp } = found;
      return { ...made, rawEsp: made.rawEsp && rawEsp, ...(noEcho !== undefined && { noEcho }) };
    },
    tunnel(inside) {
      found = inside;
      return undefined;
    },
  };
}
