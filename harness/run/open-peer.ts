/** Starts the peer of a lane, in whatever runtime. */
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import { type ChosenPeer, findPeer } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { startPeer } from "../../peers/runtime/index.ts";
import { must } from "../../peers/runtime/process.ts";
import { isRawUnavailable, openRawEsp } from "../link/raw-socket.ts";
import type { Address, Link } from "../link/types.ts";
import { openUdp } from "../link/udp.ts";
import { socketPeer } from "./arena-sockets.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import { type LivePeer, memoryPeer, peerInfo } from "./live-peer.ts";
import { tool } from "./tool.ts";

/** @throws LabError; nothing is left then */
export async function openPeer(order: LaneOrder): Promise<LivePeer> {
  const chosen = findPeer(order.peer);
  if (chosen.runtime === "memory") return memoryPeer(order, tool().version);
  return chosen.runtime === "process" ? openProcess(order) : openReal(chosen, order);
}

const LOOPBACK = "127.0.0.1";

async function openProcess(order: LaneOrder): Promise<LivePeer> {
  const { seed, lie, variant } = order;
  const link = await openUdp([LOOPBACK, LOOPBACK, LOOPBACK].map((host) => ({ host, port: 0 })));
  const [local, marked, stranger] = link.addresses;
  if (!local || !marked || !stranger) throw new Error("three sockets were asked for");
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
    ...{ local, remote, stranger, natPort: marked.port, remoteNatPort: remoteMarked.port, rawEsp: false },
    restart: () => driver.restart(),
    stop: () => driver.stop(),
  });
}

/** A second address of ours, beside that of the lane's network. */
const STRANGER = "192.0.2.3";
const IKE = 500;
const MARKED = 4500;

/** This process runs in the tester's namespace already. */
async function openReal({ definition, version, runtime }: ChosenPeer, order: LaneOrder): Promise<LivePeer> {
  const { runId, lane, network, seed } = order;
  const running = await startPeer(definition, version, runtime, { runId, lane, network });
  try {
    await must(["ip", "address", "replace", `${STRANGER}/24`, "dev", "wire-t"]);
    const link = await openLink(running.tester, running.rawEsp);
    return socketPeer({
      ...{ info: peerInfo(order, running.version), driver: running.driver, link, seed },
      local: { host: running.tester, port: IKE },
      remote: { host: running.peer, port: IKE },
      stranger: { host: STRANGER, port: IKE },
      ...{ natPort: MARKED, remoteNatPort: MARKED, rawEsp: running.rawEsp },
      restart: () => running.restart(),
      stop: () => running.stop(),
    });
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** UDP on both our addresses, and IP protocol 50 beside it. */
async function openLink(tester: string, rawEsp: boolean): Promise<Link> {
  const addresses: Address[] = [tester, STRANGER].flatMap((host) =>
    [IKE, MARKED].map((port) => ({ host, port })),
  );
  const raw = rawEsp ? openRawEsp({ local: tester }) : undefined;
  if (raw && isRawUnavailable(raw)) throw new LabError("missing-tool", raw.reason, raw.remedy);
  const udp = await openUdp(addresses);
  return raw ? joined(udp, raw) : udp;
}

function joined(udp: Link, raw: Link): Link {
  let receive: Parameters<Link["onReceive"]>[0] = () => {};
  // Registered once: a raw socket keeps every handler it was ever given.
  raw.onReceive((datagram) => receive(datagram));
  return {
    send: (datagram) => (datagram.protocol === "esp" ? raw : udp).send(datagram),
    onReceive: (handler) => {
      udp.onReceive(handler);
      receive = handler;
    },
    close: async () => {
      await Promise.all([udp.close(), raw.close()]);
    },
  };
}
