import { expect } from "chai";
import { Ledger, Rates } from "./ledger.ts";

describe("the ledger of the listener", () => {
  it("lets out no more than came in, until the source is proven", () => {
    let now = 0;
    const ledger = new Ledger(() => now);
    expect(ledger.maySend("192.0.2.1", 1)).to.equal(false);
    ledger.received("192.0.2.1", 100);
    expect([60, 41, 40, 1].map((octets) => ledger.maySend("192.0.2.1", octets))).to.deep.equal([
      ...[true, false, true, false],
    ]);
    expect(ledger.of("192.0.2.1")).to.deep.equal({ in: 100, out: 100 });
    ledger.prove("192.0.2.2");
    expect(ledger.isProven("192.0.2.2")).to.equal(false);
    ledger.prove("192.0.2.1");
    expect(ledger.maySend("192.0.2.1", 5_000)).to.equal(true);
    now = 11 * 60_000;
    expect(ledger.maySend("192.0.2.1", 1)).to.equal(false);
    expect(ledger.refused).to.equal(4);
  });

  it("forgets the oldest of very many hosts, with what they were owed", () => {
    const ledger = new Ledger(() => 0);
    ledger.received("first", 100);
    for (let i = 0; i < 10_000; i++) ledger.received(`host ${i}`, 1);
    expect(ledger.maySend("first", 1)).to.equal(false);
    expect(ledger.maySend("host 9999", 1)).to.equal(true);
  });
});

describe("rates", () => {
  it("are bounded for each key, and come back with time", () => {
    let now = 0;
    const rates = new Rates(2, 10, () => now);
    const three = (key: string) => [1, 2, 3].map(() => rates.take(key));
    expect(three("a")).to.deep.equal([true, true, false]);
    expect(three("b")).to.deep.equal([true, true, false]);
    now = 100;
    expect(three("a")).to.deep.equal([true, false, false]);
  });
});
