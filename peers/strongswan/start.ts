/** Starts strongSwan in the runtimes it has. */
import type { RunningPeer } from "../contract.ts";
import type { StartContext } from "../runtime/host.ts";
import { createNetnsLane } from "../runtime/netns.ts";
import { ADDRESSES } from "../runtime/network.ts";
import { StrongswanDriver } from "./driver.ts";

/** What charon is started with in any runtime; `/lane` is the folder it shares with the runner. */
export const CHARON = {
  argv: ["/usr/sbin/charon-systemd"],
  env: { STRONGSWAN_CONF: "/lane/strongswan.conf" },
};

/**
 * In a network namespace with ESP in the daemon (kernel-libipsec): tunnel mode, no ESN.
 * @throws LabError; nothing is left then
 */
export async function startInNamespace(context: StartContext): Promise<RunningPeer> {
  const lane = await createNetnsLane(context, CHARON.argv, CHARON.env);
  // raw_esp came with 5.9.11; Debian's 5.9 is older.
  const rawEsp = (context.options.rawEsp ?? false) && Number.parseInt(context.version.version, 10) >= 6;
  const driver = new StrongswanDriver(lane, { esp: "userspace", rawEsp, cookies: false });
  try {
    await driver.start();
  } catch (error) {
    await lane.stop();
    throw error;
  }
  return {
    driver,
    version: driver.version,
    testerNamespace: lane.network.tester,
    ...ADDRESSES,
    rawEsp,
    restart: () => driver.restart(),
    stop: () => lane.stop(),
  };
}
