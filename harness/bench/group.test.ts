import { expect } from "chai";
import { benchInband, benchTree } from "./group-tree.ts";
import type { BenchRow } from "./measure.ts";

/** Octets of excluding one member, of a row of that kind. */
function octets(rows: BenchRow[], what: RegExp): number {
  const row = rows.find((candidate) => what.test(candidate.what) && candidate.unit === "octets");
  if (!row) throw new Error(`no row ${what}`);
  return row.value;
}

describe("excluding one of many", () => {
  it("grows with the logarithm of the group's size under a key tree", () => {
    const [tens, thousands, most] = [10, 1000, 100_000].map((size) =>
      octets(benchTree(size, 0), /^excluding/),
    ) as [number, number, number];
    const step = thousands - tens;
    expect(step).to.be.above(0);
    expect(most - thousands).to.be.within(step / 2, step * 1.5);
  });

  it("grows with the size without one", () => {
    const rows = benchInband([10, 1000], 0);
    expect(octets(rows, /one of 1,000,/) / octets(rows, /one of 10,/)).to.equal(999 / 9);
  });
});
