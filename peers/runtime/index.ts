/** Starts a peer in one of its runtimes. */
import type { PeerDefinition, PeerVersion, RunningPeer, RuntimeName } from "../contract.ts";
import { startInContainer } from "../docker/start.ts";
import { isInstalled, KERNEL, rootfsPath } from "../install/cache.ts";
import { startLibreswan } from "../libreswan/driver.ts";
import { startOpeniked } from "../openiked/driver.ts";
import { startInGuest } from "../strongswan/guest.ts";
import { startInNamespace } from "../strongswan/start.ts";
import { LabError } from "./errors.ts";
import type { LaneOptions, StartContext } from "./host.ts";
import { Registry } from "./registry.ts";

export { LabError } from "./errors.ts";
export type { LaneOptions } from "./host.ts";
export { createLaneNetwork, killIn, type LaneNetwork, removeLaneNetwork } from "./network.ts";
export { cleanStale, Registry } from "./registry.ts";

type Starter = (context: StartContext) => Promise<RunningPeer>;

/** How each peer is started, by runtime. */
const STARTERS: { [peer: string]: { [runtime in RuntimeName]?: Starter } } = {
  libreswan: { uml: startLibreswan, docker: startInContainer },
  openiked: { uml: startOpeniked, docker: startInContainer },
  strongswan: { netns: startInNamespace, uml: startInGuest, docker: startInContainer },
};

/**
 * Starts a peer for one lane and waits until it answers its control channel.
 * @throws LabError `not-installed`, `no-root`, `no-runtime`, `network` or `start-failed`; nothing is left then
 */
export function startPeer(
  definition: PeerDefinition,
  version: PeerVersion,
  runtime: RuntimeName,
  options: LaneOptions,
): Promise<RunningPeer> {
  const name = `${definition.name}@${version.version}`;
  const starter = STARTERS[definition.name]?.[runtime];
  if (!starter) throw new LabError("no-runtime", `${name} cannot be started in runtime ${runtime}`);
  const missing = (root: string) =>
    new LabError("not-installed", `no root file system of ${root}`, `run: npx bakeoff peers install ${name}`);
  if (runtime !== "docker" && !isInstalled(definition.name, version.version)) throw missing(name);
  if (runtime === "uml" && !isInstalled(KERNEL)) throw missing("user-mode Linux");
  return starter({
    definition,
    version,
    runtime,
    rootfs: rootfsPath(definition.name, version.version),
    options: { ...options, registry: options.registry ?? new Registry(options.runId) },
  });
}
