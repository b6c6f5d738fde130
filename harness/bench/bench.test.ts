import { expect } from "chai";
import { benches, benchText, findBench } from "./index.ts";
import { rates } from "./measure.ts";

describe("benchmarks", () => {
  for (const bench of benches) {
    it(`${bench.name} gives figures`, async () => {
      const result = await bench.run(0.1);
      expect(result.name).to.equal(bench.name);
      expect(result.rows).not.to.be.empty;
      for (const row of result.rows) {
        expect(row.value, row.what).to.be.above(0);
        if (row.reference) expect(row.share).to.be.closeTo(row.value / row.reference.value, 1e-9);
      }
      expect(benchText([result])).to.include(result.rows[0]?.what);
    });
  }

  it("are found by name", () => {
    expect(findBench("esp")?.name).to.equal("esp");
    expect(findBench("nothing")).to.equal(undefined);
  });

  it("see which of two is faster", () => {
    const work = (rounds: number) => () => {
      let sum = 0;
      for (let i = 0; i < rounds; i++) sum += Math.sqrt(i);
      if (sum < 0) throw new Error("impossible");
    };
    const { much, little } = rates({ much: work(20_000), little: work(1000) }, 0.2);
    expect(little).to.be.above(2 * much);
  });
});
