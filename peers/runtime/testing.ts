/** For tests beside the code that run a real peer: `*.real.test.ts`. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Driver, PeerConfig, PeerStatus, RunningPeer } from "../contract.ts";
import type { ChosenPeer } from "../definition.ts";
import { findPeer } from "../definition.ts";
import { isInstalled } from "../install/cache.ts";
import { Registry, startPeer } from "./index.ts";
import { ADDRESSES, pidsIn } from "./network.ts";
import { PREFIX } from "./registry.ts";

/** The peer's side of an ordinary tunnel; {@link mirrored} gives the other. */
export const tunnelConfig = (ikeProposals: string[], espProposals: string[]): PeerConfig => ({
  ...{ ikeProposals, espProposals, psk: "only for this test", mode: "tunnel" },
  local: { host: ADDRESSES.peer, port: 500 },
  remote: { host: ADDRESSES.tester, port: 500 },
  ...{ localId: "peer.example", remoteId: "tester.example" },
  ...{ localTs: ["203.0.113.16/28"], remoteTs: ["203.0.113.0/28"] },
});

/** True when there are so many SAs of either kind. */
export const sas = (ike: number, child: number) => (status: PeerStatus) =>
  status.ikeSas.length === ike && status.childSas.length === child;

/** The lab of a guest driver's tests: the peer, and strongSwan 6.1 as the tester beside it. */
export interface GuestLab {
  readonly peer: RunningPeer;
  readonly tester: RunningPeer;
  /** Brings both SAs up, begun by the peer unless told otherwise. */
  establish(from?: RunningPeer): Promise<PeerStatus>;
  /** Waits for these packets through the peer's one Child SA, in and out. */
  counted(packets: [number, number]): Promise<PeerStatus>;
}

/** To be called in a `describe`: starts both, configures them anew before each test, and looks that nothing is left. */
export function guestLab(spec: string, config: PeerConfig): GuestLab {
  const runId = `${findPeer(spec).definition.name.slice(0, 4)}test`;
  const options = { runId, lane: process.pid % 1000, registry: new Registry(runId) };
  const running: { peer?: RunningPeer; tester?: RunningPeer } = {};
  const started = (end: "peer" | "tester"): RunningPeer => {
    const one = running[end];
    if (!one) throw new Error(`the ${end} has not started`);
    return one;
  };
  before(async function () {
    const chosen = requirePeer(this, spec);
    requirePeer(this, "strongswan@6.1");
    running.peer = await startPeer(chosen.definition, chosen.version, "uml", options);
    const { definition, version } = findPeer("strongswan@6.1:netns");
    const network = { tester: "", peer: running.peer.testerNamespace ?? "" };
    running.tester = await startPeer(definition, version, "netns", { ...options, network });
  });
  beforeEach(async () => {
    await started("tester").driver.configure(mirrored(config));
    await started("peer").driver.configure(config);
    await started("peer").driver.markLog();
  });
  after(async () => {
    await running.tester?.stop();
    await running.peer?.stop();
    const namespace = running.peer?.testerNamespace;
    if (!namespace) return;
    expect(await pidsIn(namespace)).to.deep.equal([]);
    expect(existsSync(`/run/netns/${namespace}`)).to.equal(false);
  });
  return {
    get peer() {
      return started("peer");
    },
    get tester() {
      return started("tester");
    },
    async establish(from = started("peer")) {
      await from.driver.initiate();
      await untilStatus(started("tester"), sas(1, 1));
      return untilStatus(started("peer"), sas(1, 1));
    },
    counted: ([packetsIn, packetsOut]) =>
      untilStatus(started("peer"), ({ childSas }) =>
        childSas.some((c) => c.packetsIn === packetsIn && c.packetsOut === packetsOut),
      ),
  };
}

/** What every guest's driver must do, whatever the daemon; `deleted` is logged when an IKE SA goes, `none` says there is none. */
export function behavesAsDriver(
  lab: GuestLab,
  said: { version: string; deleted: string; none: RegExp },
): void {
  const up = sas(1, 1);
  const NOTHING: PeerStatus = { alive: true, ikeSas: [], childSas: [] };

  it("states its version", () => expect(lab.peer.version).to.equal(said.version));

  it("tells what it takes of its machine", async () => {
    for (const { driver } of [lab.peer, lab.tester]) {
      const { octets = 0, cpuMs = 0, descriptors = 0 } = (await driver.resources?.()) ?? {};
      expect(octets).to.be.within(1_000_000, 200_000_000);
      expect(cpuMs).to.be.at.least(0);
      expect(descriptors).to.be.greaterThan(4);
    }
  });

  it("comes up as initiator and as responder, and carries traffic both ways", async () => {
    for (const initiator of [lab.peer, lab.tester]) {
      await lab.establish(initiator);
      await lab.peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 5 });
      await lab.counted([5, 5]);
      await lab.tester.driver.sendTraffic({ from: "203.0.113.2", to: "203.0.113.20", count: 5, size: 1200 });
      await lab.counted([10, 10]);
      await lab.peer.driver.reset();
      await lab.tester.driver.reset();
    }
  });

  it("rekeys both kinds of SA as often as told, with traffic after it", async () => {
    await lab.establish();
    for (let round = 0; round < 2; round++) {
      const [first] = (await lab.peer.driver.status()).childSas;
      await lab.peer.driver.rekeyChild();
      await untilStatus(lab.peer, (s) => up(s) && s.childSas[0]?.spiIn !== first?.spiIn);
      const [before] = (await lab.tester.driver.status()).ikeSas;
      await lab.peer.driver.rekeyIke();
      await untilStatus(lab.tester, (s) => s.ikeSas.length === 1 && s.ikeSas[0]?.spiI !== before?.spiI);
    }
    await lab.peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 3 });
    await lab.counted([3, 3]);
  });

  it("deletes a Child SA and an IKE SA, and says so when there is none", async () => {
    await lab.establish();
    await lab.peer.driver.delete("child");
    await untilStatus(lab.tester, sas(1, 0));
    await lab.peer.driver.delete("ike");
    await untilStatus(lab.tester, sas(0, 0));
    await untilLogged(lab.peer.driver, said.deleted);
    for (const verb of ["rekeyIke", "rekeyChild"] as const)
      expect(await lab.peer.driver[verb]().catch(String), verb).to.match(said.none);
  });

  it("forgets silently, in less than 2 s", async () => {
    await lab.establish();
    const begun = performance.now();
    await lab.peer.driver.reset();
    expect(performance.now() - begun).to.be.lessThan(2000);
    expect(await lab.peer.driver.status()).to.deep.equal(NOTHING);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(up(await lab.tester.driver.status())).to.equal(true);
    await lab.tester.driver.reset();
    await lab.establish();
  });

  it("starts again with the configuration it had", async () => {
    await lab.establish();
    await lab.peer.restart();
    expect(await lab.peer.driver.status()).to.deep.equal(NOTHING);
    await lab.tester.driver.reset();
    await lab.establish();
  });
}

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
