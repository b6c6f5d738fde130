/** Two network namespaces and the wire between them: all that one lane sends stays there. */

import { LabError } from "./errors.ts";
import { must, run } from "./process.ts";
import { deleteNamespace, kill, PREFIX, type Registry } from "./registry.ts";

/** Documentation addresses (RFC 5737, RFC 3849); every lane has the same ones in namespaces of its own. */
export const ADDRESSES = {
  tester: "192.0.2.1",
  peer: "192.0.2.2",
  tester6: "2001:db8::1",
  peer6: "2001:db8::2",
} as const;

/** Names of the namespaces of a lane. */
export interface LaneNetwork {
  tester: string;
  peer: string;
}

/** The names a lane's namespaces get. */
export function namespaceNames(runId: string, lane: number): LaneNetwork {
  if (!/^[A-Za-z0-9-]{1,20}$/.test(runId)) throw new LabError("network", `run id "${runId}" is no name`);
  return { tester: `${PREFIX}${runId}-${lane}-t`, peer: `${PREFIX}${runId}-${lane}-p` };
}

/** A command as it has to be started to run in a namespace. */
export function inNamespace(name: string, argv: string[]): string[] {
  return ["ip", "netns", "exec", name, ...argv];
}

/**
 * Makes a namespace with loopback up. It is in the registry before it exists.
 * @throws LabError `network`; one of this name that somebody else made is left alone
 */
export async function createNamespace(registry: Registry, name: string): Promise<void> {
  const added = registry.addNamespace(name);
  const made = await run(["ip", "netns", "add", name]);
  if (made.exit !== 0) {
    if (added) registry.remove({ namespace: name });
    throw new LabError("network", `cannot make namespace ${name}: ${made.stderr.trim()}`);
  }
  await must(["ip", "-n", name, "link", "set", "lo", "up"]);
}

/** Unnames a namespace and takes it out of the registry. */
export async function removeNamespace(registry: Registry, name: string): Promise<void> {
  await deleteNamespace(name);
  registry.remove({ namespace: name });
}

const ends = [
  ["wire-t", ADDRESSES.tester, ADDRESSES.tester6],
  ["wire-p", ADDRESSES.peer, ADDRESSES.peer6],
] as const;

/** One `ip -batch` per namespace: a process per command would cost most of the time. */
async function configureEnd(namespace: string, [link, v4, v6]: (typeof ends)[number]): Promise<void> {
  const batch = [
    `link set ${link} addrgenmode none`,
    `addr add ${v4}/24 dev ${link}`,
    `addr add ${v6}/64 dev ${link} nodad`,
    `link set ${link} up`,
  ].join("\n");
  await must(["ip", "-n", namespace, "-batch", "-"], { stdin: batch });
}

/**
 * Makes the namespaces of a lane and joins them by a veth pair.
 * @throws LabError `network`; nothing is left then
 */
export async function createLaneNetwork(
  registry: Registry,
  runId: string,
  lane: number,
): Promise<LaneNetwork> {
  const names = namespaceNames(runId, lane);
  const made: string[] = [];
  try {
    for (const name of [names.tester, names.peer]) {
      await createNamespace(registry, name);
      made.push(name);
    }
    const veth = ["type", "veth", "peer", "name", "wire-p", "netns", names.peer];
    await must(["ip", "-n", names.tester, "link", "add", "wire-t", ...veth]);
    await configureEnd(names.tester, ends[0]);
    await configureEnd(names.peer, ends[1]);
  } catch (error) {
    for (const name of made) await removeNamespace(registry, name);
    throw error;
  }
  return names;
}

/** Unnames the namespaces of a lane. */
export async function removeLaneNetwork(registry: Registry, names: LaneNetwork): Promise<void> {
  for (const name of [names.peer, names.tester]) await removeNamespace(registry, name);
}

/** Pids in a namespace. */
export async function pidsIn(namespace: string): Promise<number[]> {
  const { stdout } = await run(["ip", "netns", "pids", namespace]);
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** Ends everything that runs in a namespace. */
export async function killIn(namespace: string): Promise<void> {
  for (const pid of await pidsIn(namespace)) kill(pid);
}
