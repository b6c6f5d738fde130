import { expect } from "chai";
import fc from "fast-check";
import { Dissector, parseCapture } from "../../pcaps/read/index.ts";
import { type Property, properties } from "./properties.ts";

/** `BAKEOFF_FUZZ_CASES` sets the number of cases of each, `BAKEOFF_FUZZ_SEED` the seed. */
const CASES = Math.min(1_000_000, Number(process.env.BAKEOFF_FUZZ_CASES ?? 400) || 400);
const SEED = Number(process.env.BAKEOFF_FUZZ_SEED ?? 1) || 1;

/** A sample with some octets changed, cut short or put behind another. */
function spoilt({ samples }: Property): fc.Arbitrary<Uint8Array> {
  const sample = fc.constantFrom(...samples());
  const places = fc.array(
    fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))),
    {
      maxLength: 6,
    },
  );
  return fc
    .tuple(sample, places, fc.option(fc.nat()), fc.option(sample))
    .map(([octets, faults, cut, other]) => {
      const all = Uint8Array.of(...octets, ...(other ?? []));
      for (const [place, value] of faults) all[place % all.length] = value;
      return cut === null ? all : all.slice(0, cut % all.length);
    });
}

describe("our own readers", function () {
  this.timeout(10_000);

  it("begin with samples that are whole", () => {
    const [capture] = properties.find(({ name }) => name === "capture")?.samples() ?? [];
    const items = [...new Dissector().read(parseCapture(capture ?? new Uint8Array()))];
    expect(items.length).to.be.greaterThan(3);
    expect(items.filter(({ kind }) => kind !== "datagram")).to.deep.equal([]);
  });

  for (const property of properties) {
    it(`${property.name}: holds of its samples, of spoilt ones and of any octets`, () => {
      for (const sample of property.samples()) expect(() => property.holds(sample)).to.not.throw();
      const any = fc.uint8Array({ maxLength: 300 });
      fc.assert(fc.property(fc.oneof({ weight: 4, arbitrary: spoilt(property) }, any), property.holds), {
        numRuns: CASES,
        seed: SEED,
      });
    });
  }
});
