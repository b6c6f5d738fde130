import { expect } from "chai";
import { MOST_HALF_OPEN } from "../ike/half-open.ts";
import { playAlone } from "./hostile-play.ts";
import { SIEGES, type SiegeCost } from "./hostile-pressure.ts";

const MOST = 64 * 2 ** 20;
const LONGEST_MS = 60_000;

describe("1,000 half-open initiators with 300 KiB of fragments each", function () {
  this.timeout(240_000);

  for (const [manner, from] of SIEGES) {
    it(`cost a bounded memory and time and no honest initiator, with fragments ${manner}, from ${from}`, async () => {
      const costs = await playAlone<SiegeCost>(`1,000 initiators with fragments ${manner}`);
      expect(costs).to.have.length(1);
      for (const { name, kept, ms, honest, served, waiting, next } of costs) {
        expect(kept, `${name}: kept`).to.be.below(MOST);
        expect(ms, `${name}: milliseconds`).to.be.below(LONGEST_MS);
        expect(waiting, `${name}: half-open SAs`).to.be.most(MOST_HALF_OPEN);
        expect(served, `${name}: honest initiators served`).to.equal(honest);
        expect(next, `${name}: the next handshake`).to.equal(true);
      }
    });
  }
});
