import { expect } from "chai";
import { openPeer } from "../../../harness/run/open-peer.ts";
import { Script } from "../../../harness/script/script.ts";
import { leaker } from "./effects.ts";
import { triggerTraces } from "./triggers.ts";

/** Plays the trigger of a fault to a process that has it; what `seen` makes of that. */
async function inProcess<T>(lie: string, seen: (script: Script) => Promise<T>): Promise<T> {
  const peer = await openPeer({
    ...{ peer: "builtin:process", id: "faulty", seed: "1", lie, runId: "faults", lane: 0 },
    network: undefined,
  });
  const script = new Script({ ...(await peer.arena("fault", {})), patience: 300 });
  try {
    await triggerTraces[lie]?.play(script);
    return await seen(script);
  } finally {
    script.host.stop();
    await peer.stop();
  }
}

/** More than a peer takes that waits. */
const BUSY_MS = 100;

describe("effects of planted faults", () => {
  it("are real in a process of its own: a signal and where it struck, a CPU that a loop keeps", async () => {
    const died = inProcess("dies-of-short-key-lengths", ({ arena }) => arena.driver.status());
    const looped = inProcess("spins-at-standing-proposals", async ({ arena: { driver } }) => {
      const used = async (): Promise<number> => (await driver.resources?.())?.cpuMs ?? 0;
      const before = await used();
      for (let waited = 0; waited < 5_000 && (await used()) - before < BUSY_MS; waited += 20)
        await new Promise((passed) => setTimeout(passed, 20));
      return (await used()) - before;
    });
    const [{ alive, exit }, used] = await Promise.all([died, looped]);
    expect(alive).to.equal(false);
    expect(exit).to.match(/^SIGSEGV: .*\n +#0 read_transform_attribute/);
    expect(used).to.be.at.least(BUSY_MS);
  });

  it("leak no more than the bound", () => {
    const before = process.memoryUsage().arrayBuffers;
    const leak = leaker(3 * 2 ** 20);
    for (let i = 0; i < 10; i++) leak(2 ** 20);
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(4 * 2 ** 20);
  });
});
