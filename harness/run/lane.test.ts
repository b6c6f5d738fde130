/** Peers that die or stop answering, and tests that do not end. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import type { TestBody } from "../script/test.ts";
import { Failure } from "../script/verdicts.ts";
import { runTest } from "./lane.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import { type LivePeer, memoryPeer } from "./live-peer.ts";
import { openPeer } from "./open-peer.ts";
import type { SuiteTest } from "./suites.ts";

const order: LaneOrder = {
  ...{
    kind: "order",
    peer: "builtin:process",
    id: "builtin@current:process",
    tests: [],
    files: [],
    seed: "1",
  },
  ...{ testLimitMs: 30_000, runId: "test", lane: 0 },
};

const suiteTest = (body: TestBody): SuiteTest => ({
  ...{
    id: "rfc7296/0/made-up",
    document: "rfc7296",
    revision: "",
    section: "0",
    title: "made up",
    file: "",
  },
  ...{ facts: { requirements: [], peer: "responder", lies: [] }, body },
});

const dial: TestBody = async (s) => {
  await (await s.dial()).proveTraffic();
};

function pidOf(peer: LivePeer): number {
  const driver = peer.driver();
  if (!(driver instanceof BuiltinProcess) || driver.pid === undefined) throw new Error("no process");
  return driver.pid;
}

describe("a lane", function () {
  this.timeout(60_000);
  let peer: LivePeer;
  const verdictOf = async (body: TestBody, testLimitMs = 30_000) => {
    const { result, overtime } = await runTest(suiteTest(body), peer, { epochMs: 0, testLimitMs });
    return { verdict: result.verdict, reason: result.reason, overtime };
  };

  before(async () => {
    peer = await openPeer(order);
  });
  after(() => peer.stop());

  it("gives a crash to a peer that dies, and goes on with it after a restart", async () => {
    const killing: TestBody = async (s) => {
      const session = await s.dial();
      process.kill(pidOf(peer), "SIGSEGV");
      await session.informational();
    };
    expect(await verdictOf(killing)).to.deep.include({ verdict: "crash", reason: "the peer died: SIGSEGV" });
    await peer.restart();
    expect(await verdictOf(dial)).to.include({ verdict: "pass" });
  });

  it("gives a crash to a peer that dies after the last thing that was looked at", async () => {
    const late: TestBody = async (s) => {
      await s.dial();
      process.kill(pidOf(peer), "SIGKILL");
      await s.wait();
    };
    expect(await verdictOf(late)).to.include({ verdict: "crash", reason: "the peer died: SIGKILL" });
    await peer.restart();
  });

  it("gives a crash, with the log, to a peer that dies between two tests", async () => {
    const out = mkdtempSync(join(tmpdir(), "bakeoff-lane-test-"));
    try {
      await verdictOf(dial);
      process.kill(pidOf(peer), "SIGKILL");
      const { result } = await runTest(suiteTest(dial), peer, { epochMs: 0, testLimitMs: 30_000, out });
      expect(result).to.include({
        verdict: "crash",
        reason: "the peer died between the test before and this one: SIGKILL",
      });
      expect(existsSync(join(out, result.evidence.log ?? "none"))).to.equal(true);
    } finally {
      rmSync(out, { recursive: true });
      await peer.restart();
    }
  });

  it("brings back for the next test what was gone before it", async () => {
    expect(await verdictOf(dial)).to.include({ verdict: "pass" });
  });

  it("outlives a test whose hook throws in the middle of a datagram", async () => {
    const throwing: TestBody = async (s) => {
      s.extensions.push({
        name: "broken",
        incoming: () => {
          throw new RangeError("a hook is broken");
        },
      });
      await s.dial();
    };
    const { verdict, reason } = await verdictOf(throwing);
    expect(verdict).to.equal("setup");
    expect(reason).to.match(/a hook is broken/);
    const failing: TestBody = async (s) => {
      s.extensions.push({
        name: "verifier",
        incoming: () => {
          throw new Failure("an answer without fault", "one with");
        },
      });
      await s.dial();
    };
    expect(await verdictOf(failing)).to.include({ verdict: "fail" });
    expect(await verdictOf(dial)).to.include({ verdict: "pass" });
  });

  it("gives a hang to a peer that stops between two tests, and goes on with it after a restart", async () => {
    await verdictOf(dial);
    process.kill(pidOf(peer), "SIGSTOP");
    expect(await verdictOf(dial)).to.include({
      verdict: "hang",
      reason: "the peer stopped answering before this test",
    });
    await peer.restart();
    expect(await verdictOf(dial)).to.include({ verdict: "pass" });
  });

  it("gives a hang to a peer that lives and answers nobody", async () => {
    const stopping: TestBody = async (s) => {
      const session = await s.dial();
      process.kill(pidOf(peer), "SIGSTOP");
      await session.informational();
    };
    const { verdict, reason } = await verdictOf(stopping);
    expect(verdict).to.equal("hang");
    expect(reason).to.match(/answers no fresh IKE_SA_INIT/);
    await peer.restart();
    expect(await verdictOf(dial)).to.include({ verdict: "pass" });
  });

  it("gives no hang to a box that only begins, where nobody need answer", async () => {
    const memory = memoryPeer(order, "");
    const arena: LivePeer["arena"] = async (test, wishes) => {
      const made = await memory.arena(test, wishes);
      return { ...made, link: { ...made.link, send: () => {} } };
    };
    const failing: TestBody = async () => {
      throw new Failure("an IKE_SA_INIT", "none");
    };
    for (const [begins, verdict] of [
      [true, "fail"],
      [false, "hang"],
    ] as const) {
      const options = { epochMs: 0, testLimitMs: 30_000 };
      const { result } = await runTest(suiteTest(failing), { ...memory, arena, begins }, options);
      expect(result.verdict).to.equal(verdict);
    }
  });

  it("gives a hang to a test that reaches its hard end", async () => {
    const endless: TestBody = () => new Promise(() => {});
    const { verdict, overtime } = await verdictOf(endless, 200);
    expect({ verdict, overtime }).to.deep.equal({ verdict: "hang", overtime: true });
  });

  it("gives a setup to a test that is at fault itself", async () => {
    const faulty: TestBody = async () => {
      throw new TypeError("no such thing");
    };
    const memory = memoryPeer(order, "");
    const { result } = await runTest(suiteTest(faulty), memory, { epochMs: 0, testLimitMs: 1000 });
    expect(result.verdict).to.equal("setup");
    expect(result.reason).to.match(/no such thing/);
  });
});
