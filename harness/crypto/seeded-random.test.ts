import { expect } from "chai";
import fc from "fast-check";
import { concat } from "../wire/bytes.ts";
import { seededRandom, systemRandom } from "./seeded-random.ts";

describe("crypto: seeded random", () => {
  it("gives one stream per seed, however it is drawn", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.nat(1500), { maxLength: 6 }), (seed, sizes) => {
        const source = seededRandom(seed);
        const pieces = sizes.map((size) => source(size));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        expect(concat(...pieces)).to.deep.equal(seededRandom(seed)(total));
      }),
    );
  });

  it("differs by seed and by label, and a fork does not depend on what was drawn", () => {
    const source = seededRandom(1);
    const before = source.fork("x")(16);
    source(100);
    expect(source.fork("x")(16)).to.deep.equal(before);
    expect(source.fork("y")(16)).not.to.deep.equal(before);
    expect(seededRandom(2)(16)).not.to.deep.equal(seededRandom(1)(16));
    expect(seededRandom(1)(16)).not.to.deep.equal(before);
  });

  it("system random gives the octets asked for", () => {
    expect(systemRandom(17)).to.have.lengthOf(17);
  });
});
