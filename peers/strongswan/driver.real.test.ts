import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect } from "chai";
import type { PeerConfig, PeerStatus, RunningPeer, RuntimeName } from "../contract.ts";
import {
  createLaneNetwork,
  type LaneNetwork,
  Registry,
  removeLaneNetwork,
  startPeer,
} from "../runtime/index.ts";
import { ADDRESSES, pidsIn } from "../runtime/network.ts";
import { mirrored, ownTemporaryFolder, requirePeer, untilLogged, untilStatus } from "../runtime/testing.ts";

const common = {
  psk: "only for this test",
  ikeProposals: ["aes256-sha256-x25519"],
  espProposals: ["aes256gcm16-x25519"],
  mode: "tunnel",
} as const;

/** The peer's side, and the tester's which a second strongSwan plays here. */
const peerConfig: PeerConfig = {
  ...common,
  ikeProposals: [...common.ikeProposals],
  espProposals: [...common.espProposals],
  local: { host: ADDRESSES.peer, port: 500 },
  remote: { host: ADDRESSES.tester, port: 500 },
  localId: "peer.example",
  remoteId: "tester.example",
  localTs: ["203.0.113.16/28"],
  remoteTs: ["203.0.113.0/28"],
};
const testerConfig = mirrored(peerConfig);

const up = (status: PeerStatus) =>
  status.ikeSas.length === 1 &&
  status.ikeSas[0]!.state === "ESTABLISHED" &&
  status.childSas.length === 1 &&
  status.childSas[0]!.state === "INSTALLED";

const lane = process.pid % 1000;

for (const spec of ["6.1:netns", "6.0:netns", "5.9:netns", "6.1:uml", "6.0:uml"]) {
  const [version = "", runtime = ""] = spec.split(":");
  describe(`strongswan@${spec}`, function () {
    this.timeout(60_000);
    let registry: Registry;
    let temporary: ReturnType<typeof ownTemporaryFolder> | undefined;
    let network: LaneNetwork | undefined;
    let peer: RunningPeer;
    let tester: RunningPeer;

    before(async function () {
      const chosen = requirePeer(this, `strongswan@${spec}`);
      temporary = ownTemporaryFolder();
      registry = new Registry("drivertest");
      const options = { runId: "drivertest", lane, registry };
      if (runtime === "netns") network = await createLaneNetwork(registry, options.runId, lane);
      const start = (own: LaneNetwork | undefined, name: RuntimeName) =>
        startPeer(chosen.definition, chosen.version, name, { ...options, ...(own && { network: own }) });
      peer = await start(network, chosen.runtime);
      const testerNamespace = peer.testerNamespace!;
      tester = await start({ tester: network?.peer ?? "", peer: testerNamespace }, "netns");
    });

    beforeEach(async () => {
      await tester.driver.configure(testerConfig);
      await peer.driver.configure(peerConfig);
      await peer.driver.markLog();
    });

    after(async () => {
      if (!peer) return;
      await tester?.stop();
      await peer.stop();
      const pids = network ? [...(await pidsIn(network.peer)), ...(await pidsIn(network.tester))] : [];
      if (network) await removeLaneNetwork(registry, network);
      const left = temporary?.left();
      temporary?.remove();
      expect([...pids, ...(left ?? [])]).to.deep.equal([]);
      expect(existsSync(`/run/netns/${peer.testerNamespace}`)).to.equal(false);
    });

    const establish = async (from: RunningPeer = peer) => {
      await from.driver.initiate();
      await untilStatus(tester, up);
      return untilStatus(peer, up);
    };

    it("states its version", () => {
      expect(peer.version).to.match(new RegExp(`^strongSwan ${version.replace(".", "\\.")}`));
    });

    it("comes up as initiator and as responder, and carries traffic both ways", async () => {
      for (const initiator of [peer, tester]) {
        await establish(initiator);
        await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 5 });
        await tester.driver.sendTraffic({ from: "203.0.113.2", to: "203.0.113.20", count: 5, size: 1200 });
        const { childSas } = await peer.driver.status();
        expect([childSas[0]!.packetsIn, childSas[0]!.packetsOut]).to.deep.equal([10, 10]);
        expect(childSas[0]!.spiIn).to.match(/^[0-9a-f]{8}$/);
        await peer.driver.reset();
        await tester.driver.reset();
      }
    });

    it("rekeys both kinds of SA, with traffic after it", async () => {
      const first = await establish();
      await peer.driver.rekeyChild();
      const second = await untilStatus(
        peer,
        (s) => up(s) && s.childSas[0]!.spiIn !== first.childSas[0]!.spiIn,
      );
      await peer.driver.rekeyIke();
      await untilStatus(peer, (s) => up(s) && s.ikeSas[0]!.spiI !== second.ikeSas[0]!.spiI);
      await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 3 });
      const { childSas } = await untilStatus(peer, up);
      expect(childSas[0]!.packetsIn).to.equal(3);
    });

    it("deletes a Child SA and an IKE SA", async () => {
      await establish();
      await peer.driver.delete("child");
      await untilStatus(tester, (s) => s.ikeSas.length === 1 && s.childSas.length === 0);
      await peer.driver.delete("ike");
      await untilStatus(tester, (s) => s.ikeSas.length === 0);
      await untilLogged(peer.driver, "sending DELETE");
    });

    it("forgets silently", async () => {
      await establish();
      await peer.driver.reset();
      expect((await peer.driver.status()).ikeSas).to.deep.equal([]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(up(await tester.driver.status())).to.equal(true);
      await tester.driver.reset();
      await establish();
    });

    it("asks for a cookie when told to, and no longer when not", async () => {
      await peer.driver.configure({ ...peerConfig, cookies: "always" });
      await peer.driver.markLog();
      await tester.driver.initiate();
      await untilStatus(tester, up);
      await untilLogged(peer.driver, "sending COOKIE notify");
      await untilStatus(peer, up);
      await peer.driver.configure({ ...peerConfig, cookies: "always" });
      expect(await peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
      await peer.driver.configure(peerConfig);
      await tester.driver.reset();
      await peer.driver.markLog();
      await establish(tester);
      expect(await peer.driver.logs()).to.not.contain("sending COOKIE notify");
    });

    it("starts again with the configuration it had", async () => {
      await establish();
      await peer.restart();
      expect(await peer.driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
      await tester.driver.reset();
      await establish();
    });

    const ppks = [
      { id: "ppk-1", secret: "first of the PPKs" },
      { id: "ppk-2", secret: "second of the PPKs" },
    ];

    it("mixes in a PPK, the preferred one as initiator and any as responder", async () => {
      await peer.driver.configure({ ...peerConfig, ppks, ppkRequired: true });
      await tester.driver.configure({ ...testerConfig, ppks: ppks.toReversed() });
      for (const [initiator, used] of [
        [peer, "ppk-1"],
        [tester, "ppk-2"],
        [peer, "ppk-1"],
      ] as const) {
        await tester.driver.markLog();
        await establish(initiator);
        await untilLogged(tester.driver, "N(USE_PPK)");
        await untilLogged(tester.driver, `using PPK for PPK_ID '${used}'`);
        await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
        await peer.driver.reset();
        await tester.driver.reset();
      }
    });

    it("goes without a PPK where the other end has none, unless it must not", async () => {
      await peer.driver.configure({ ...peerConfig, ppks });
      await establish(peer);
      await peer.driver.configure({ ...peerConfig, ppks, ppkRequired: true });
      await peer.driver.markLog();
      await tester.driver.reset();
      await peer.driver.initiate();
      await untilLogged(peer.driver, "PPK required but");
    });

    it("has no PPKs of RFC 9867, and says so", async () => {
      for (const place of ["IKE_INTERMEDIATE", "CREATE_CHILD_SA"] as const) {
        const told = peer.driver.configure({ ...peerConfig, ppks, ppkIn: [place] });
        expect(await told.catch(String)).to.match(/RFC 9867/);
      }
    });

    it("has ML-KEM and additional key exchanges, or says at once that it has not", async () => {
      const ike = ["aes256-sha256-x25519-ke1_mlkem1024-ke2_mlkem512-ke2_none"];
      const proposals = { ikeProposals: ike, espProposals: ["aes256gcm16-mlkem768-ke1_mlkem512"] };
      const config = { ...peerConfig, ...proposals };
      if (version !== "6.1") {
        const lack = version === "6.0" ? /none of .* has ke1_mlkem1024/ : /no additional key exchanges/;
        expect(await peer.driver.configure(config).catch(String)).to.match(lack);
        return;
      }
      await peer.driver.configure(config);
      await tester.driver.configure({ ...testerConfig, ...proposals });
      for (const initiator of [peer, tester]) {
        const first = await establish(initiator);
        await peer.driver.rekeyChild();
        await untilStatus(peer, (s) => up(s) && s.childSas[0]!.spiIn !== first.childSas[0]!.spiIn);
        await untilLogged(peer.driver, "IKE_FOLLOWUP_KE");
        await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
        await peer.driver.reset();
        await tester.driver.reset();
      }
    });

    it("knows what proposals it cannot read", async () => {
      const config = { ...peerConfig, ikeProposals: ["aes256-sha256-nothing"] };
      expect(await peer.driver.configure(config).catch(String)).to.match(/no such proposal/);
    });

    if (runtime === "netns") {
      it("reports its death", async () => {
        const charons = execFileSync("pgrep", ["-x", "charon-systemd"], { encoding: "utf8" }).split("\n");
        const daemon = (await pidsIn(network!.peer)).filter((pid) => charons.includes(String(pid)));
        expect(daemon).to.have.length(1);
        process.kill(daemon[0]!, "SIGKILL");
        const dead = await untilStatus(peer, (s) => !s.alive && s.exit !== undefined);
        expect(dead.exit).to.match(/^SIGKILL/);
        await peer.restart();
        expect((await peer.driver.status()).alive).to.equal(true);
      });
    }
  });
}
