import { expect } from "chai";
import { resourcesFromText, resourcesOf } from "./resources.ts";

const STAT =
  "812 (a (strange) name) S 1 812 812 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 17 0 3041 1300000 2500 18446744073709551615";

describe("resources of a process", () => {
  it("reads what the files of a process say", () => {
    const texts = { statm: "3174 2500 1200 300 0 900 0\n", stat: `${STAT}\n` };
    expect(resourcesFromText(texts)).to.deep.equal({ octets: 2500 * 4096, cpuMs: 3000, threads: 17 });
    expect(resourcesFromText({ ...texts, descriptors: 4 })?.descriptors).to.equal(4);
    expect(resourcesFromText(texts, { ticksPerSecond: 1000 })?.cpuMs).to.equal(300);
  });

  it("tells nothing of a zombie, or of other texts", () => {
    const statm = "0 0 0 0 0 0 0";
    expect(resourcesFromText({ statm, stat: STAT.replace(" S ", " Z ") })).to.equal(undefined);
    for (const stat of ["", "812 (short) S 1", "x".repeat(99)])
      expect(resourcesFromText({ statm, stat })).to.equal(undefined);
    expect(resourcesFromText({ statm: "", stat: STAT })).to.equal(undefined);
  });

  it("reads this process, and none that is not there", () => {
    const own = resourcesOf(process.pid);
    expect(own?.octets).to.be.greaterThan(1_000_000);
    expect(own?.cpuMs).to.be.greaterThan(0);
    expect(own?.descriptors).to.be.greaterThan(2);
    expect(resourcesOf(2 ** 30)).to.equal(undefined);
  });
});
