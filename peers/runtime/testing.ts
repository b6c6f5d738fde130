/** For tests beside the code that run a real peer: `*.real.test.ts`. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver, PeerConfig, PeerStatus, RunningPeer } from "../contract.ts";
import type { ChosenPeer } from "../definition.ts";
import { findPeer } from "../definition.ts";
import { isInstalled } from "../install/cache.ts";
import { PREFIX } from "./registry.ts";

/**
 * The peer of this name; skips the test where the machine cannot run it, or fails it when `BAKEOFF_REQUIRE_PEERS=1`.
 * To be called in a `before` hook.
 */
export function requirePeer(context: Mocha.Context, spec: string): ChosenPeer {
  const chosen = findPeer(spec);
  const root = process.geteuid?.() === 0;
  if (root && isInstalled(chosen.definition.name, chosen.version.version)) return chosen;
  if (process.env.BAKEOFF_REQUIRE_PEERS === "1") {
    throw new Error(root ? `not installed: bakeoff peers install ${spec}` : `${spec} needs root`);
  }
  return context.skip();
}

/** The configuration of the other end, which a second daemon plays in the tests of a driver. */
export function mirrored(config: PeerConfig): PeerConfig {
  return {
    ...config,
    local: config.remote,
    remote: config.local,
    localId: config.remoteId,
    remoteId: config.localId,
    localTs: config.remoteTs,
    remoteTs: config.localTs,
  };
}

/** Waits until the status is as wanted. Rejects after 8 s with the status and the end of the log. */
export async function untilStatus(
  peer: RunningPeer,
  wanted: (status: PeerStatus) => boolean,
): Promise<PeerStatus> {
  const end = performance.now() + 8000;
  for (;;) {
    const status = await peer.driver.status();
    if (wanted(status)) return status;
    if (performance.now() > end) {
      const log = await peer.driver.logs();
      throw new Error(`still ${JSON.stringify(status)}\n${log.split("\n").slice(-40).join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until the peer's log says this: what a daemon logs arrives a little after what it does. Rejects after 5 s. */
export async function untilLogged(driver: Driver, text: string): Promise<void> {
  const end = performance.now() + 5000;
  for (;;) {
    const log = await driver.logs();
    if (log.includes(text)) return;
    if (performance.now() > end) throw new Error(`not logged: ${text}\n${log.slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Gives this process a temporary folder to itself, so that a test sees what it leaves; runs beside it do not show. */
export function ownTemporaryFolder(): { left(): string[]; remove(): void } {
  const before = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), "own-"));
  process.env.TMPDIR = folder;
  return {
    left: () => readdirSync(folder).filter((name) => name.startsWith(PREFIX)),
    remove() {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      rmSync(folder, { recursive: true });
    },
  };
}
