/** Starts strongSwan in the runtimes it has. */
import type { RunningPeer } from "../contract.ts";
import type { StartContext } from "../runtime/host.ts";
import { createNetnsLane } from "../runtime/netns.ts";
import { ADDRESSES } from "../runtime/network.ts";
import { StrongswanDriver } from "./driver.ts";

/**
 * strongSwan up to 6.1 rejects its own cookies for 10 s after a start shortly after boot: the age of a cookie
 * underflows. A clock that has run for three years makes that all but impossible, where the kernel has such clocks.
 */
const WITH_OLD_CLOCK = `
clock="unshare --time --monotonic 100000000 --fork"
$clock true 2>/dev/null || clock=
$clock sh -c '/usr/sbin/charon-systemd; exit $?'
exit $?`;

/** What charon is started with in any runtime; `/lane` is the folder it shares with the runner. */
export const CHARON = {
  argv: ["/bin/sh", "-c", WITH_OLD_CLOCK],
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
