/** A peer at an address, which is there already. */
import { isIPv6 } from "node:net";
import { z } from "zod";
import { AddressDriver } from "../../peers/address/driver.ts";
import { peerConfigSchema } from "../../peers/builtin/process-protocol.ts";
import { openWay } from "../dial/way.ts";
import { ENCAPSULATIONS } from "../dial/wishes.ts";
import { socketPeer } from "./arena-sockets.ts";
import { configFor } from "./config.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import type { LivePeer } from "./live-peer.ts";

const port = z.int().min(0).max(65_535);

/** What its owner says of such a peer: the way to it, and how it is configured, as `harness/dial` has them of options. */
export const boxSchema = z.strictObject({
  where: z.strictObject({
    ...{ peer: z.string(), port, natPort: port, encap: z.enum(ENCAPSULATIONS) },
    ...{ localAddress: z.string(), localPort: port.optional() },
  }),
  config: peerConfigSchema,
});
export type Box = z.infer<typeof boxSchema>;

/** @throws LabError, Unreachable where there is no way to it */
export async function openAddress(
  order: Pick<PeerOrder, "id" | "seed">,
  { where, config }: Box,
): Promise<LivePeer> {
  const way = await openWay(where, where.localAddress);
  const { link, local, remote, natPort, remoteNatPort } = way;
  const { local: _, remote: __, ...told } = config;
  const driver = new AddressDriver(configFor(remote, local, { config: told }));
  const outer = isIPv6(where.peer) ? 6 : 4;
  const peer = socketPeer({
    info: {
      id: order.id,
      name: where.peer,
      version: "unknown",
      runtime: "address",
      fullVersion: "not known",
    },
    ...{ driver, link, seed: order.seed, natPort, remoteNatPort },
    ends: { [outer]: { local, remote } },
    ...(where.encap === "tcp" && { tcp: { local, remote } }),
    rawEsp: way.plain.protocol === "esp",
    extensions: way.extensions,
    restart: () => driver.restart(),
    stop: async () => {},
  });
  return {
    ...peer,
    arena: (test, wishes) => peer.arena(test, { outer, ...wishes, config: { ...told, ...wishes.config } }),
  };
}
