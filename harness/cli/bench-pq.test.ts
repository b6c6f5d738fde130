import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { lossRates } from "./bench-pq.ts";
import { said } from "./said.ts";

describe("bakeoff bench pq", () => {
  const wrong: [string, string, RegExp][] = [
    ["a rate that is no number", "--loss 0,one", /--loss 0,one: "one" must be a number of percent/],
    ["an empty rate", "--loss 0,,1", /--loss 0,,1: "" must be a number of percent from 0 to 99/],
    ["a rate below nothing", "--loss -1", /--loss -1: "-1" must be/],
    ["a rate of everything", "--loss 100", /--loss 100: "100" must be/],
    ["a rate with its sign", "--loss 5%", /--loss 5%: "5%" must be/],
    ["a rate named twice", "--loss 1,3,1.0", /--loss 1,3,1.0: 1 is named twice/],
    ["no round trip", "--rtt 0", /--rtt 0: must be a number of milliseconds/],
    ["no handshakes", "--runs 0", /--runs 0: must be a whole number/],
    ["a plot that cannot be written", "--svg none/plot.svg", /--svg none\/plot\.svg: cannot be written/],
    ["a time for it", "--seconds 5", /--seconds: pq takes as long as its handshakes do; see --runs/],
    ["a name beside it", "wire", /too many arguments/],
  ];
  for (const [what, line, message] of wrong) {
    it(`says in one line what is wrong with ${what}`, async () => {
      const { status, out, err } = await said("bench", "pq", ...line.split(" "));
      expect({ status, out }).to.deep.equal({ status: 2, out: "" });
      expect(err)
        .to.match(message)
        .and.to.match(/^bakeoff: [^\n]+\n$/);
    });
  }

  it("stands alone", async () => {
    expect((await said("bench", "wire", "pq")).err).to.equal("bakeoff: pq stands alone: bakeoff bench pq\n");
  });

  it("takes rates in any order, fractions too", () => {
    expect(lossRates("10, 0,2.5")).to.deep.equal([0, 2.5, 10]);
  });

  it("has an example in its help", async () => {
    const { status, out } = await said("bench", "pq", "--help");
    expect(status).to.equal(0);
    expect(out).to.match(/Examples:\n {2}bakeoff bench pq --loss 0,1,3,5,10/);
  });

  it("gives JSON alone on standard output, and a plot", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-pq-test-"));
    try {
      const file = join(folder, "plot.svg");
      const { status, out, err } = await said(
        ...["bench", "pq", "--loss", "0", "--runs", "1", "--rtt", "40", "--json", "--svg", file],
      );
      expect(status, err).to.equal(0);
      const { cells } = JSON.parse(out);
      expect(cells).to.have.length(21);
      expect(cells[0]).to.include({ method: "X25519", packet: 576, loss: 0, medianMs: 80, packets: 4 });
      expect(cells.at(-1)).to.include({ method: "X25519 + FrodoKEM-1344", packet: 1500, medianMs: 120 });
      expect(readFileSync(file, "utf8")).to.match(/^<svg /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
