import { existsSync } from "node:fs";
import { expect } from "chai";
import type { PeerConfig, PeerStatus, RunningPeer } from "../contract.ts";
import { findPeer } from "../definition.ts";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { Registry, startPeer } from "../runtime/index.ts";
import { ADDRESSES, pidsIn } from "../runtime/network.ts";
import { mirrored, requirePeer, untilLogged, untilStatus } from "../runtime/testing.ts";
import { Guest } from "../runtime/uml.ts";
import { OpenikedDriver } from "./driver.ts";

const peerConfig: PeerConfig = {
  psk: "only for this test",
  ikeProposals: ["aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519"],
  espProposals: ["aes256gcm16", "aes256-sha512"],
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

describe("openiked@7.4:uml", function () {
  this.timeout(60_000);
  const registry = new Registry("oitest");
  const options = { runId: "oitest", lane: process.pid % 1000, registry };
  let peer: RunningPeer;
  let tester: RunningPeer;

  before(async function () {
    const chosen = requirePeer(this, "openiked@7.4");
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

  it("states its version", () => expect(peer.version).to.equal("OpenIKED 7.4"));

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

  it("rekeys both kinds of SA as often as told, with traffic after it", async () => {
    await establish();
    for (let round = 0; round < 2; round++) {
      const [first] = (await peer.driver.status()).childSas;
      await peer.driver.rekeyChild();
      await untilStatus(peer, (s) => up(s) && s.childSas[0]!.spiIn !== first!.spiIn);
      const [before] = (await tester.driver.status()).ikeSas;
      await peer.driver.rekeyIke();
      await untilStatus(tester, (s) => s.ikeSas.length === 1 && s.ikeSas[0]!.spiI !== before!.spiI);
    }
    await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 3 });
    await counted([3, 3]);
  });

  it("deletes a Child SA and an IKE SA, and says so when there is none", async () => {
    await establish();
    await peer.driver.delete("child");
    await untilStatus(tester, sas(1, 0));
    await peer.driver.delete("ike");
    await untilStatus(tester, sas(0, 0));
    await untilLogged(peer.driver, "sent delete, closing SA");
    for (const verb of ["rekeyIke", "rekeyChild"] as const) {
      const refusal = await peer.driver[verb]().catch(String);
      expect(refusal, verb).to.include("no established");
    }
  });

  it("forgets silently, in less than 2 s", async () => {
    await establish();
    const begun = performance.now();
    await peer.driver.reset();
    expect(performance.now() - begun).to.be.lessThan(2000);
    expect(await peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(up(await tester.driver.status())).to.equal(true);
    await tester.driver.reset();
    await establish();
  });

  it("tries the group it is told to at once", async () => {
    const wishes = { ikeProposals: ["aes256-sha256-x25519-ecp256"] };
    await peer.driver.configure({ ...peerConfig, ...wishes });
    await tester.driver.configure({ ...mirrored(peerConfig), ikeProposals: ["aes256-sha256-ecp256"] });
    const begun = performance.now();
    await establish();
    expect(performance.now() - begun).to.be.lessThan(2000);
    await untilLogged(peer.driver, "reinitiating with new DH group");
  });

  it("uses the transforms of the proposals", async () => {
    for (const esp of ["aes128ctr-sha384", "3des-sha1", "aes192-sha512-x25519"]) {
      const config = { ...peerConfig, espProposals: [esp] };
      await tester.driver.configure(mirrored(config));
      await peer.driver.configure(config);
      await establish();
      await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
      await counted([2, 2]);
      await peer.driver.reset();
    }
  });

  it("comes up with certificates in either role", async () => {
    for (const [initiator, key] of [
      [peer, "rsa2048"],
      [tester, "ecdsa384"],
    ] as const) {
      const signature = { method: "signature", key } as const;
      const signed: PeerConfig = { ...peerConfig, auth: signature, testerAuth: signature };
      await tester.driver.configure(mirrored(signed));
      await peer.driver.configure(signed);
      await establish(initiator);
    }
  });

  it("comes up over IPv6", async () => {
    const over6: PeerConfig = {
      ...peerConfig,
      local: { host: ADDRESSES.peer6, port: 500 },
      remote: { host: ADDRESSES.tester6, port: 500 },
      ...{ localTs: ["2001:db8:1::10/124"], remoteTs: ["2001:db8:1::/124"] },
    };
    await tester.driver.configure(mirrored(over6));
    await peer.driver.configure(over6);
    await establish();
    await peer.driver.rekeyChild();
    await untilLogged(peer.driver, "rekeying CHILD SA");
  });

  it("starts again with the configuration it had", async () => {
    await establish();
    await peer.restart();
    expect(await peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
    await tester.driver.reset();
    await establish();
  });

  it("reports the end of its kernel, and boots again with the configuration it had", async () => {
    for (const pid of await pidsIn(peer.testerNamespace!.replace(/-t$/, "-p"))) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It died with the others.
      }
    }
    const gone = await untilStatus(peer, (status) => !status.alive);
    expect(gone.exit).to.equal("the guest is gone");
    await peer.restart();
    await tester.driver.reset();
    await establish();
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
