import { expect } from "chai";
import { type ChosenPeer, peerName } from "../../peers/definition.ts";
import { requirePeer } from "../../peers/runtime/testing.ts";
import { ask, keep, keptPeers } from "./keeper.ts";

describe("a peer that is kept up (needs root and strongSwan installed)", function () {
  this.timeout(60_000);
  let peer: ChosenPeer;
  let name: string;
  before(function () {
    peer = requirePeer(this, "strongswan@5.9");
    name = peerName(peer);
    if (keptPeers().includes(name)) this.skip();
  });

  it("comes up once, tells of itself, and leaves nothing when it goes down", async () => {
    const status = await keep(peer);
    try {
      expect(status).to.include({ alive: true, version: "strongSwan 5.9.8", peer: "192.0.2.2" });
      expect(await keep(peer)).to.deep.equal(status);
      const logs = await ask(name, "logs");
      expect(logs && "logs" in logs && logs.logs).to.match(/charon/i);
    } finally {
      expect(await ask(name, "down")).to.deep.equal({ down: true });
    }
    expect(await ask(name, "status")).to.equal(undefined);
    expect(keptPeers()).not.to.include(name);
  });
});
