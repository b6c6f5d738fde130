import { expect } from "chai";
import { memoryArena } from "../harness/run/arena-memory.ts";
import { Script } from "../harness/script/script.ts";
import { Failure, Unsupported } from "../harness/script/verdicts.ts";
import { type Expectation, playInSuite, type SuiteTrace } from "./in-suite.ts";

const trace: SuiteTrace = {
  ...{ setup: "psk", peer: "responder", seed: "1" },
  steps: [{ act: "init" }, { act: "auth", changes: [{ message: 0, op: "payload-omit", at: "TSi" }] }],
};

describe("a fuzzed conversation in a test", () => {
  const play = async (lie: string | undefined, played: SuiteTrace, expectation: Expectation) => {
    const script = new Script(await memoryArena({}, { seed: "1", ...(lie !== undefined && { lie }) }));
    try {
      await playInSuite(script, played, expectation);
      return script.trace.exchanges.length;
    } finally {
      script.host.stop();
    }
  };
  const thrown = (made: Promise<unknown>) =>
    made.then(
      () => undefined,
      (error: unknown) => error,
    );

  it("fails on a peer that dies of it, and passes on one that is in order", async () => {
    expect(await thrown(play("dies-without-one-selector", trace, { must: "survive" })))
      .to.be.instanceOf(Failure)
      .with.property("message")
      .that.includes("SIGSEGV");
    expect(await play(undefined, trace, { must: "survive" })).to.be.at.least(2);
    expect(await play(undefined, trace, { must: "obey", signature: "none" })).to.be.at.least(2);
  });

  it("lets a peer fill its caches once, and no more", async () => {
    const taken = async (octetsAt: (look: number) => number): Promise<unknown> => {
      const script = new Script(await memoryArena({}, { seed: "1" }));
      let looks = 0;
      script.arena.driver.resources = async () => ({ octets: 2 ** 20 * octetsAt(looks++), cpuMs: 0 });
      const played = playInSuite(script, trace, { must: "give back" });
      return thrown(played).finally(() => script.host.stop());
    };
    expect(await taken((look) => (look === 0 ? 100 : 110))).to.equal(undefined);
    const acts = ["init", "auth", "rekey-ike", "delete-child", "delete-child"] as const;
    const deletes = { ...trace, steps: acts.map((act) => ({ act })) };
    const kept = await thrown(play("keeps-deletes-after-a-rekey", deletes, { must: "give back" }));
    expect(kept).to.be.instanceOf(Failure).with.property("message").that.includes("octets a time");
  });

  it("passes where a mended peer refuses the lie, and a message behind it is left out", async () => {
    const steps: SuiteTrace["steps"] = [
      ...trace.steps,
      { act: "rekey-child", changes: [{ message: 1, op: "message-skip" }] },
    ];
    await play(undefined, { ...trace, steps }, { must: "survive" });
    const skipping = { ...trace, steps: steps.filter(({ act }) => act !== "init") };
    const alone = { ...skipping, steps: skipping.steps.slice(1) };
    expect(await thrown(play(undefined, alone, { must: "survive" }))).to.be.instanceOf(Unsupported);
  });

  it("is unsupported where the peer lets nobody come to the lie", async () => {
    const steps: SuiteTrace["steps"] = [
      { act: "init" },
      { act: "auth", changes: [{ message: 0, op: "payload-omit", at: "KD" }] },
    ];
    expect(await thrown(play(undefined, { ...trace, steps }, { must: "survive" }))).to.be.instanceOf(
      Unsupported,
    );
  });
});
