import { expect } from "chai";
import type { PeerConfig, RunningPeer } from "../../peers/contract.ts";
import { Registry, startPeer } from "../../peers/runtime/index.ts";
import { inNamespace } from "../../peers/runtime/network.ts";
import { run } from "../../peers/runtime/process.ts";
import { requirePeer, tunnelConfig } from "../../peers/runtime/testing.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

const config: PeerConfig = tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16"]);

/** User-space ESP, which is always in UDP, and that of a kernel. */
for (const [spec, encap, way] of [
  ["strongswan@6.1:netns", "auto", "ESP in UDP"],
  ["strongswan@6.1:uml", "esp", "ESP as IP protocol 50"],
] as const) {
  describe(`bakeoff esp-ping and dial to ${spec} (needs root)`, function () {
    this.timeout(90_000);
    let peer: RunningPeer | undefined;

    before(async function () {
      const { definition, version, runtime } = requirePeer(this, spec);
      const options = { runId: "esp-ping", lane: process.pid % 1000, registry: new Registry("esp-ping") };
      peer = await startPeer(definition, version, runtime, options);
      await peer.driver.configure(config);
    });
    after(() => peer?.stop());

    /** Runs the command where the peer can be reached. */
    async function bakeoff(command: string, ...args: string[]) {
      if (!peer?.testerNamespace) throw new Error("no namespace of ours");
      const argv = [process.execPath, "--import", "tsx", MAIN, command, peer.peer, ...args];
      const ends = [
        ...["--psk", config.psk, "--local-id", config.remoteId, "--remote-id", config.localId],
        ...["--local-ts", "203.0.113.0/28", "--remote-ts", "203.0.113.16/28", "--encap", encap],
      ];
      return run(inNamespace(peer.testerNamespace, [...argv, ...ends]), { timeoutMs: 60_000 });
    }

    it("dials, pings through the tunnel, and leaves no SA behind", async () => {
      const { stdout, exit } = await bakeoff("dial", "--ping");
      expect(stdout).to.contain(`tunnel mode, ${way}`);
      expect(stdout).to.match(/203\.0\.113\.1 to 203\.0\.113\.17: [123] of 3 answered/);
      expect(exit).to.equal(0);
      expect((await peer?.driver.status())?.ikeSas).to.deep.equal([]);
    });

    it("hears nothing, says that this proves nothing, and has done the SA no harm", async () => {
      const wishes = ["--count", "3", "--interval", "0.2", "--timeout", "1", "--icmp"];
      const { stdout, exit } = await bakeoff("esp-ping", ...wishes);
      expect(stdout).to.contain(way);
      expect(stdout).to.contain("the peer did not announce ESP_ECHO_SUPPORTED; silence proves nothing");
      expect(stdout).to.contain("3 requests, 0 answered, 100 % loss");
      expect(stdout).to.match(/203\.0\.113\.1 to 203\.0\.113\.17: [123] of 3 answered/);
      expect(exit).to.equal(1);
      expect((await peer?.driver.status())?.ikeSas).to.deep.equal([]);
    });

    it("gets no answer to requests outside of SAs", async () => {
      const wishes = ["--plain", "--count", "2", "--interval", "0.2", "--timeout", "1"];
      const { stdout, exit } = await bakeoff("esp-ping", ...wishes);
      expect(stdout).to.contain("2 requests, 0 answered, 100 % loss");
      expect(exit).to.equal(1);
      expect((await peer?.driver.status())?.alive).to.equal(true);
    });
  });
}
