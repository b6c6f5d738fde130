/** The services of docker-compose.yml as peers: they run already, and their agents listen in a folder that all share. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../runtime/errors.ts";
import { ADDRESSES } from "../runtime/network.ts";
import { AgentMachine, SOCKET } from "./agent.ts";

/** Where their sockets are; undefined outside of docker-compose.yml, where every lane has containers of its own. */
export const servicesFolder = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env.BAKEOFF_SERVICES || undefined;

const socketOf = (name: string, version: string): string =>
  join(servicesFolder() ?? "", `${name}-${version}`, SOCKET);

/** Why this version of a peer is not to be had; undefined where it is. */
export function serviceProblem(name: string, version: string): LabError | undefined {
  if (existsSync(socketOf(name, version))) return undefined;
  const advice = `run: docker compose up --detach ${name}-${version}`;
  return new LabError("not-installed", `the service ${name}-${version} does not run`, advice);
}

/** The addresses by which the container, or the guest in it, is on the network it shares with us. */
const OWN = `
address() {
  for device in eth0 vec0; do ip -o "$1" address show dev $device scope global 2>/dev/null; done |
    awk '{ split($4, part, "/"); print part[1]; exit }'
}
address -4; address -6`;

/** Connects to its agent, which ends what it ran for another run. @throws LabError */
export async function openService(name: string, version: string) {
  const machine = new AgentMachine();
  const renew = () => machine.connectTo(socketOf(name, version));
  const stop = async () => machine.hangUp();
  try {
    await renew();
    const [peer = "", peer6 = ""] = (await machine.must(["/bin/sh", "-c", OWN])).trim().split("\n");
    if (!peer) throw new LabError("network", `the service ${name}-${version} has no address`);
    const six = peer6 ? { tester6: ADDRESSES.tester6, peer6 } : {};
    return { machine, renew, stop, ends: { tester: ADDRESSES.tester, peer, ...six } };
  } catch (error) {
    await stop();
    throw error;
  }
}
