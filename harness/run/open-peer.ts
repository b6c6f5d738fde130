import { findPeer } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import { type LivePeer, memoryPeer } from "./live-peer.ts";
import { tool } from "./tool.ts";

/** Starts the peer of a lane. @throws LabError */
export async function openPeer(order: LaneOrder): Promise<LivePeer> {
  const { runtime } = findPeer(order.peer);
  if (runtime === "memory") return memoryPeer(order, tool().version);
  throw new LabError("no-runtime", `${order.peer} cannot be started`);
}
