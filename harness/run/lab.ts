/** What a run needs of the machine: root, root file systems, namespaces; and that nothing of it is left. */
import { type ChosenPeer, peerName } from "../../peers/definition.ts";
import { engineProblem, hasImage } from "../../peers/docker/engine.ts";
import { serviceProblem, servicesFolder } from "../../peers/docker/services.ts";
import { imageOf } from "../../peers/docker/start.ts";
import { isInstalled, KERNEL } from "../../peers/install/cache.ts";
import { commandLine, LabError } from "../../peers/runtime/errors.ts";
import {
  cleanStale,
  createLaneNetwork,
  killIn,
  type LaneNetwork,
  Registry,
  removeLaneNetwork,
} from "../../peers/runtime/index.ts";
import { probeRawEsp } from "../link/raw-socket.ts";

/** Whether a peer lives in namespaces, which only root can make. */
export const needsNetwork = ({ runtime }: ChosenPeer): boolean =>
  runtime === "netns" || runtime === "uml" || (runtime === "docker" && !servicesFolder());

/** One of docker-compose.yml's: there is one of it, and our end has the one address. */
const isService = ({ runtime }: ChosenPeer): boolean => runtime === "docker" && !!servicesFolder();

/** A guest's kernel sends ESP as IP protocol 50. @throws LabError where this process cannot do the same */
async function checkRawEsp(peer: ChosenPeer): Promise<void> {
  const raw = await probeRawEsp(4);
  if (raw === true) return;
  throw new LabError("missing-tool", `${peerName(peer)} needs raw ESP: ${raw.reason}`, `run: ${raw.remedy}`);
}

/** @throws LabError */
function checkService({ definition, version, external }: ChosenPeer): void {
  const advice = "name it as a service, or run outside of docker compose";
  const problem = external
    ? new LabError("no-runtime", `${definition.name}: docker compose has no engine to start it with`, advice)
    : serviceProblem(definition.name, version.version);
  if (problem) throw problem;
}

/** @throws LabError where there is no engine or, of a peer of this program, no image */
async function checkContainer({ definition, version, external }: ChosenPeer): Promise<void> {
  const problem = await engineProblem();
  if (problem) throw problem;
  const image = imageOf(definition.name, version.version);
  if (external || (await hasImage(image))) return;
  const advice = `run: docker compose build ${definition.name}-${version.version}`;
  throw new LabError("not-installed", `no image ${image}`, advice);
}

/** @throws LabError for the first of these peers that cannot be run here, with the command that helps */
export async function checkLab(peers: readonly ChosenPeer[]): Promise<void> {
  for (const peer of peers) {
    if (isService(peer)) checkService(peer);
    if (!needsNetwork(peer)) continue;
    const name = `${peer.definition.name}@${peer.version.version}`;
    if (process.geteuid?.() !== 0) {
      throw new LabError("no-root", `${peerName(peer)} needs root`, `run: ${commandLine()}`);
    }
    if (peer.runtime === "docker") await checkContainer(peer);
    if (peer.external || peer.runtime === "docker") continue;
    const there = isInstalled(peer.definition.name, peer.version.version);
    const missing = there ? (peer.runtime === "uml" && !isInstalled(KERNEL) ? "user-mode Linux" : "") : name;
    if (missing)
      throw new LabError(
        "not-installed",
        `no root file system of ${missing}`,
        `run: npx bakeoff peers install ${name}`,
      );
    if (peer.runtime === "uml") await checkRawEsp(peer);
  }
}

export interface Lab {
  runId: string;
  /** Runs `work` with the namespaces a peer needs, and takes them away after it. */
  withNetwork(peer: ChosenPeer, lane: number, work: (network?: LaneNetwork) => Promise<void>): Promise<void>;
  /** Takes away what processes that were killed have left. */
  clean(): Promise<void>;
  /** Cleans for the last time. */
  close(): Promise<void>;
}

/** Cleans up after runs that were killed, and opens a lab of its own. */
export async function openLab(runId: string): Promise<Lab> {
  const root = process.geteuid?.() === 0;
  const clean = async () => {
    if (root) await cleanStale();
  };
  await clean();
  const registry = new Registry(runId);
  // A second Ctrl-C waits for nothing.
  const atExit = () => registry.unnameAll();
  process.once("exit", atExit);
  let turn: Promise<void> = Promise.resolve();
  return {
    runId,
    async withNetwork(peer, lane, work) {
      if (isService(peer)) {
        const mine = turn.then(() => work());
        turn = mine.catch(() => {});
        return mine;
      }
      if (!needsNetwork(peer)) return work();
      const network = await createLaneNetwork(registry, runId, lane);
      try {
        await work(network);
      } finally {
        await clean();
        // Without its name nobody would find what is left in there.
        await killIn(network.peer);
        await removeLaneNetwork(registry, network);
      }
    },
    clean,
    async close() {
      await clean();
      process.off("exit", atExit);
    },
  };
}
