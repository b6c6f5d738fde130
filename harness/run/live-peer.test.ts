import { expect } from "chai";
import { Script } from "../script/script.ts";
import { memoryPeer, withCodePoints } from "./live-peer.ts";

describe("a peer with code points of its own", () => {
  const peer = withCodePoints(memoryPeer({ peer: "builtin:memory", id: "builtin", seed: "1" }, ""), {
    ESP_ECHO_SUPPORTED: 41000,
    ANTI_REPLAY_STATUS: 41001,
  });

  it("is told them, and a test asks for them by name", async () => {
    const script = new Script(await peer.arena("a/1/test", { config: { mtu: 1400 } }));
    expect(script.arena.config).to.include({ mtu: 1400 });
    expect(script.codePoint("ESP_ECHO_SUPPORTED")).to.equal(41000);
    expect(script.codePoint("ENCRYPTED_PING_SUPPORTED")).to.equal(51100);
    script.host.stop();
  });

  it("gives way to what a test wants", async () => {
    const { config } = await peer.arena("a/1/test", {
      config: { codePoints: { ESP_ECHO_SUPPORTED: 42000 } },
    });
    expect(config.codePoints).to.deep.equal({ ESP_ECHO_SUPPORTED: 42000, ANTI_REPLAY_STATUS: 41001 });
  });
});
