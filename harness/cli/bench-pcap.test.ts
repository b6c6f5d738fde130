import { expect } from "chai";
import { said } from "./said.ts";

describe("bakeoff bench pcap", () => {
  const wrong: [string, string, RegExp][] = [
    ["no packets", "--packets 0", /--packets 0: must be a whole number from 1 to 100000000/],
    ["a time for it", "--seconds 5", /--seconds: pcap takes as long as its packets do; see --packets/],
    ["a name beside it", "wire", /too many arguments/],
  ];
  for (const [what, line, message] of wrong) {
    it(`says in one line what is wrong with ${what}`, async () => {
      const { status, out, err } = await said("bench", "pcap", ...line.split(" "));
      expect({ status, out }).to.deep.equal({ status: 2, out: "" });
      expect(err)
        .to.match(message)
        .and.to.match(/^bakeoff: [^\n]+\n$/);
    });
  }

  it("stands alone", async () => {
    expect((await said("bench", "wire", "pcap")).err).to.equal(
      "bakeoff: pcap stands alone: bakeoff bench pcap\n",
    );
  });

  it("has an example in its help", async () => {
    const { status, out } = await said("bench", "pcap", "--help");
    expect(status).to.equal(0);
    expect(out).to.match(/Examples:\n {2}bakeoff bench pcap\n/);
  });
});
