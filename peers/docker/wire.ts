/**
 * The peer's end of a lane's wire for containers that come and go: the wire ends in a bridge in the peer's namespace, and each
 * container has a port of that. The tester's end, its addresses and sockets, outlive the containers.
 */
import { LabError } from "../runtime/errors.ts";
import { ADDRESSES, type LaneNetwork } from "../runtime/network.ts";
import { must, run } from "../runtime/process.ts";

/** Every container has the same hardware address (RFC 9542), so that nobody looks for the one before. */
const MAC = "02:00:5e:00:53:02";

/** Puts the bridge between the wire and what is plugged in. May be called again. */
export async function layBridge({ tester, peer }: LaneNetwork): Promise<void> {
  const kind = ["type", "bridge", "forward_delay", "0", "mcast_snooping", "0"];
  // It is there where a process before has had this lane.
  await run(["ip", "-n", peer, "link", "add", "bridge", ...kind]);
  const lines = [
    "link set bridge addrgenmode none",
    "address flush dev wire-p",
    "link set wire-p master bridge",
    "link set bridge up",
  ];
  await must(["ip", "-n", peer, "-batch", "-"], { stdin: lines.join("\n") });
  const ours = [
    // A frame must fit the device of a guest in the container: no segments to be cut up later.
    "link set wire-t gso_max_segs 1",
    // No packet of a test may wait for, or be lost to, address resolution.
    `neighbour replace ${ADDRESSES.peer} lladdr ${MAC} dev wire-t nud permanent`,
    `neighbour replace ${ADDRESSES.peer6} lladdr ${MAC} dev wire-t nud permanent`,
  ];
  await must(["ip", "-n", tester, "-batch", "-"], { stdin: ours.join("\n") });
}

/** Gives the network namespace of a process the peer's addresses, in the place of the one before. @throws LabError */
export async function plugIn({ peer }: LaneNetwork, pid: number): Promise<void> {
  await run(["ip", "-n", peer, "link", "delete", "port"]);
  const end = ["type", "veth", "peer", "name", "eth0", "address", MAC, "netns", String(pid)];
  const made = await run(["ip", "-n", peer, "link", "add", "port", ...end]);
  if (made.exit !== 0) throw new LabError("network", `no wire to the container: ${made.stderr.trim()}`);
  const join = ["link set port addrgenmode none", "link set port master bridge", "link set port up"];
  await must(["ip", "-n", peer, "-batch", "-"], { stdin: join.join("\n") });
  const inside = [
    "link set lo up",
    "link set eth0 addrgenmode none",
    `address add ${ADDRESSES.peer}/24 dev eth0`,
    `address add ${ADDRESSES.peer6}/64 dev eth0 nodad`,
    "link set eth0 up",
  ];
  const enter = ["nsenter", "--target", String(pid), "--net"];
  await must([...enter, "ip", "-batch", "-"], { stdin: inside.join("\n") });
}
