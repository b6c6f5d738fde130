/**
 * The builtin peer in a network namespace, as controller or member of a group, on real unicast and multicast sockets.
 * Its only argument is its address; it takes JSON lines on standard input and ends with that.
 */
import { createInterface } from "node:readline";
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { joined } from "../../harness/link/joined.ts";
import { openMulticast } from "../../harness/link/multicast.ts";
import { isMulticast } from "../../harness/link/multicast-address.ts";
import { isRawUnavailable } from "../../harness/link/raw-socket.ts";
import type { Datagram, Link } from "../../harness/link/types.ts";
import { openUdp, RealWorld } from "../../harness/link/udp.ts";
import type { PeerConfig } from "../contract.ts";
import { BuiltinPeer } from "./peer.ts";

/** What a node is told; every line is answered by one of {@link NodeAnswer}. */
export type NodeCommand =
  | { verb: "configure"; config: PeerConfig }
  | { verb: "register"; group: string; sender: boolean }
  | { verb: "send"; group: string; text: string }
  | { verb: "rekey"; group: string }
  | { verb: "exclude"; group: string; member: string }
  | { verb: "report" };

export interface NodeAnswer {
  error?: string;
  /** Application data, as text. */
  received?: string[];
  /** Multicast that came: `esp 239.2.2.2 c0000001`, `udp 239.1.1.1:848`. */
  multicast?: string[];
  log?: string;
}

const [local = ""] = process.argv.slice(2);
const multicast: string[] = [];
const peer = new BuiltinPeer({
  ...{ clock: new RealWorld().clock, random: seededRandom(`node ${local}`), link: await open() },
  ...{ natPort: 4500, remoteNatPort: 4500 },
});

async function open(): Promise<Link> {
  const groups = openMulticast({ local, onError: (error) => process.stderr.write(`${error.message}\n`) });
  if (isRawUnavailable(groups)) throw new Error(groups.reason);
  const hosts = await openUdp([500, 4500].map((port) => ({ host: local, port })));
  const unicast: Link = {
    ...hosts,
    send: (datagram) => {
      if (!isMulticast(datagram.destination.host)) hosts.send(datagram);
    },
  };
  return watched(joined(unicast, groups));
}

function watched(link: Link): Link {
  const onReceive: Link["onReceive"] = (handler) =>
    link.onReceive((datagram) => {
      if (isMulticast(datagram.destination.host)) multicast.push(nameOf(datagram));
      handler(datagram);
    });
  return { ...link, onReceive };
}

function nameOf({ protocol, destination: { host, port }, data }: Datagram): string {
  return protocol === "esp"
    ? `esp ${host} ${Buffer.from(data.subarray(0, 4)).toString("hex")}`
    : `udp ${host}:${port}`;
}

async function act(command: NodeCommand): Promise<NodeAnswer> {
  const { groups } = peer;
  if (command.verb === "configure") await peer.configure(command.config);
  else if (!groups) return { error: "configure comes first" };
  else if (command.verb === "register") await groups.register(command.group, { sender: command.sender });
  else if (command.verb === "send") await groups.send(command.group, new TextEncoder().encode(command.text));
  else if (command.verb === "rekey") await groups.rekey(command.group, "data");
  else if (command.verb === "exclude") await groups.exclude(command.group, command.member);
  else {
    const received = (await groups.received()).map(({ data }) => new TextDecoder().decode(data));
    return { received, multicast, log: await peer.logs() };
  }
  return {};
}

const say = (answer: NodeAnswer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const command: NodeCommand = JSON.parse(line);
  act(command).then(say, (error: unknown) => say({ error: String(error) }));
});
lines.on("close", () => process.exit(0));
say({});
