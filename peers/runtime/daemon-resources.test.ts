import { expect } from "chai";
import { pidsOf, readLines, resourcesHere, sumOf } from "./daemon-resources.ts";

const LINE = "9000 2500 700 1 0 800 0|7 (a b) c) S 1 7 7 0 -1 0 0 0 0 0 120 30 0 0 20 0 4 0 9 0 0|12";

describe("resources of a daemon", () => {
  it("adds up its processes, and leaves out lines that are none", () => {
    const [one, ...more] = readLines(`${LINE}\nsh: no such file\n|\n${LINE}\n`);
    expect(one).to.deep.equal({ octets: 2500 * 4096, cpuMs: 1500, descriptors: 12, threads: 4 });
    expect(more).to.have.lengthOf(1);
    expect(sumOf([one!, ...more])).to.deep.equal({
      octets: 5000 * 4096,
      cpuMs: 3000,
      descriptors: 24,
      threads: 8,
    });
    expect(sumOf([])).to.equal(undefined);
  });

  it("finds processes of this machine by their programs, and says when none is left", () => {
    const { pid } = process;
    const [name] = [process.title, "node"].filter((title) => pidsOf([pid], [title]).length > 0);
    expect(pidsOf([pid, 2 ** 30], ["no-such-program"])).to.deep.equal([]);
    if (name) expect(pidsOf([pid, 2 ** 30], [name])).to.deep.equal([pid]);
    expect(resourcesHere([pid]).octets).to.be.greaterThan(1_000_000);
    expect(() => resourcesHere([2 ** 30])).to.throw("no process");
  });
});
