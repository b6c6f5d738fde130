import { existsSync } from "node:fs";
import { expect } from "chai";
import type { PeerConfig, PeerStatus, RunningPeer } from "../contract.ts";
import { findPeer } from "../definition.ts";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { Registry, startPeer } from "../runtime/index.ts";
import { ADDRESSES, pidsIn } from "../runtime/network.ts";
import { mirrored, requirePeer, untilLogged, untilStatus } from "../runtime/testing.ts";
import { Guest } from "../runtime/uml.ts";
import { LibreswanDriver } from "./driver.ts";

const peerConfig: PeerConfig = {
  psk: "only for this test",
  ikeProposals: ["aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519"],
  espProposals: ["aes256gcm16"],
  mode: "tunnel",
  local: { host: ADDRESSES.peer, port: 500 },
  remote: { host: ADDRESSES.tester, port: 500 },
  localId: "peer.example",
  remoteId: "tester.example",
  localTs: ["203.0.113.16/28"],
  remoteTs: ["203.0.113.0/28"],
};

const sas = (ike: number, child: number) => (status: PeerStatus) =>
  status.ikeSas.length === ike && status.childSas.length === child;
const up = sas(1, 1);

describe("libreswan@5.2:uml", function () {
  this.timeout(60_000);
  const registry = new Registry("lstest");
  const options = { runId: "lstest", lane: process.pid % 1000, registry };
  let peer: RunningPeer;
  let tester: RunningPeer;

  before(async function () {
    const chosen = requirePeer(this, "libreswan@5.2");
    requirePeer(this, "strongswan@6.1");
    peer = await startPeer(chosen.definition, chosen.version, "uml", options);
    const strongswan = findPeer("strongswan@6.1:netns");
    const network = { tester: "", peer: peer.testerNamespace! };
    tester = await startPeer(strongswan.definition, strongswan.version, "netns", { ...options, network });
  });

  beforeEach(async () => {
    await tester.driver.configure(mirrored(peerConfig));
    await peer.driver.configure(peerConfig);
    await peer.driver.markLog();
  });

  after(async () => {
    await tester?.stop();
    await peer?.stop();
    if (!peer) return;
    expect(await pidsIn(peer.testerNamespace!)).to.deep.equal([]);
    expect(existsSync(`/run/netns/${peer.testerNamespace}`)).to.equal(false);
  });

  const establish = async (from: RunningPeer = peer) => {
    await from.driver.initiate();
    await untilStatus(tester, up);
    return untilStatus(peer, up);
  };

  /** Packets through the peer's one Child SA, in and out. */
  const counted = (wanted: [number, number]) =>
    untilStatus(peer, (s) => s.childSas.some((c) => c.packetsIn === wanted[0] && c.packetsOut === wanted[1]));

  it("states its version", () => expect(peer.version).to.equal("libreswan 5.2"));

  it("comes up as initiator and as responder, and carries traffic both ways", async () => {
    for (const initiator of [peer, tester]) {
      await establish(initiator);
      await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 5 });
      await counted([5, 5]);
      await tester.driver.sendTraffic({ from: "203.0.113.2", to: "203.0.113.20", count: 5, size: 1200 });
      await counted([10, 10]);
      await peer.driver.reset();
      await tester.driver.reset();
    }
  });

  it("rekeys both kinds of SA, with traffic after it", async () => {
    const [first] = (await establish()).childSas;
    await peer.driver.rekeyChild();
    await untilStatus(peer, (s) => up(s) && s.childSas[0]!.spiIn !== first!.spiIn);
    const [before] = (await tester.driver.status()).ikeSas;
    await peer.driver.rekeyIke();
    await untilStatus(tester, (s) => s.ikeSas.length === 1 && s.ikeSas[0]!.spiI !== before!.spiI);
    await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 3 });
    await counted([3, 3]);
  });

  it("deletes a Child SA and an IKE SA, and says so when there is none", async () => {
    await establish();
    await peer.driver.delete("child");
    await untilStatus(tester, sas(1, 0));
    await peer.driver.delete("ike");
    await untilStatus(tester, sas(0, 0));
    await untilLogged(peer.driver, "deleting IKE SA");
    const refusal = await peer.driver.rekeyIke().catch(String);
    expect(refusal).to.be.a("string");
  });

  it("forgets silently", async () => {
    await establish();
    await peer.driver.reset();
    expect(await peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(up(await tester.driver.status())).to.equal(true);
    await tester.driver.reset();
    await establish();
  });

  it("asks for a cookie when told to, and no longer when not", async () => {
    for (const cookies of ["always", undefined] as const) {
      await peer.driver.configure({ ...peerConfig, ...(cookies && { cookies }) });
      await tester.driver.markLog();
      await establish(tester);
      if (cookies) await untilLogged(tester.driver, "N(COOKIE)");
      else expect(await tester.driver.logs()).to.not.contain("N(COOKIE)");
      await tester.driver.reset();
    }
  });

  it("uses the transforms of the proposals", async () => {
    for (const esp of ["aes128-sha256", "aes256ctr-sha512", "chacha20poly1305", "aes256gcm16-x25519"]) {
      const config = { ...peerConfig, espProposals: [esp] };
      await tester.driver.configure(mirrored(config));
      await peer.driver.configure(config);
      await establish();
      await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
      await counted([2, 2]);
      await peer.driver.reset();
    }
  });

  it("starts again with the configuration it had", async () => {
    await establish();
    await peer.restart();
    expect(await peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
    await tester.driver.reset();
    await establish();
  });

  it("reports the end of its kernel, and boots again with the configuration it had", async () => {
    const [kernel] = await pidsIn(peer.testerNamespace!.replace(/-t$/, "-p"));
    process.kill(kernel!, "SIGKILL");
    const gone = await untilStatus(peer, (status) => !status.alive);
    expect(gone.exit).to.equal("the guest is gone");
    await peer.restart();
    await tester.driver.reset();
    await establish();
  });
});

describe("pluto in a guest", function () {
  this.timeout(60_000);
  let guest: Guest | undefined;

  before(async function () {
    requirePeer(this, "libreswan@5.2");
    const roots = { rootfs: rootfsPath("libreswan", "5.2"), kernelRoot: rootfsPath(KERNEL) };
    const registry = new Registry("lscrash");
    guest = await Guest.boot({ runId: "lscrash", lane: process.pid % 1000, registry, ...roots });
  });

  after(() => guest?.stop());

  for (const [signal, exit] of [
    ["KILL", "SIGKILL"],
    ["SEGV", "SIGSEGV"],
  ]) {
    it(`reports its death by ${exit}, and starts again`, async () => {
      const driver = new LibreswanDriver(guest!);
      await driver.start();
      expect((await driver.status()).alive).to.equal(true);
      await guest!.must(["/bin/sh", "-c", `kill -${signal} $(cat /run/pluto/pluto.pid)`]);
      const end = performance.now() + 5000;
      while ((await driver.status()).exit === undefined && performance.now() < end);
      expect(await driver.status()).to.deep.equal({ alive: false, ikeSas: [], childSas: [], exit });
      await driver.restart();
      expect((await driver.status()).alive).to.equal(true);
      await untilLogged(driver, "Starting Pluto");
    });
  }

  it("reports a hang as not alive, without an end", async () => {
    const driver = new LibreswanDriver(guest!);
    await driver.start();
    await guest!.must(["/bin/sh", "-c", "kill -STOP $(cat /run/pluto/pluto.pid)"]);
    expect(await driver.status()).to.deep.equal({ alive: false, ikeSas: [], childSas: [] });
    await driver.restart();
    expect((await driver.status()).alive).to.equal(true);
  });
});
