/** A peer in a container of an image of the user's. */
import { z } from "zod";
import { ContractDriver } from "../../peers/contract-driver.ts";
import { containerName } from "../../peers/docker/container.ts";
import { removeContainer } from "../../peers/docker/engine.ts";
import { type Berth, plugInWhenBegun, prepareBerth, runCommand } from "../../peers/docker/image.ts";
import { ToldContainer } from "../../peers/docker/told.ts";
import { openLines } from "../../peers/program/lines.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { ADDRESSES } from "../../peers/runtime/network.ts";
import { type Channel, CONTRACT } from "../../peers/verbs.ts";
import type { PeerOrder } from "./lane-protocol.ts";
import { type LivePeer, withTunnel } from "./live-peer.ts";
import { overTheWire } from "./over-the-wire.ts";

export const imageSchema = z.strictObject({
  image: z.string(),
  /** The command in it that speaks the verbs of the contract. Not set: it is told by its environment. */
  driver: z.array(z.string()).min(1).optional(),
});
export type Image = z.infer<typeof imageSchema>;

const ENDS = { port: 500, natPort: 4500 };

/** At the peer's end of the lane's wire. @throws LabError, DriverFault; nothing is left then */
export async function openImage(
  order: PeerOrder,
  { image, driver: command }: Image,
  signal?: AbortSignal,
): Promise<LivePeer> {
  const { network, runId, lane } = order;
  if (!network) throw new LabError("network", `${order.id}: a container needs the namespaces of a lane`);
  const berth: Berth = { image, name: containerName({ runId, lane }), network };
  await prepareBerth(berth);
  const driver = new ContractDriver({
    open: async (said) => (command ? runDriver(berth, command, said) : new ToldContainer(berth, said)),
    hello: {
      ...{ verb: "hello", contract: CONTRACT },
      tester: { host: ADDRESSES.tester, ...ENDS },
      peer: { host: ADDRESSES.peer, ...ENDS },
    },
  });
  const stop = () => driver.stop();
  try {
    await driver.start(signal);
    const { name, version, esp } = driver.about;
    const told = [name, version].filter(Boolean).join(" ") || image;
    const restart = () => driver.restart();
    const running = { driver, version: told, rawEsp: esp === "raw", restart, stop, ...ADDRESSES };
    return withTunnel(await overTheWire(order, running));
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A container whose only program is the driver, on the wire before the driver is asked anything. */
async function runDriver(
  berth: Berth,
  command: readonly string[],
  said: (text: string) => void,
): Promise<Channel> {
  await removeContainer(berth.name);
  const [program = "", ...args] = command;
  const run = runCommand(berth, "--interactive", "--entrypoint", program, berth.image);
  const lines = openLines([...run, ...args], said);
  const close = async () => {
    await lines.close();
    await removeContainer(berth.name);
  };
  try {
    // One that has ended says so when it is asked.
    await plugInWhenBegun(berth, () => !lines.usable);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ask: (ask) => lines.ask(ask),
    get usable() {
      return lines.usable;
    },
    ended: lines.ended,
    close,
  };
}
