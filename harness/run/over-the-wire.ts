/** A peer at the other end of the lane's wire. This process runs in the tester's namespace already. */
import type { RunningPeer } from "../../peers/contract.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { must } from "../../peers/runtime/process.ts";
import { joined } from "../link/joined.ts";
import { isRawUnavailable, openRawEsp } from "../link/raw-socket.ts";
import type { Address, Link } from "../link/types.ts";
import { openUdp } from "../link/udp.ts";
import { socketPeer } from "./arena-sockets.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import { type LivePeer, peerInfo } from "./live-peer.ts";

/** Second addresses of ours, beside those of the lane's network. */
const STRANGER = { 4: "192.0.2.3", 6: "2001:db8::3" } as const;
const IKE = 500;
const MARKED = 4500;

/** @throws LabError; the peer runs on then */
export async function overTheWire(order: PeerOrder, running: RunningPeer): Promise<LivePeer> {
  await must(["ip", "address", "replace", `${STRANGER[4]}/24`, "dev", "wire-t"]);
  // Deprecated from the start, so that the kernel does not take it for the source of our raw ESP.
  const deprecated = ["nodad", "preferred_lft", "0"];
  await must(["ip", "address", "replace", `${STRANGER[6]}/64`, "dev", "wire-t", ...deprecated]);
  const ours = [running.tester, running.tester6].filter((host) => host !== undefined);
  const link = await openLink(ours, running.rawEsp);
  const at = (host: string): Address => ({ host, port: IKE });
  const { tester, peer, tester6, peer6 } = running;
  return socketPeer({
    ...{ info: peerInfo(order, running.version), driver: running.driver, link, seed: order.seed },
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
