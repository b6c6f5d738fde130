import { expect } from "chai";
import fc from "fast-check";
import { Lru } from "./lru.ts";

describe("Lru", () => {
  it("keeps what a Map in the order of use would", () => {
    const act = fc.tuple(fc.constantFrom("get", "set", "delete", "shift"), fc.nat(9));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const [lru, map] = [new Lru<number, number>(5), new Map<number, number>()];
        for (const [index, [what, key]] of acts.entries()) {
          const value = map.get(key);
          if (what === "get") expect(lru.get(key)).to.equal(value);
          else if (what === "set") lru.set(key, index);
          else if (what === "delete") lru.delete(key);
          else expect(lru.shift()).to.equal([...map.values()][0]);
          if (what !== "shift" && (what !== "get" || value !== undefined)) map.delete(key);
          if (what === "set") map.set(key, index);
          else if (what === "get" && value !== undefined) map.set(key, value);
          for (const first of [...map.keys()].slice(0, what === "shift" ? 1 : Math.max(0, map.size - 5)))
            map.delete(first);
          expect(lru.size).to.equal(map.size);
          expect([...lru.values()]).to.deep.equal([...map.values()]);
        }
      }),
    );
  });
});
