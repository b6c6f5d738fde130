import { expect } from "chai";
import fc from "fast-check";
import { ReplayWindow } from "./replay-window.ts";

const TWO_32 = 2 ** 32;

/** A window whose highest number is this, reached as packets would. */
function windowAt(high: number, low: number, size = 64): ReplayWindow {
  const window = new ReplayWindow({ size });
  window.update(high, low);
  return window;
}

describe("esp: replay window", () => {
  it("takes each number once, in any order inside the window", () => {
    const window = new ReplayWindow();
    for (const number of [1, 2, 3, 100, 40, 99]) {
      expect(window.check(0, number)).to.equal("new");
      window.update(0, number);
      expect(window.check(0, number)).to.equal("duplicate");
    }
    expect(window.check(0, 41)).to.equal("new");
    expect(window.check(0, 30)).to.equal("old");
  });

  for (const size of [32, 64, 100, 1024]) {
    it(`of ${size} reaches back ${size - 1} numbers and not ${size + 1}`, () => {
      const window = windowAt(0, 5000, size);
      expect(window.check(0, 5000 - size + 1)).to.equal("new");
      expect(window.check(0, 5000 - size - 1)).to.equal("old");
    });
  }

  it("crosses 2^32 with extended numbers", () => {
    const window = windowAt(0, TWO_32 - 3);
    window.update(1, 2);
    expect(window.check(0, TWO_32 - 3)).to.equal("duplicate");
    expect(window.check(0, TWO_32 - 1)).to.equal("new");
    expect(window.check(1, 2)).to.equal("duplicate");
    expect(window.check(0, 2)).to.equal("old");
  });

  it("clears what a far jump leaves behind", () => {
    const window = new ReplayWindow();
    for (let number = 1; number <= 64; number++) window.update(0, number);
    window.update(7, 64);
    for (let number = 1; number < 64; number++) expect(window.check(7, number)).to.equal("new");
  });

  it("off, judges nothing and still knows the highest number", () => {
    const window = new ReplayWindow({ enabled: false });
    window.update(0, 9);
    window.update(0, 3);
    expect(window.check(0, 9)).to.equal("new");
    expect([window.high, window.low]).to.deep.equal([0, 9]);
  });

  it("refuses a width below 32", () => {
    expect(() => new ReplayWindow({ size: 31 })).to.throw(RangeError);
  });

  it("agrees with a plain set of numbers", () => {
    const steps = fc.array(fc.integer({ min: -200, max: 300 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.constantFrom(32, 64, 96, 500), fc.boolean(), steps, (size, far, moves) => {
        const window = new ReplayWindow({ size });
        const seen = new Set<number>();
        let top = far ? TWO_32 - 150 : 0;
        window.update(0, top);
        if (top > 0) seen.add(top);
        for (const move of moves) {
          const number = top + move;
          if (number < 1) continue;
          const [high, low] = [Math.floor(number / TWO_32), number % TWO_32];
          const expected = number <= top - size ? "old" : seen.has(number) ? "duplicate" : "new";
          expect(window.check(high, low)).to.equal(expected);
          if (expected !== "new") continue;
          window.update(high, low);
          seen.add(number);
          top = Math.max(top, number);
        }
      }),
    );
  });
});

describe("esp: deduction of the high half (RFC 4303 appendix A)", () => {
  const cases: [high: number, low: number, received: number, deduced: number][] = [
    [0, 0xfffffff0, 0xffffffb1, 0],
    [0, 0xfffffff0, 0xffffffb0, 1],
    [0, 0xfffffff0, 0x00000000, 1],
    [1, 0x00000010, 0xffffffd1, 0],
    [1, 0x00000010, 0xffffffd0, 1],
    [1, 0x00000010, 0x00000010, 1],
    [1, 0x00000010, 0x00000011, 1],
    [0, 0x00000000, 0x00000001, 0],
    [0, 0x00000000, 0xffffffff, -1],
    [TWO_32 - 1, 0xfffffff0, 0x00000000, TWO_32],
  ];
  for (const [high, low, received, deduced] of cases) {
    it(`T ${high.toString(16)}:${low.toString(16)}, ${received.toString(16)} gives ${deduced}`, () => {
      expect(windowAt(high, low).deduceHigh(received)).to.equal(deduced);
    });
  }

  it("finds every number from the left edge of the window on, and 2^32 numbers wide", () => {
    const top = fc.bigInt({ min: 1n, max: 2n ** 63n });
    const edges = fc.oneof(fc.bigInt({ min: 0n, max: 2000n }), fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }));
    fc.assert(
      fc.property(top, fc.constantFrom(32, 64, 100, 1024), edges, (highest, size, above) => {
        const number = highest - BigInt(size) + 1n + above;
        fc.pre(number >= 0n);
        const [high, low] = [highest, number].flatMap((n) => [Number(n >> 32n), Number(n & 0xffffffffn)]);
        const window = windowAt(high ?? 0, low ?? 0, size);
        expect(window.deduceHigh(Number(number & 0xffffffffn))).to.equal(Number(number >> 32n));
      }),
    );
  });
});
