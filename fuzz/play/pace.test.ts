import { expect } from "chai";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { Pace } from "./pace.ts";

describe("pace of a peer", () => {
  it("is a guess at first, and that of the slowest exchange for one that was never seen", () => {
    const pace = new Pace({ least: 3, most: 300 });
    expect(pace.grace(EXCHANGE.IKE_AUTH)).to.equal(15);
    for (let i = 0; i < 50; i++) pace.answered(EXCHANGE.IKE_SA_INIT, 40);
    expect(pace.grace(EXCHANGE.CREATE_CHILD_SA)).to.be.within(80, 90);
    for (let i = 0; i < 50; i++) pace.answered(EXCHANGE.CREATE_CHILD_SA, 2);
    for (let i = 0; i < 50; i++) pace.answered("probe", 1);
    expect(pace.grace(EXCHANGE.CREATE_CHILD_SA)).to.be.within(4, 5);
  });

  it("stays within its bounds", () => {
    const pace = new Pace({ least: 3, most: 300 });
    for (let i = 0; i < 50; i++) pace.answered("probe", 0.1);
    for (let i = 0; i < 50; i++) pace.answered(EXCHANGE.IKE_AUTH, 0.1);
    expect(pace.grace(EXCHANGE.IKE_AUTH)).to.equal(3);
    pace.answered(EXCHANGE.IKE_AUTH, 100_000);
    expect(pace.grace(EXCHANGE.IKE_AUTH)).to.equal(300);
  });
});
