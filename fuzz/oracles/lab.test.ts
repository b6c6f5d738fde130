import { expect } from "chai";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import { Script } from "../../harness/script/script.ts";
import type { Outcome } from "../outcome.ts";
import { LabWatch } from "./lab.ts";

const SPI = new Uint8Array(8).fill(1);
/** What a case leaves that sent one datagram. */
const outcome = (): Outcome => ({
  case: {
    ...{ number: 7, seed: "lab", stage: "init" },
    trace: { trace: 1, setup: "psk", peer: "responder", steps: [{ act: "init" }] },
  },
  ...{ steps: [], probe: "answered", durationMs: 1, slowestMs: 1, entries: [], claims: [], messages: 1 },
  unproven: { out: 0, in: 0 },
});

describe("what the lab sees of a peer", () => {
  it("is nothing where all is well", async () => {
    const { driver } = await memoryArena({}, { seed: "lab" });
    const watch = new LabWatch(driver);
    expect(await watch.afterCase(outcome())).to.deep.equal([]);
    expect(await watch.afterBatch()).to.deep.equal([]);
  });

  it("is the end of a daemon, at once", async () => {
    const arena = await memoryArena({}, { seed: "lab", lie: "dies-of-isakmp" });
    const watch = new LabWatch(arena.driver);
    const script = new Script(arena);
    script.sendOctets(Uint8Array.of(...SPI, ...SPI, 0, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 28));
    await script.wait();
    script.host.stop();
    const [alarm, ...more] = await watch.afterCase(outcome());
    expect(alarm).to.include({
      oracle: "crash",
      severity: "critical",
      signature: "crash SIGSEGV after N dropped: major version below N",
    });
    expect(more).to.be.empty;
    expect(await watch.afterBatch()).to.have.lengthOf(1);
  });

  it("is an IKE SA that the peer takes for established and nobody was authenticated for", async () => {
    const arena = await memoryArena({}, { seed: "lab" });
    const script = new Script(arena);
    const { sa } = await script.dial();
    const watch = new LabWatch(arena.driver);
    // As a case that sent no AUTH has it: what was sent is not among its entries.
    await watch.afterCase({ ...outcome(), claims: [{ sa, authentic: false }] });
    const [alarm] = await watch.afterBatch();
    expect(alarm).to.include({ oracle: "state", detail: "case 7" });
    await watch.afterCase({ ...outcome(), claims: [{ sa, authentic: true }] });
    expect(await watch.afterBatch()).to.deep.equal([]);
    script.host.stop();
  });
});
