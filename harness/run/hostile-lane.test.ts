import { expect } from "chai";
import type { Arena } from "../script/arena.ts";
import { emptyPayloads } from "../script/bulk.ts";
import { encodeMessage } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { type LanePeer, runTest } from "./lane.ts";
import { memoryPeer } from "./live-peer.ts";
import { loadTests, type SuiteTest } from "./suites.ts";

/** A chain of 10,000 payloads in clear, under SPIs that nobody has. */
const LONG = encodeMessage({
  header: {
    ...{ spiI: new Uint8Array(8).fill(1), spiR: new Uint8Array(8).fill(2), version: 0x20 },
    ...{ exchangeType: EXCHANGE.INFORMATIONAL, flags: 0, messageId: 0 },
  },
  payloads: emptyPayloads(),
});

/** Before every datagram of the peer comes one of these, and from the first on one each millisecond. */
function flooded(arena: Arena): Arena {
  const { link, local, remote, world } = arena;
  const datagram = { protocol: "udp", source: remote, destination: local, data: LONG } as const;
  const onReceive: Arena["link"]["onReceive"] = (handler) => {
    const flood = () => {
      handler(datagram);
      world.clock.at(world.clock.now() + 1, flood);
    };
    world.clock.at(world.clock.now() + 1, flood);
    link.onReceive(handler);
  };
  return { ...arena, link: { ...link, onReceive } };
}

describe("a peer that floods a test", () => {
  let test: SuiteTest;
  before(async () => {
    const found = (await loadTests()).find(({ id }) => id === "rfc7296/1.2/sets-up-ike-and-child-sa");
    if (!found) throw new Error("the test of this test is gone");
    test = found;
  });

  it("ends it as its failure with a finding, and the next test passes", async () => {
    const honest = memoryPeer({ peer: "builtin:memory", id: "builtin", seed: "1" }, "");
    const hostile: LanePeer = {
      ...honest,
      arena: async (id, wishes) => flooded(await honest.arena(id, wishes)),
    };
    const options = { epochMs: honest.epochMs, testLimitMs: 60_000 };
    const slow: SuiteTest = {
      ...test,
      body: async (s) => {
        await s.dial();
        await s.wait(60_000);
      },
    };
    const first = await runTest(slow, hostile, options);
    expect(first.result.verdict).to.equal("fail");
    expect(first.result.reason).to.include("the peer floods us");
    const second = await runTest(test, honest, options);
    expect(second.result.verdict).to.equal("pass");
  });
});
