import { expect } from "chai";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { Registry } from "../runtime/index.ts";
import { pidsIn } from "../runtime/network.ts";
import {
  guestLab,
  mirrored,
  requirePeer,
  sas,
  tunnelConfig,
  untilLogged,
  untilStatus,
} from "../runtime/testing.ts";
import { Guest } from "../runtime/uml.ts";
import { LibreswanDriver } from "./driver.ts";

const peerConfig = tunnelConfig(["aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519"], ["aes256gcm16"]);
const up = sas(1, 1);

describe("libreswan@5.2:uml", function () {
  this.timeout(60_000);
  const lab = guestLab("libreswan@5.2", peerConfig);

  it("states its version", () => expect(lab.peer.version).to.equal("libreswan 5.2"));

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

  it("rekeys both kinds of SA, with traffic after it", async () => {
    const [first] = (await lab.establish()).childSas;
    await lab.peer.driver.rekeyChild();
    await untilStatus(lab.peer, (s) => up(s) && s.childSas[0]!.spiIn !== first!.spiIn);
    const [before] = (await lab.tester.driver.status()).ikeSas;
    await lab.peer.driver.rekeyIke();
    await untilStatus(lab.tester, (s) => s.ikeSas.length === 1 && s.ikeSas[0]!.spiI !== before!.spiI);
    await lab.peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 3 });
    await lab.counted([3, 3]);
  });

  it("deletes a Child SA and an IKE SA, and says so when there is none", async () => {
    await lab.establish();
    await lab.peer.driver.delete("child");
    await untilStatus(lab.tester, sas(1, 0));
    await lab.peer.driver.delete("ike");
    await untilStatus(lab.tester, sas(0, 0));
    await untilLogged(lab.peer.driver, "deleting IKE SA");
    const refusal = await lab.peer.driver.rekeyIke().catch(String);
    expect(refusal).to.be.a("string");
  });

  it("forgets silently", async () => {
    await lab.establish();
    await lab.peer.driver.reset();
    expect(await lab.peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(up(await lab.tester.driver.status())).to.equal(true);
    await lab.tester.driver.reset();
    await lab.establish();
  });

  it("asks for a cookie when told to, and no longer when not", async () => {
    for (const cookies of ["always", undefined] as const) {
      await lab.peer.driver.configure({ ...peerConfig, ...(cookies && { cookies }) });
      await lab.tester.driver.markLog();
      await lab.establish(lab.tester);
      if (cookies) await untilLogged(lab.tester.driver, "N(COOKIE)");
      else expect(await lab.tester.driver.logs()).to.not.contain("N(COOKIE)");
      await lab.tester.driver.reset();
    }
  });

  it("uses the transforms of the proposals", async () => {
    for (const esp of ["aes128-sha256", "aes256ctr-sha512", "chacha20poly1305", "aes256gcm16-x25519"]) {
      const config = { ...peerConfig, espProposals: [esp] };
      await lab.tester.driver.configure(mirrored(config));
      await lab.peer.driver.configure(config);
      await lab.establish();
      await lab.peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
      await lab.counted([2, 2]);
      await lab.peer.driver.reset();
    }
  });

  it("starts again with the configuration it had", async () => {
    await lab.establish();
    await lab.peer.restart();
    expect(await lab.peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
    await lab.tester.driver.reset();
    await lab.establish();
  });

  it("reports the end of its kernel, and boots again with the configuration it had", async () => {
    const [kernel] = await pidsIn(lab.peer.testerNamespace!.replace(/-t$/, "-p"));
    process.kill(kernel!, "SIGKILL");
    const gone = await untilStatus(lab.peer, (status) => !status.alive);
    expect(gone.exit).to.equal("the guest is gone");
    await lab.peer.restart();
    await lab.tester.driver.reset();
    await lab.establish();
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
