import { expect } from "chai";
import { memoryArena } from "../run/arena-memory.ts";
import { Script } from "./script.ts";
import { MOST_OCTETS, Trace } from "./trace.ts";
import { Failure } from "./verdicts.ts";

const datagram = (octets: number) => ({
  ...{ protocol: "udp" as const, data: new Uint8Array(octets) },
  source: { host: "192.0.2.2", port: 500 },
  destination: { host: "192.0.2.1", port: 500 },
});

describe("trace", () => {
  it("keeps no more than so many octets, be they in few datagrams or in many", () => {
    for (const octets of [60_000, 30]) {
      const trace = new Trace();
      let count = 0;
      while (trace.add(0, { type: "datagram-received", datagram: datagram(octets) })) count++;
      expect(trace.entries).to.have.length(count);
      expect(count * octets).to.be.below(MOST_OCTETS);
      expect(trace.add(0, { type: "dropped", datagram: datagram(1), reason: "late" })).to.equal(false);
    }
  });

  it("ends the test of a peer that floods us, as its failure", async () => {
    const script = new Script(await memoryArena({}, { seed: "flood" }));
    await script.dial();
    for (let i = 0; i < 300; i++) script.host.take(datagram(60_000));
    const error = await script.wait().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(Failure);
    expect(String(error)).to.include("the peer floods us");
    script.host.stop();
  });
});
