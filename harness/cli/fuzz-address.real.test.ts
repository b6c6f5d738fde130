import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { campaignSchema } from "../../fuzz/campaign/tally.ts";
import type { RunningPeer } from "../../peers/contract.ts";
import { Registry, startPeer } from "../../peers/runtime/index.ts";
import { inNamespace } from "../../peers/runtime/network.ts";
import { run } from "../../peers/runtime/process.ts";
import { requirePeer, tunnelConfig } from "../../peers/runtime/testing.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;
const CASES = 40;

const config = tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16"]);

describe("bakeoff fuzz at the address of strongswan@6.1 (needs root)", function () {
  this.timeout(90_000);
  let folder: string;
  let peer: RunningPeer | undefined;

  before(async function () {
    const { definition, version, runtime } = requirePeer(this, "strongswan@6.1:netns");
    const options = { runId: "fuzz-box", lane: process.pid % 1000, registry: new Registry("fuzz-box") };
    folder = mkdtempSync(join(tmpdir(), "bakeoff-fuzz-box-"));
    peer = await startPeer(definition, version, runtime, options);
    await peer.driver.configure(config);
    writeFileSync(join(folder, "targets.yaml"), `- { address: ${peer.peer}, owner: "this test" }\n`);
  });
  after(async () => {
    await peer?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  it("lies to it on SAs that it made, without a driver", async () => {
    if (!peer?.testerNamespace) throw new Error("no namespace of ours");
    const argv = [
      ...[process.execPath, "--import", "tsx", MAIN, "fuzz", "--peer", peer.peer, "--json"],
      ...["--targets", join(folder, "targets.yaml"), "--out", join(folder, "out"), "--setup", "psk"],
      ...["--stage", "create-child", "--cases", `${CASES}`, "--time", "60s"],
      ...["--psk", config.psk, "--local-id", config.remoteId, "--remote-id", config.localId],
      ...["--local-ts", "203.0.113.0/28", "--remote-ts", "203.0.113.16/28"],
      ...["--ike", "aes256-sha256-x25519", "--esp", "aes256gcm16"],
    ];
    const { stdout, stderr } = await run(inNamespace(peer.testerNamespace, argv), { timeoutMs: 80_000 });
    const { cases, stages, peers } = campaignSchema.parse(JSON.parse(stdout));
    expect(cases, stderr).to.equal(CASES);
    expect(peers[0]?.dropped).to.deep.equal([]);
    expect(stages["create-child"]?.reached).to.be.above(0);
    expect((await peer.driver.status()).alive).to.equal(true);
  });
});
