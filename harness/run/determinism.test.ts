import { expect } from "chai";
import type { PeerConfig } from "../../peers/contract.ts";
import { Script } from "../script/script.ts";
import { memoryArena } from "./arena-memory.ts";
import { eventLines } from "./event-stream.ts";

const WORST = { loss: 0.1, duplication: 0.2, jitterMs: 100, maxInARow: 1 };

/** The event stream of a session that does something of everything. */
async function stream(seed: string, config: Partial<PeerConfig> = {}): Promise<string> {
  const s = new Script(await memoryArena({ config }, { seed, impairment: WORST }));
  const session = await s.dial();
  await session.proveTraffic();
  await session.rekeyChild();
  const next = await session.rekeyIke();
  await next.peerRekeysChild();
  await next.ping();
  await next.deleteIke();
  await s.wait();
  s.host.stop();
  return eventLines(s.trace);
}

describe("event stream in memory", () => {
  const configs: [string, Partial<PeerConfig>][] = [
    ["AEAD", { ikeProposals: ["aes256gcm16-prfsha256-x25519"] }],
    ["CBC, whose IVs are drawn", { ikeProposals: ["aes256-sha256-ecp256"], espProposals: ["aes256-sha256"] }],
    ["MODP", { ikeProposals: ["aes128-sha1-modp2048"] }],
    ["cookies", { cookies: "always" }],
  ];
  for (const [name, config] of configs) {
    it(`is the same, octet by octet, for the same seed: ${name}`, async () => {
      const [first, second] = [await stream("1", config), await stream("1", config)];
      expect(first.split("\n").length).to.be.above(40);
      expect(second).to.equal(first);
    });
  }

  it("is another for another seed", async () => {
    expect(await stream("2")).not.to.equal(await stream("3"));
  });
});
