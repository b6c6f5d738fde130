/** Starts peers of this program in containers: ones of a lane's own, or the services of docker-compose.yml. */
import type { Driver, RunningPeer } from "../contract.ts";
import { startPluto } from "../libreswan/driver.ts";
import { OlderLibreswan } from "../libreswan/older.ts";
import { startIked } from "../openiked/driver.ts";
import type { StartContext } from "../runtime/host.ts";
import type { Machine } from "../runtime/machine.ts";
import { ADDRESSES } from "../runtime/network.ts";
import type { GuestDaemon } from "../runtime/uml.ts";
import { startCharon } from "../strongswan/guest.ts";
import { openContainer } from "./container.ts";
import { openService, servicesFolder } from "./services.ts";

/** A daemon that an agent's machine runs. */
type StartDaemon = (machine: Machine, esp: "kernel" | "userspace", version: string) => Promise<GuestDaemon>;

const DAEMONS: { [peer: string]: StartDaemon } = {
  strongswan: startCharon,
  libreswan: (machine, _esp, version) =>
    startPluto(version.startsWith("4.") ? new OlderLibreswan(machine) : machine),
  openiked: startIked,
};

/** The image of a version of a peer, as docker-compose.yml names it. */
export const imageOf = (name: string, version: string): string => `ipsec-bakeoff/${name}:${version}`;

/** Tries to give the kernel an ESP SA: without the module for ESP it takes none. */
const KERNEL_ESP = `
set -e
sa="src ${ADDRESSES.peer} dst ${ADDRESSES.tester} proto esp spi 0x1000"
ip xfrm state add $sa mode tunnel aead 'rfc4106(gcm(aes))' 0x$(printf %040d 1) 128
ip xfrm state delete $sa`;

/** What has no Security Association goes out in clear, where the capture shows it. */
const ROUTES = `
ip route replace default via ${ADDRESSES.tester}
ip -6 route replace default via ${ADDRESSES.tester6} || true`;

/** Prepares the network of a machine that has just come up, and finds out whose ESP it has. @throws LabError */
async function settle(machine: Machine): Promise<"kernel" | "userspace"> {
  const { exit } = await machine.run(["/bin/sh", "-c", KERNEL_ESP]);
  if (exit !== 0) return "userspace";
  await machine.must(["/bin/sh", "-c", ROUTES]);
  return "kernel";
}

/**
 * Starts the daemon in a container, with the kernel's ESP where that has it.
 * @throws LabError; nothing is left then
 */
export async function startInContainer(context: StartContext): Promise<RunningPeer> {
  const { definition, version, options } = context;
  const start = DAEMONS[definition.name];
  if (!start) throw new Error(`no container of ${definition.name} was asked for`);
  const place = servicesFolder()
    ? await openService(definition.name, version.version)
    : { ...(await openContainer(imageOf(definition.name, version.version), options)), ends: ADDRESSES };
  const { machine, ends, stop } = place;
  const renew = async () => {
    await place.renew();
    await settle(machine);
  };
  try {
    const esp = await settle(machine);
    const daemon = await start(machine, esp, version.version);
    return {
      ...{ driver: daemon.driver, version: daemon.version, rawEsp: esp === "kernel" },
      ...("network" in place && { testerNamespace: place.network.tester }),
      ...ends,
      restart: () => restart(machine, renew, daemon),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A container that still answers keeps running. */
async function restart(
  machine: Machine,
  renew: () => Promise<void>,
  daemon: { restart: () => Promise<void>; driver: Driver },
) {
  try {
    await machine.run(["true"], { timeoutMs: 2_000 });
  } catch {
    await renew();
  }
  await daemon.restart();
}
