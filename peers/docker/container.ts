/** A container of one of our images at the peer's end of a lane's wire. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError, requireRoot } from "../runtime/errors.ts";
import type { LaneOptions } from "../runtime/host.ts";
import { createLaneNetwork, type LaneNetwork, removeLaneNetwork } from "../runtime/network.ts";
import { laneFolderBase, PREFIX, type Registry, removeFolder } from "../runtime/registry.ts";
import { AgentMachine, BEGIN, SHARED, SOCKET } from "./agent.ts";
import { ownContainer, pidOf, removeContainer, startContainer } from "./engine.ts";
import { layBridge, plugIn } from "./wire.ts";

/** A container as a lane has it. */
export interface Container {
  machine: AgentMachine;
  network: LaneNetwork;
  /** Ends the container and starts another one. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

/** One name for each lane of each run of each process. */
export const containerName = ({ runId, lane }: LaneOptions): string =>
  `${PREFIX}${runId}-${lane}-${process.pid}`;

/**
 * Starts a container for a lane; who kills this process ends it, too.
 * @throws LabError; nothing is left then
 */
export async function openContainer(
  image: string,
  options: LaneOptions & { registry: Registry },
): Promise<Container> {
  requireRoot("a container at the end of a lane's wire");
  const { registry, runId, lane, network: given } = options;
  const name = containerName(options);
  const folder = mkdtempSync(join(laneFolderBase(), PREFIX));
  registry.addFolder(folder);
  const network = given ?? (await createLaneNetwork(registry, runId, lane));
  const machine = new AgentMachine();
  const renew = async () => {
    machine.hangUp();
    await removeContainer(name);
    rmSync(join(folder, SOCKET), { force: true });
    await startContainer(runArguments(image, name, folder));
    const pid = await pidOf(name);
    if (!pid) throw new LabError("start-failed", `the container of ${image} ended at once`);
    await plugIn(network, pid);
    await machine.connectTo(join(folder, SOCKET));
  };
  const stop = async () => {
    machine.hangUp();
    await removeContainer(name);
    if (!given) await removeLaneNetwork(registry, network);
    removeFolder(folder);
    registry.remove({ folder });
  };
  try {
    await layBridge(network);
    await renew();
  } catch (error) {
    await stop();
    throw error;
  }
  return { machine, network, renew, stop };
}

const runArguments = (image: string, name: string, folder: string): string[] => [
  ...[...ownContainer(name), "--volume", `${folder}:${SHARED}`, image],
  ...["perl", BEGIN, "once", "listen", `${SHARED}/${SOCKET}`],
];
