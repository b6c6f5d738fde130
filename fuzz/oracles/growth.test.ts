import { expect } from "chai";
import { GrowthWatch } from "./growth.ts";

const MIB = 2 ** 20;

describe("growth of a daemon", () => {
  it("is an alarm where it stays", () => {
    const watch = new GrowthWatch();
    const seen = [50, 51, 50, 56, 56, 56].map((octets) => watch.see({ octets: octets * MIB }));
    expect(seen.map(({ length }) => length)).to.deep.equal([0, 0, 0, 0, 1, 0]);
    expect(seen[4]?.[0]).to.include({ oracle: "memory", signature: "growth takes memory" });
  });

  it("is none where it is given back, comes slowly, or after a new start", () => {
    const watch = new GrowthWatch();
    for (const octets of [50, 60, 50, 51, 52, 53, 54, 55])
      expect(watch.see({ octets: octets * MIB })).to.be.empty;
    watch.forget();
    for (const octets of [90, 90, 91]) expect(watch.see({ octets: octets * MIB })).to.be.empty;
  });

  it("needs more to be heard again", () => {
    const watch = new GrowthWatch();
    const alarms = [0, 3, 3, 6, 6, 12, 12].flatMap((octets) => watch.see({ octets: octets * MIB }));
    expect(alarms).to.have.lengthOf(2);
  });

  it("counts descriptors from the first sample on", () => {
    const watch = new GrowthWatch();
    const alarms = [20, 40, 83, 84, 100].flatMap((descriptors) => watch.see({ octets: MIB, descriptors }));
    expect(alarms.map(({ signature }) => signature)).to.deep.equal(["growth keeps descriptors"]);
  });
});
