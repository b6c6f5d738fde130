import { expect } from "chai";
import type { PeerConfig } from "../contract.ts";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { Registry } from "../runtime/index.ts";
import { ADDRESSES, pidsIn } from "../runtime/network.ts";
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
import { OpenikedDriver } from "./driver.ts";

const peerConfig = tunnelConfig(
  ["aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519"],
  ["aes256gcm16", "aes256-sha512"],
);

describe("openiked@7.4:uml", function () {
  this.timeout(60_000);
  const lab = guestLab("openiked@7.4", peerConfig);

  behavesAsDriver(lab, {
    ...{ version: "OpenIKED 7.4", deleted: "sent delete, closing SA", none: /no established/ },
  });

  it("tries the group it is told to at once", async () => {
    const wishes = { ikeProposals: ["aes256-sha256-x25519-ecp256"] };
    await lab.peer.driver.configure({ ...peerConfig, ...wishes });
    await lab.tester.driver.configure({ ...mirrored(peerConfig), ikeProposals: ["aes256-sha256-ecp256"] });
    const begun = performance.now();
    await lab.establish();
    expect(performance.now() - begun).to.be.lessThan(2000);
    await untilLogged(lab.peer.driver, "reinitiating with new DH group");
  });

  it("uses the transforms of the proposals", async () => {
    for (const esp of ["aes128ctr-sha384", "3des-sha1", "aes192-sha512-x25519"]) {
      const config = { ...peerConfig, espProposals: [esp] };
      await lab.tester.driver.configure(mirrored(config));
      await lab.peer.driver.configure(config);
      await lab.establish();
      await lab.peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
      await lab.counted([2, 2]);
      await lab.peer.driver.reset();
    }
  });

  it("comes up with certificates in either role", async () => {
    for (const [initiator, key] of [
      [lab.peer, "rsa2048"],
      [lab.tester, "ecdsa384"],
    ] as const) {
      const signature = { method: "signature", key } as const;
      const signed: PeerConfig = { ...peerConfig, auth: signature, testerAuth: signature };
      await lab.tester.driver.configure(mirrored(signed));
      await lab.peer.driver.configure(signed);
      await lab.establish(initiator);
    }
  });

  it("comes up over IPv6", async () => {
    const over6: PeerConfig = {
      ...peerConfig,
      local: { host: ADDRESSES.peer6, port: 500 },
      remote: { host: ADDRESSES.tester6, port: 500 },
      ...{ localTs: ["2001:db8:1::10/124"], remoteTs: ["2001:db8:1::/124"] },
    };
    await lab.tester.driver.configure(mirrored(over6));
    await lab.peer.driver.configure(over6);
    await lab.establish();
    await lab.peer.driver.rekeyChild();
    await untilLogged(lab.peer.driver, "rekeying CHILD SA");
  });

  it("reports the end of its kernel, and boots again with the configuration it had", async () => {
    for (const pid of await pidsIn(lab.peer.testerNamespace!.replace(/-t$/, "-p"))) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It died with the others.
      }
    }
    const gone = await untilStatus(lab.peer, (status) => !status.alive);
    expect(gone.exit).to.equal("the guest is gone");
    await lab.peer.restart();
    await lab.tester.driver.reset();
    await lab.establish();
  });
});

/** Sends a signal to one of iked's processes, which name themselves. */
const SIGNAL = `
for folder in /proc/[0-9]*; do
  case $(tr '\\0' ' ' < "$folder/cmdline") in "iked: $1 "*) kill "-$2" "\${folder#/proc/}" ;; esac
done`;

describe("iked in a guest", function () {
  this.timeout(60_000);
  let guest: Guest | undefined;
  let driver: OpenikedDriver;

  before(async function () {
    requirePeer(this, "openiked@7.4");
    const roots = { rootfs: rootfsPath("openiked", "7.4"), kernelRoot: rootfsPath(KERNEL) };
    const registry = new Registry("oicrash");
    guest = await Guest.boot({ runId: "oicrash", lane: process.pid % 1000, registry, ...roots });
    driver = new OpenikedDriver(guest);
    await driver.start();
  });

  after(() => guest?.stop());

  const signal = (process: string, name: string) =>
    guest!.must(["/bin/sh", "-c", SIGNAL, "sh", process, name]);

  for (const [process, name, exit] of [
    ["ikev2", "SEGV", "SIGSEGV of the ikev2 process"],
    ["ca", "KILL", "SIGKILL of the ca process"],
    ["parent", "SEGV", "SIGSEGV"],
  ] as const) {
    it(`reports the death of its ${process} process by SIG${name}, and starts again`, async () => {
      expect((await driver.status()).alive).to.equal(true);
      await signal(process, name);
      const end = performance.now() + 5000;
      while ((await driver.status()).exit === undefined && performance.now() < end);
      expect(await driver.status()).to.deep.equal({ alive: false, ikeSas: [], childSas: [], exit });
      await driver.restart();
      expect((await driver.status()).alive).to.equal(true);
    });
  }

  it("reports a hang as not alive, without an end", async () => {
    await signal("ikev2", "STOP");
    expect(await driver.status()).to.deep.equal({ alive: false, ikeSas: [], childSas: [] });
    await driver.restart();
    expect((await driver.status()).alive).to.equal(true);
  });

  it("does not start with a configuration that iked cannot read", async () => {
    const wrong = { ...peerConfig, remoteTs: ["203.0.113.300/28"] };
    const refusal = await driver.configure(wrong).catch(String);
    expect(refusal).to.match(/iked does not start.*203\.0\.113\.300/s);
  });
});
