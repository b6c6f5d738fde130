import { expect } from "chai";
import { SenderIds } from "./sender-ids.ts";

describe("Sender-IDs", () => {
  it("count from 0 and come once", () => {
    const ids = new SenderIds({ bits: 4, most: 3 });
    expect(ids.take(2)).to.deep.equal([0, 1]);
    expect(ids.take(1)).to.deep.equal([2]);
  });

  it("are no more than the policy grants, whatever is asked for", () => {
    const ids = new SenderIds({ bits: 8, most: 3 });
    expect(ids.take(0xffffffff)).to.deep.equal([0, 1, 2]);
    expect(ids.take(0)).to.deep.equal([]);
    expect(ids.take(1)).to.deep.equal([3]);
  });

  it("end with their bits, and begin anew when told so", () => {
    const ids = new SenderIds({ bits: 1, most: 16 });
    expect(ids.take(2)).to.deep.equal([0, 1]);
    expect(ids.take(1)).to.equal(undefined);
    ids.reset();
    expect(ids.take(1)).to.deep.equal([0]);
  });
});
