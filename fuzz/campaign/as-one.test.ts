import { expect } from "chai";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import { judgeCase } from "../oracles/index.ts";
import { Player } from "../play/player.ts";
import { findSetup } from "../setups.ts";
import type { Act, FuzzCase, Step } from "../trace.ts";
import { asOne } from "./as-one.ts";

const step = (act: Act): Step => ({ act });
const honest = (...acts: Act[]): Step[] => acts.map(step);
const lying = (act: Act, op: string): Step => ({ act, changes: [{ message: 0, op, value: 3 }] });
const caseOf = (number: number, steps: Step[]): FuzzCase => ({
  ...{ number, seed: `s/${number}`, stage: "auth" },
  trace: { trace: 1, setup: "psk", peer: "responder", steps },
});

describe("several conversations as one", () => {
  it("goes on with the first IKE SA, or has one for each, and counts them anew", () => {
    const first = caseOf(3, honest("init", "auth", "delete-child"));
    const second = caseOf(7, [...honest("init", "auth"), { ...lying("informational", "auth-bit"), sa: 0 }]);
    const [onOne, each, parting] = asOne([first, second]);
    expect(onOne).to.deep.equal({ ...second, trace: { ...second.trace, steps: onOne?.trace.steps } });
    expect(onOne?.trace.steps).to.deep.equal([...first.trace.steps, second.trace.steps[2]]);
    expect(each?.trace.steps).to.deep.equal([
      ...first.trace.steps,
      ...second.trace.steps.slice(0, 2),
      { ...second.trace.steps[2], sa: 1 },
    ]);
    const behind = first.trace.steps.length;
    expect(parting?.trace.steps).to.deep.equal(each?.trace.steps.toSpliced(behind, 0, step("delete-ike")));
  });

  it("keeps the lies of those before the last, or none, makes nothing too long, and nothing of one alone", () => {
    const lie = caseOf(1, [lying("init", "octets-flip")]);
    const made = asOne([lie, lie]).map(({ trace }) => trace.steps);
    expect(made.map((steps) => steps.length)).to.deep.equal([2, 2, 3, 2]);
    expect(made[3]).to.deep.equal([step("init"), ...lie.trace.steps]);
    expect(asOne([lie])).to.deep.equal([]);
    expect(asOne(Array.from({ length: 40 }, () => lie))).to.deep.equal([]);
    const named = caseOf(2, [step("init"), { act: "informational", sa: 0 }]);
    const many = Array.from({ length: 16 }, () => lie);
    expect(asOne([...many, named]), "a trace has no SA 16").to.have.length(1);
  });

  it("shows what neither shows alone", async () => {
    const setup = findSetup("psk");
    if (!setup) throw new Error("no setup");
    const cases = [caseOf(0, honest("init", "auth")), caseOf(1, [step("init"), lying("auth", "auth-bit")])];
    const alarmsOf = async (played: FuzzCase) => {
      const arena = await memoryArena({}, { seed: "1", lie: "trusts-whom-it-knows" });
      const player = new Player(arena);
      const outcome = await player.play(played);
      player.close();
      return judgeCase(outcome, { setup, peer: "responder" }).map(({ severity }) => severity);
    };
    for (const alone of cases) expect(await alarmsOf(alone)).to.not.include("critical");
    const [, each] = asOne(cases);
    expect(each && (await alarmsOf(each))).to.include("critical");
    // An oracle that cannot tell which message had which lie says nothing.
    const ahead = { message: 0, op: "message-requests-ahead", at: "after", value: 32 };
    const pushing = caseOf(0, [step("init"), { act: "auth", changes: [ahead] }]);
    const ways = await Promise.all(asOne([pushing, ...cases.slice(1)]).map(alarmsOf));
    expect(ways.map((severities) => severities.includes("critical"))).to.deep.equal([
      false,
      false,
      false,
      true,
    ]);
  });
});
