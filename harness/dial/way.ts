/** The way to the peer: sockets, and what our end must say and decide for ESP to take it. */
import { createSocket } from "node:dgram";
import { isIP } from "node:net";
import { LabError } from "../../peers/runtime/errors.ts";
import type { PlainPath } from "../extensions/esp-echo-requester.ts";
import type { Extension } from "../ike/hooks.ts";
import { notifies } from "../ike/payloads.ts";
import { joined } from "../link/joined.ts";
import { isRawUnavailable, openRawEsp } from "../link/raw-socket.ts";
import { openTcp } from "../link/tcp.ts";
import type { Address, Link } from "../link/types.ts";
import { openUdp } from "../link/udp.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Where } from "./wishes.ts";

export interface Way {
  link: Link;
  local: Address;
  remote: Address;
  /** Ours and the peer's port with the non-ESP marker. */
  natPort: number;
  remoteNatPort: number;
  /** For ESP outside of SAs. */
  plain: PlainPath;
  extensions: Extension[];
}

/** The peer could not be reached at all: no fault of this machine. */
export class Unreachable extends Error {}

/** The address that packets to the peer leave from. @throws LabError */
export async function sourceFor(peer: string): Promise<string> {
  const socket = createSocket(isIP(peer) === 6 ? "udp6" : "udp4");
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(MARKED, peer, () => resolve(socket.address().address));
    });
  } catch (error) {
    throw new LabError("network", `no way to ${peer}: ${messageOf(error)}`, "name --local-address");
  } finally {
    socket.close();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const IKE = 500;
const MARKED = 4500;

/** Opens the sockets; nothing is left open when it fails. @throws LabError, Unreachable */
export function openWay(where: Where, host: string): Promise<Way> {
  if (where.encap === "tcp") return openStream(where, host);
  return where.encap === "udp" ? openMarked(where, host) : openBoth(where, host);
}

async function openStream({ peer, port, natPort }: Where, host: string): Promise<Way> {
  const link = await openTcp();
  const remote: Address = { host: peer, port, transport: "tcp" };
  const local = await link.connect(host, remote).catch((error: unknown) => {
    throw new Unreachable(`no TCP connection to ${peer} port ${port}: ${messageOf(error)}`);
  });
  const plain: PlainPath = { protocol: "tcp", source: local, destination: remote };
  return { link, local, remote, natPort: MARKED, remoteNatPort: natPort, plain, extensions: [] };
}

/** IKE and ESP from the beginning on the ports where both may be (RFC 7296 section 2.23). */
async function openMarked({ peer, port, localPort = MARKED }: Where, host: string): Promise<Way> {
  const link = await bound([{ host, port: localPort }]);
  const [local = { host, port: localPort }] = link.addresses;
  const remote = { host: peer, port };
  const plain: PlainPath = { protocol: "udp", source: local, destination: remote };
  return {
    ...{ link, local, remote, natPort: local.port, remoteNatPort: port, plain },
    extensions: [udpAlways],
  };
}

async function openBoth(where: Where, host: string): Promise<Way> {
  const { peer, port, natPort, encap, localPort } = where;
  const raw = openRawEsp({ local: host });
  if (isRawUnavailable(raw) && encap === "esp")
    throw new LabError(raw.cause === "privilege" ? "no-root" : "missing-tool", raw.reason, raw.remedy);
  const wanted = [localPort ?? IKE, localPort === undefined ? MARKED : 0].map((p) => ({ host, port: p }));
  const udp = await bound(wanted).catch(async (error: unknown) => {
    if (!isRawUnavailable(raw)) await raw.close();
    throw error;
  });
  const [local = { host, port: IKE }, marked = { host, port: MARKED }] = udp.addresses;
  const ends = { local, remote: { host: peer, port }, natPort: marked.port, remoteNatPort: natPort };
  if (isRawUnavailable(raw)) {
    const plain: PlainPath = { protocol: "udp", source: marked, destination: { host: peer, port: natPort } };
    return { ...ends, link: udp, plain, extensions: [udpAlways] };
  }
  const plain: PlainPath = {
    ...{ protocol: "esp", source: { host, port: 0 }, destination: { host: peer, port: 0 } },
  };
  return { ...ends, link: joined(udp, raw), plain, extensions: encap === "esp" ? [udpNever] : [] };
}

/** Has both ends believe in a NAT, so that ESP goes in UDP. */
export const udpAlways: Extension = {
  name: "ESP in UDP",
  outgoing: ({ payloads }) => {
    for (const n of notifies(payloads, NOTIFY.NAT_DETECTION_SOURCE_IP))
      n.data = new Uint8Array(n.data.length);
  },
  decide: { "NAT detection": "always" },
};

const udpNever: Extension = { name: "ESP as IP protocol 50", decide: { "NAT detection": "none" } };

async function bound(addresses: Address[]): Promise<Link & { addresses: Address[] }> {
  try {
    return await openUdp(addresses);
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), "code");
    const wanted = addresses.map(({ host, port }) => `${host} port ${port}`).join(" and ");
    const what = `no UDP socket on ${wanted}: ${messageOf(error)}`;
    if (code === "EACCES")
      throw new LabError("no-root", what, "run as root, or send from another port: --local-port 0");
    if (code === "EADDRINUSE")
      throw new LabError(
        "network",
        what,
        "an IKE daemon may run here; send from another port: --local-port 0",
      );
    throw new LabError("network", what);
  }
}
