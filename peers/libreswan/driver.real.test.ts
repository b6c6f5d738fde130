import { expect } from "chai";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { Registry } from "../runtime/index.ts";
import { pidsIn } from "../runtime/network.ts";
import {
  behavesAsDriver,
  guestLab,
  mirrored,
  requirePeer,
  tunnelConfig,
  untilLogged,
  untilStatus,
} from "../runtime/testing.ts";
import { Guest } from "../runtime/uml.ts";
import { LibreswanDriver } from "./driver.ts";

const peerConfig = tunnelConfig(["aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519"], ["aes256gcm16"]);

describe("libreswan@5.2:uml", function () {
  this.timeout(60_000);
  const lab = guestLab("libreswan@5.2", peerConfig);

  behavesAsDriver(lab, { version: "libreswan 5.2", deleted: "deleting IKE SA", none: /./ });

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

  const ppks = [
    { id: "ppk-1", secret: "first of the PPKs" },
    { id: "ppk-2", secret: "second of the PPKs" },
  ];

  it("mixes in a PPK, the preferred one as initiator and any as responder", async () => {
    await lab.peer.driver.configure({ ...peerConfig, ppks, ppkRequired: true });
    await lab.tester.driver.configure({ ...mirrored(peerConfig), ppks: ppks.toReversed() });
    for (const [initiator, used] of [
      [lab.peer, "ppk-1"],
      [lab.tester, "ppk-2"],
    ] as const) {
      await lab.tester.driver.markLog();
      await lab.establish(initiator);
      await untilLogged(lab.tester.driver, `using PPK for PPK_ID '${used}'`);
      await lab.peer.driver.reset();
      await lab.tester.driver.reset();
    }
  });

  it("announces what it was told of, by the numbers of a draft for RFC 9867, and nothing else", async () => {
    const [INTERMEDIATE, USE_PPK, USE_PPK_INT] = ["N(IKE_INT_SUP)", "N(USE_PPK)", "N((50209))"];
    const all = [INTERMEDIATE, USE_PPK, USE_PPK_INT];
    const early = { ppks, ppkIn: ["IKE_INTERMEDIATE" as const] };
    for (const [told, announced] of [
      [{}, []],
      [{ ppks }, [USE_PPK]],
      [{ intermediate: true }, [INTERMEDIATE]],
      [early, all],
    ] as const) {
      await lab.peer.driver.configure({ ...peerConfig, ...told });
      await lab.tester.driver.markLog();
      await lab.establish();
      const request = /parsed IKE_SA_INIT request 0 .*/.exec(await lab.tester.driver.logs())?.[0];
      expect(
        all.filter((notify) => request?.includes(notify)),
        request,
      ).to.deep.equal(announced);
      await lab.tester.driver.reset();
    }
  });

  it("cannot be told of PPKs in CREATE_CHILD_SA, nor of additional key exchanges", async () => {
    const late = { ...peerConfig, ppks, ppkIn: ["CREATE_CHILD_SA" as const] };
    const ike = { ...peerConfig, ikeProposals: ["aes256-sha256-x25519-ke1_mlkem768"] };
    for (const config of [late, ike])
      expect(await lab.peer.driver.configure(config).catch(String)).to.match(/libreswan has no/);
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
