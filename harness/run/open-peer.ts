/** Starts the peer of a lane, in whatever runtime. */
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import { type ChosenPeer, codePointsOf, findPeer } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { startPeer } from "../../peers/runtime/index.ts";
import { must } from "../../peers/runtime/process.ts";
import { joined } from "../link/joined.ts";
import { isRawUnavailable, openRawEsp } from "../link/raw-socket.ts";
import { openTcp } from "../link/tcp.ts";
import type { Address, Link } from "../link/types.ts";
import { openUdp } from "../link/udp.ts";
import { socketPeer } from "./arena-sockets.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import { type LivePeer, memoryPeer, peerInfo, withCodePoints } from "./live-peer.ts";
import { openAddress } from "./open-address.ts";
import { tool } from "./tool.ts";

/** @throws LabError; nothing is left then */
export async function openPeer(order: PeerOrder): Promise<LivePeer> {
  if (order.box) return openAddress(order, order.box);
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

/** Second addresses of ours, beside those of the lane's network. */
const STRANGER = { 4: "192.0.2.3", 6: "2001:db8::3" } as const;
const IKE = 500;
const MARKED = 4500;

/** This process runs in the tester's namespace already. */
async function openReal({ definition, version, runtime }: ChosenPeer, order: PeerOrder): Promise<LivePeer> {
  const { runId, lane, network, seed } = order;
  const running = await startPeer(definition, version, runtime, { runId, lane, network });
  try {
    await must(["ip", "address", "replace", `${STRANGER[4]}/24`, "dev", "wire-t"]);
    // Deprecated from the start, so that the kernel does not take it for the source of our raw ESP.
    const deprecated = ["nodad", "preferred_lft", "0"];
    await must(["ip", "address", "replace", `${STRANGER[6]}/64`, "dev", "wire-t", ...deprecated]);
    const ours = [running.tester, running.tester6].filter((host) => host !== undefined);
    const link = await openLink(ours, running.rawEsp);
    const at = (host: string): Address => ({ host, port: IKE });
    const { tester, peer, tester6, peer6 } = running;
    return socketPeer({
      ...{ info: peerInfo(order, running.version), driver: running.driver, link, seed },
      ends: {
        4: { local: at(tester), remote: at(peer), stranger: at(STRANGER[4]) },
        ...(tester6 && peer6
          ? { 6: { local: at(tester6), remote: at(peer6), stranger: at(STRANGER[6]) } }
          : {}),
      },
      ...{ natPort: MARKED, remoteNatPort: MARKED, rawEsp: running.rawEsp },
      restart: () => running.restart(),
      stop: () => running.stop(),
    });
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** UDP on our addresses and the stranger's, and IP protocol 50 beside it. */
async function openLink(ours: string[], rawEsp: boolean): Promise<Link> {
  const addresses: Address[] = [...ours, STRANGER[4], STRANGER[6]].flatMap((host) =>
    [IKE, MARKED].map((port) => ({ host, port })),
  );
  const raws = (rawEsp ? ours : []).map((local) => {
    const raw = openRawEsp({ local });
    if (isRawUnavailable(raw)) throw new LabError("missing-tool", raw.reason, raw.remedy);
    return raw;
  });
  return joined(await openUdp(addresses), ...raws);
}
