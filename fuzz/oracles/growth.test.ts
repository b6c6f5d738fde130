import { expect } from "chai";
import type { Driver } from "../../peers/contract.ts";
import { GrowthWatch, growthOf } from "./growth.ts";

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

const KIB = 1024;

describe("whether a trace leaks", () => {
  /** Asks it of a daemon that takes so much at each play, and at each honest conversation. */
  const asked = (play: (count: number) => number, honest = 0) => {
    let octets = 50 * MIB;
    let count = 0;
    const driver: Pick<Driver, "resources"> = { resources: async () => ({ octets, cpuMs: 0 }) };
    return growthOf(
      driver,
      async () => (octets += play(count++)),
      async () => (octets += honest),
    );
  };

  it("is told by what each play takes and an honest conversation does not", async () => {
    expect(await asked(() => 100 * KIB, 10 * KIB)).to.deep.equal({ perPlay: 100 * KIB, honest: 10 * KIB });
    expect(await asked(() => 100 * KIB, 50 * KIB)).to.equal(undefined);
    expect(await asked(() => 10 * KIB)).to.equal(undefined);
  });

  it("is not told by caches that fill up, or by one round or two", async () => {
    const inTwoSteps = (count: number) => (count < 8 || (count >= 16 && count < 24) ? MIB : 0);
    expect(await asked(inTwoSteps)).to.equal(undefined);
    for (const rounds of [1, 2])
      expect(await asked((count) => (count < 8 + 16 * rounds ? 100 * KIB : 0))).to.equal(undefined);
  });

  it("cannot be told of a daemon whose memory nobody sees", async () => {
    expect(
      await growthOf(
        {},
        async () => {},
        async () => {},
      ),
    ).to.equal(undefined);
  });
});
