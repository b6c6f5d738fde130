/** A peer that a user's driver starts and controls: a program that speaks the verbs of the contract. */
import { z } from "zod";
import { ContractDriver } from "../../peers/contract-driver.ts";
import { openLines } from "../../peers/program/lines.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { ADDRESSES, inNamespace, killIn } from "../../peers/runtime/network.ts";
import { CONTRACT } from "../../peers/verbs.ts";
import { joined } from "../link/joined.ts";
import { openTcp } from "../link/tcp.ts";
import type { Address } from "../link/types.ts";
import { openUdp } from "../link/udp.ts";
import { socketPeer } from "./arena-sockets.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import { type LivePeer, peerInfo, withTunnel } from "./live-peer.ts";
import { overTheWire } from "./over-the-wire.ts";

export const programSchema = z.strictObject({
  argv: z.array(z.string()).min(1),
  /** Where it is started. */
  folder: z.string(),
});
export type Program = z.infer<typeof programSchema>;

const LOOPBACK = "127.0.0.1";
const IKE = 500;
const MARKED = 4500;

/** In the peer's namespace of a network if there is one, else on loopback. @throws LabError; nothing is left then */
export function openProgram(order: PeerOrder, program: Program, signal?: AbortSignal): Promise<LivePeer> {
  return order.network
    ? inNetwork(order, program, order.network.peer, signal)
    : onLoopback(order, program, signal);
}

/** The program's folder is where relative names in it are seen from. */
const commandOf = ({ argv, folder }: Program): string[] => [
  ...["sh", "-c", 'cd "$0" && exec "$@"', folder],
  ...argv,
];

/** The driver of a program that has the namespace to itself. */
export function driverIn(namespace: string, program: Program): ContractDriver {
  const ports = { port: IKE, natPort: MARKED };
  return new ContractDriver({
    async open(said) {
      // The daemon that a driver before has left behind has the ports.
      await killIn(namespace);
      return openLines(inNamespace(namespace, commandOf(program)), said);
    },
    hello: {
      ...{ verb: "hello", contract: CONTRACT },
      tester: { host: ADDRESSES.tester, ...ports },
      peer: { host: ADDRESSES.peer, ...ports },
    },
  });
}

async function inNetwork(
  order: PeerOrder,
  program: Program,
  namespace: string,
  signal?: AbortSignal,
): Promise<LivePeer> {
  const driver = driverIn(namespace, program);
  const stop = async () => {
    await driver.stop();
    await killIn(namespace);
  };
  const restart = () => driver.restart();
  try {
    await driver.start(signal);
    const rawEsp = driver.about.esp === "raw";
    const running = { driver, version: told(driver), rawEsp, restart, stop, ...ADDRESSES };
    return withTunnel(await overTheWire(order, running));
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the driver says of its implementation. */
const told = ({ about }: ContractDriver): string =>
  [about.name, about.version].filter(Boolean).join(" ") || "not known";

async function onLoopback(order: PeerOrder, program: Program, signal?: AbortSignal): Promise<LivePeer> {
  const udp = await openUdp([LOOPBACK, LOOPBACK, LOOPBACK].map((host) => ({ host, port: 0 })));
  const tcp = await openTcp({ listen: [{ host: LOOPBACK, port: 0 }] });
  const link = joined(udp, tcp);
  const [local, marked, stranger] = udp.addresses;
  if (!local || !marked || !stranger) throw new Error("three sockets were asked for");
  const driver = new ContractDriver({
    open: async (said) => openLines(commandOf(program), said),
    hello: {
      ...{ verb: "hello", contract: CONTRACT },
      tester: { host: LOOPBACK, port: local.port, natPort: marked.port },
      peer: { host: LOOPBACK, port: 0, natPort: 0 },
    },
  });
  const stop = () => driver.stop();
  try {
    await driver.start(signal);
    const { port, natPort } = driver.about.peer ?? {};
    if (port === undefined || natPort === undefined)
      throw new LabError(
        "start-failed",
        `${order.id}: its hello names no ports, which a peer on loopback must`,
      );
    const remote: Address = { host: LOOPBACK, port };
    const peer = socketPeer({
      ...{ info: peerInfo(order, told(driver)), driver, link, seed: order.seed },
      ends: { 4: { local, remote, stranger } },
      ...{ natPort: marked.port, remoteNatPort: natPort, rawEsp: false },
      restart: () => driver.restart(),
      stop,
    });
    return withTunnel(peer);
  } catch (error) {
    await stop();
    await link.close();
    throw error;
  }
}
