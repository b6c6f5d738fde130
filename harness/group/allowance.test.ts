import { expect } from "chai";
import { Allowance } from "./allowance.ts";

describe("an allowance", () => {
  it("ends, and comes back with time", () => {
    const allowance = new Allowance(0);
    expect(allowance.take(60, 0)).to.equal(true);
    expect(allowance.take(5, 0)).to.equal(false);
    expect(allowance.take(4, 0)).to.equal(true);
    expect(allowance.take(1, 9_999)).to.equal(false);
    expect(allowance.take(1, 10_000)).to.equal(true);
    expect(allowance.take(64, 10_000_000)).to.equal(true);
    expect(allowance.take(1, 10_000_000)).to.equal(false);
  });
});
