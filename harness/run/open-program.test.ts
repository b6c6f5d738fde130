/** Drivers that break the contract while nobody asks them anything. */
import { expect } from "chai";
import type { TestBody } from "../script/test.ts";
import { runTest } from "./lane.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import { openPeer } from "./open-peer.ts";
import { preflight } from "./preflight.ts";

const folder = new URL("../../peers/program/", import.meta.url).pathname;

const orderFor = (mutant: string): LaneOrder => ({
  ...{
    kind: "order",
    peer: "contract",
    id: "contract",
    tests: [],
    files: [],
    seed: "1",
    testLimitMs: 30_000,
  },
  ...{ runId: "test", lane: 0, external: { name: "contract", version: "current", runtime: "process" } },
  program: { argv: ["node", "--import", "tsx", "testing-driver.ts", mutant], folder },
});

/** Until the fault is there. */
const SOON_MS = 1_000;

const dialling: TestBody = async (s) => {
  await s.wait(SOON_MS);
  await s.dial();
};
const silence: TestBody = async (s) => {
  await s.wait(SOON_MS);
  if (s.received().length > 0) throw new Error("a message");
};
const FAULTS: [mutant: string, fault: RegExp, body: TestBody][] = [
  ["chatters", /the driver says something without being asked: "loaded"$/, dialling],
  ["leaves", /the driver ended: exit 3$/, silence],
  ["floods", /the driver writes a line without end: "x+"\.\.\.$/, dialling],
];

describe("a driver that breaks the contract between two verbs", function () {
  this.timeout(60_000);

  const suiteTest = (body: TestBody) => ({
    ...{ id: "rfc7296/0/made-up", document: "rfc7296", revision: "", section: "0", title: "made up" },
    ...{ file: "", page: "", facts: { requirements: [], peer: "responder" as const, lies: [] }, body },
  });

  for (const [mutant, fault, body] of FAULTS)
    it(`makes setup of the test at hand: ${mutant}`, async () => {
      const peer = await openPeer(orderFor(mutant));
      try {
        const { result } = await runTest(suiteTest(body), peer, { epochMs: 0, testLimitMs: 30_000 });
        expect(result.verdict).to.equal("setup");
        expect(result.reason).to.match(fault);
      } finally {
        await peer.stop();
      }
    });

  it("is what the pre-flight says, not what it did to the peer", async () => {
    const peer = await openPeer(orderFor("chatters"));
    const arena: typeof peer.arena = async (test, wishes) => {
      const made = await peer.arena(test, wishes);
      await made.world.until(() => false, SOON_MS);
      return made;
    };
    try {
      const { reason } = (await preflight({ ...peer, arena }, orderFor("chatters"))) ?? {};
      expect(reason).to.equal('pre-flight: the driver says something without being asked: "loaded"');
    } finally {
      await peer.stop();
    }
  });
});
