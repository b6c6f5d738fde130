/** Runs a daemon in a network namespace with a private view of its root file system. */
import { mkdirSync, mkdtempSync, readlinkSync } from "node:fs";
import { open, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { pidsOf, resourcesHere } from "./daemon-resources.ts";
import { requireRoot } from "./errors.ts";
import type { DaemonHost, StartContext } from "./host.ts";
import { createLaneNetwork, inNamespace, type LaneNetwork, pidsIn, removeLaneNetwork } from "./network.ts";
import { run, type Supervised, supervise } from "./process.ts";
import { kill, laneFolderBase, PREFIX, type Registry, removeFolder } from "./registry.ts";

const SCRIPT = join(import.meta.dirname, "netns-daemon.sh");

/** How long a killed daemon may take to be gone, ms. */
const DEATH_MS = 3000;

/** A lane in network namespaces. `stop` ends it and removes what was made for it. */
export interface NetnsLane extends DaemonHost {
  readonly network: LaneNetwork;
  stop(): Promise<void>;
}

/**
 * Makes the lane's folder and, where none was given, its namespaces. The daemon is started by `boot`.
 * @throws LabError `no-root` or `network`
 */
export async function createNetnsLane(context: StartContext, argv: string[], env: Record<string, string>) {
  requireRoot(`a network namespace for ${context.definition.name}`);
  const { registry, runId, lane, network } = context.options;
  const folder = mkdtempSync(join(laneFolderBase(), PREFIX));
  registry.addFolder(folder);
  mkdirSync(join(folder, "root"));
  try {
    const names = network ?? (await createLaneNetwork(registry, runId, lane));
    return netnsLane({ folder, names, owned: !network, rootfs: context.rootfs, registry, argv, env });
  } catch (error) {
    removeFolder(folder);
    registry.remove({ folder });
    throw error;
  }
}

interface Parts {
  folder: string;
  names: LaneNetwork;
  /** Whether the namespaces were made here, and so go with the lane. */
  owned: boolean;
  rootfs: string;
  registry: Registry;
  argv: string[];
  env: Record<string, string>;
}

function netnsLane({ folder, names, owned, rootfs, registry, argv, env }: Parts): NetnsLane {
  let daemon: Supervised | undefined;
  /** Processes of the daemon; to be found again after a start. */
  let pids: number[] = [];
  const halt = async () => {
    if (!daemon) return;
    await endAll(names.peer, daemon);
    registry.remove({ pid: daemon.pid });
  };
  return {
    network: names,
    async boot() {
      await halt();
      pids = [];
      const unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
      const command = [...unshare, "sh", SCRIPT, rootfs, folder, ...argv];
      daemon = supervise(inNamespace(names.peer, command), env);
      registry.addProcess(daemon.pid);
    },
    halt,
    exit() {
      const how = daemon ? daemon.exit() : "not started";
      return how && `${how} ${daemon?.output().trim().split("\n").slice(-3).join(" / ") ?? ""}`.trim();
    },
    async resources(programs) {
      if (pids.length === 0) pids = pidsOf(await pidsIn(names.peer), programs);
      return resourcesHere(pids);
    },
    run: (command, options) => run(inNamespace(names.peer, ["chroot", rootfs, ...command]), options),
    connect: (name) => connect(join(folder, name)),
    ...laneFiles(folder),
    async stop() {
      await halt();
      if (owned) await removeLaneNetwork(registry, names);
      removeFolder(folder);
      registry.remove({ folder });
    },
  };
}

/** The lane's folder is bound into the daemon's view: its files are at hand. */
function laneFiles(folder: string): Pick<DaemonHost, "write" | "size" | "read"> {
  const path = (name: string) => join(folder, name);
  return {
    write: (name, text) =>
      text === undefined ? rm(path(name), { force: true }) : writeFile(path(name), text),
    size: (name) =>
      stat(path(name)).then(
        (found) => found.size,
        () => 0,
      ),
    async read(name, from) {
      const file = await open(path(name)).catch(() => undefined);
      if (!file) return "";
      try {
        const length = Math.max(0, (await file.stat()).size - from);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
        return buffer.toString("utf8", 0, bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

/** Identity of the process namespace that a process is in; undefined when it is gone. */
function processNamespace(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/**
 * Kills what is in the daemon's own process namespace. `unshare` ends by itself after that: then the whole of it is
 * gone and the ports are free.
 */
async function endAll(namespace: string, daemon: Supervised): Promise<void> {
  if (daemon.exit()) return;
  const late = setTimeout(() => daemon.kill(), DEATH_MS);
  const own = processNamespace("self");
  for (const pid of await pidsIn(namespace)) {
    const other = processNamespace(pid);
    if (other && other !== own) kill(pid);
  }
  await daemon.ended;
  clearTimeout(late);
}
