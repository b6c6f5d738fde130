/** Starts the peer of a lane, in whatever runtime. */
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import { type ChosenPeer, codePointsOf, findPeer } from "../../peers/definition.ts";
import { startPeer } from "../../peers/runtime/index.ts";
import { joined } from "../link/joined.ts";
import { openTcp } from "../link/tcp.ts";
import { openUdp } from "../link/udp.ts";
import { socketPeer } from "./arena-sockets.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import { type LivePeer, memoryPeer, peerInfo, withCodePoints } from "./live-peer.ts";
import { openAddress } from "./open-address.ts";
import { openImage } from "./open-image.ts";
import { openProgram } from "./open-program.ts";
import { overTheWire } from "./over-the-wire.ts";
import { tool } from "./tool.ts";

/**
 * `tell` shows the user a line; `signal` ends a user's driver that is long in coming.
 * @throws LabError; nothing is left then
 */
export async function openPeer(
  order: PeerOrder,
  tell: (text: string) => void = () => {},
  signal?: AbortSignal,
): Promise<LivePeer> {
  if (order.box) return openAddress(order, order.box, tell);
  if (order.program) return openProgram(order, order.program, signal);
  if (order.image) return openImage(order, order.image, signal);
  const chosen = findPeer(order.peer);
  return withCodePoints(await open(chosen, order), codePointsOf(chosen));
}

async function open(chosen: ChosenPeer, order: PeerOrder): Promise<LivePeer> {
  if (chosen.runtime === "memory") return memoryPeer(order, tool().version);
  return chosen.runtime === "process" ? openProcess(order) : openReal(chosen, order);
}

const LOOPBACK = "127.0.0.1";

async function openProcess(order: PeerOrder): Promise<LivePeer> {
  const { seed, lie, variant } = order;
  const udp = await openUdp([LOOPBACK, LOOPBACK, LOOPBACK].map((host) => ({ host, port: 0 })));
  const tcp = await openTcp({ listen: [{ host: LOOPBACK, port: 0 }] });
  const link = joined(udp, tcp);
  const [local, marked, stranger] = udp.addresses;
  const [stream] = tcp.addresses;
  if (!local || !marked || !stranger || !stream) throw new Error("four sockets were asked for");
  const driver = new BuiltinProcess({ seed, lie, variant, testerNatPort: marked.port }, LOOPBACK);
  try {
    await driver.start();
  } catch (error) {
    await link.close();
    throw error;
  }
  const [remote, remoteMarked] = driver.ends;
  return socketPeer({
    ...{ info: peerInfo(order, `ipsec-bakeoff ${tool().version}`), driver, link, seed },
    ends: { 4: { local, remote, stranger } },
    tcp: { local: stream, remote: { ...remoteMarked, transport: "tcp" } },
    ...{ natPort: marked.port, remoteNatPort: remoteMarked.port, rawEsp: false },
    restart: () => driver.restart(),
    stop: () => driver.stop(),
  });
}

async function openReal({ definition, version, runtime }: ChosenPeer, order: PeerOrder): Promise<LivePeer> {
  const { runId, lane, network } = order;
  const running = await startPeer(definition, version, runtime, { runId, lane, network });
  try {
    return await overTheWire(order, running);
  } catch (error) {
    await running.stop();
    throw error;
  }
}
