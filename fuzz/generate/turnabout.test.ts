import { expect } from "chai";
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { dice } from "../dice.ts";
import { Turnabout } from "./turnabout.ts";

const TURNS = ["slow a", "slow a'", "slow b", "quick c"];

/** Time that each turn got, where those of the slow group take ten times as long. */
function played(batches: number): Map<string, number> {
  const from = dice(seededRandom("turns"));
  const turnabout = new Turnabout(TURNS, (turn) => ({ group: turn.slice(0, 5), surface: turn.slice(0, 6) }));
  const times = new Map(TURNS.map((turn) => [turn, 0]));
  for (let batch = 0; batch < batches; batch++) {
    const turn = turnabout.next(TURNS, from);
    const ms = turn.startsWith("slow") ? 100_000 : 10_000;
    turnabout.begin(batch, turn);
    turnabout.took(batch, ms);
    times.set(turn, (times.get(turn) ?? 0) + ms);
  }
  return times;
}

describe("the turnabout", () => {
  it("shares time, not batches: among groups by what they hold, and evenly within each", () => {
    const times = played(2_000);
    const [a = 0, also = 0, b = 0, quick = 0] = TURNS.map((turn) => times.get(turn));
    expect((a + also + b) / quick).to.be.closeTo(2 ** 0.75, 0.15);
    expect((a + also) / b).to.be.closeTo(1, 0.1);
    expect(a / also).to.be.closeTo(1, 0.1);
  });

  it("takes no turn that is gone, and no time of a batch that it does not know", () => {
    const turnabout = new Turnabout(TURNS, (turn) => ({ group: turn, surface: "" }));
    const from = dice(seededRandom("one"));
    turnabout.took(7, 1_000);
    for (let i = 0; i < 20; i++) expect(turnabout.next(TURNS.slice(3), from)).to.equal("quick c");
  });
});
