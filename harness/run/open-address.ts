/** A peer at an address, which is there already. */
import { isIPv6 } from "node:net";
import { z } from "zod";
import { AddressDriver } from "../../peers/address/driver.ts";
import { meansSchema, openMeans } from "../../peers/address/means.ts";
import { peerConfigSchema } from "../../peers/builtin/process-protocol.ts";
import { DriverUnsupported } from "../../peers/contract.ts";
import { ContractDriver } from "../../peers/contract-driver.ts";
import { CONTRACT } from "../../peers/verbs.ts";
import { openWay, type Way } from "../dial/way.ts";
import { ENCAPSULATIONS } from "../dial/wishes.ts";
import { type HeardLink, heardLink } from "../link/heard.ts";
import type { Datagram } from "../link/types.ts";
import type { ArenaWishes } from "../script/test.ts";
import { EMPTY, equal } from "../wire/bytes.ts";
import { parseAddress } from "../wire/ip.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG } from "../wire/types.ts";
import { demultiplex } from "../wire/udp.ts";
import { socketPeer } from "./arena-sockets.ts";
import { configFor } from "./config.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import { type LivePeer, peerInfo, withTunnel } from "./live-peer.ts";

const port = z.int().min(0).max(65_535);

/** What its owner says of such a peer: the way to it, how it is configured, and how it is made to do something. */
export const boxSchema = z.strictObject({
  where: z.strictObject({
    ...{ peer: z.string(), port, natPort: port, encap: z.enum(ENCAPSULATIONS) },
    ...{ localAddress: z.string(), localPort: port.optional() },
  }),
  config: peerConfigSchema,
  /** Not set: nobody can make it do anything. */
  means: meansSchema.optional(),
});
export type Box = z.infer<typeof boxSchema>;

type Tell = (text: string) => void;

/** `tell` shows its owner a line. @throws LabError, Unreachable where there is no way to it */
export async function openAddress(order: PeerOrder, box: Box, tell: Tell): Promise<LivePeer> {
  const { where, config } = box;
  const way = await openWay(where, where.localAddress);
  const peerHost = parseAddress(where.peer) ?? EMPTY;
  const link = heardLink(
    way.link,
    (datagram) => isFrom(peerHost, datagram) && beginsIkeSa(datagram, way.natPort),
  );
  const { local, remote, natPort, remoteNatPort } = way;
  const { local: _, remote: __, ...told } = config;
  const driver = new AddressDriver(
    configFor(remote, local, { config: told }),
    meansOf(box, way, link, (text) => tell(`${order.id}: ${text}`)),
  );
  const outer = isIPv6(where.peer) ? 6 : 4;
  const peer = socketPeer({
    info: peerInfo(order, "not known"),
    // It may remember the SPIs of a run before.
    ...{ driver, link, seed: `${order.seed}/${order.runId}/${Date.now()}`, natPort, remoteNatPort },
    ends: { [outer]: { local, remote } },
    ...(where.encap === "tcp" && { tcp: { local, remote } }),
    rawEsp: way.plain.protocol === "esp",
    extensions: way.extensions,
    restart: () => driver.restart(),
    stop: () => driver.stop(),
  });
  return withTunnel({
    ...peer,
    async arena(test, wishes) {
      checkInner(told.localTs, wishes);
      const made = await peer.arena(test, { outer, ...wishes, config: { ...told, ...wishes.config } });
      // What a test before may have left is gone with that.
      const policy = () => ({ ...made.policy(), initialContact: true });
      return { ...made, policy };
    },
    leave: (script) => script.leave(),
  });
}

/** Whatever way an IPv6 address is written. */
function isFrom(host: Uint8Array, { source }: Datagram): boolean {
  const its = parseAddress(source.host);
  return its !== undefined && equal(its, host);
}

/** An IKE_SA_INIT request: what else comes meanwhile, as liveness checks and Deletes, is of the IKE SA of before. */
function beginsIkeSa({ protocol, destination, data }: Datagram, natPort: number): boolean {
  const isMarked = protocol === "tcp" || destination.port === natPort;
  const { kind, data: octets } = isMarked ? demultiplex(data) : { kind: protocol, data };
  const [exchangeType, flags] = octets.subarray(18, 20);
  if (kind === "esp" || flags === undefined) return false;
  return exchangeType === EXCHANGE.IKE_SA_INIT && (flags & FLAG.response) === 0;
}

/** @throws DriverUnsupported where the test is about inner addresses of the other IP version */
function checkInner([prefix = ""]: readonly string[], { inner }: ArenaWishes): void {
  const its = prefix.includes(":") ? 6 : 4;
  if (inner !== undefined && inner !== its)
    throw new DriverUnsupported(`nobody can tell a peer at an address: traffic selectors of IPv${inner}`);
}

function meansOf({ means }: Box, way: Way, link: HeardLink, tell: Tell): ContractDriver | undefined {
  if (!means) return undefined;
  const { local, remote, natPort, remoteNatPort } = way;
  return new ContractDriver({
    open: async (said) => openMeans(means, { tell, heard: link.heard }, said),
    hello: {
      ...{ verb: "hello", contract: CONTRACT },
      tester: { host: local.host, port: local.port, natPort },
      peer: { host: remote.host, port: remote.port, natPort: remoteNatPort },
    },
  });
}
