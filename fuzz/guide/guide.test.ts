import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { dice } from "../dice.ts";
import type { Outcome, StepOutcome } from "../outcome.ts";
import type { Act, Trace } from "../trace.ts";
import { Guide, guideSchema } from "./guide.ts";
import { Novelty } from "./novelty.ts";
import { Pool } from "./pool.ts";
import { Seen } from "./seen.ts";
import { logShapes, shapeOf } from "./signature.ts";
import { Weights } from "./weights.ts";

const step = (act: Act, answers: string[], more: Partial<StepOutcome> = {}): StepOutcome => ({
  ...{ act, ended: "done", unfit: [], answers, ...more },
});

const traceOf = (acts: readonly Act[], op = "payload-omit"): Trace => ({
  ...{ trace: 1, setup: "psk", peer: "responder" },
  steps: acts.map((act) => ({ act, changes: [{ message: 0, op }] })),
});

const outcome = (steps: StepOutcome[], more: Partial<Outcome> = {}): Outcome => ({
  ...{ probe: "answered", durationMs: 5, slowestMs: 1, entries: [], claims: [], messages: 1 },
  ...{ unproven: { out: 0, in: 0 }, steps },
  case: { number: 0, seed: "s", stage: "init", trace: traceOf(steps.map(({ act }) => act)) },
  ...more,
});

describe("novelty", () => {
  it("is an answer, an end or a probe that was not seen before", () => {
    const novelty = new Novelty();
    const plain = outcome([step("init", ["IKE_SA_INIT response SA KE No"])]);
    expect(novelty.learn(plain).novel).to.equal(true);
    expect(novelty.learn(plain).novel).to.equal(false);
    expect(novelty.learn(outcome([step("init", ["N(INVALID_SYNTAX)"])])).novel).to.equal(true);
    expect(novelty.learn(outcome([step("init", [], { ended: "silence" })])).novel).to.equal(true);
    expect(novelty.learn({ ...plain, probe: "silence" }).novel).to.equal(true);
  });

  it("is not what differs from run to run", () => {
    const novelty = new Novelty();
    const said = (reason: string): boolean =>
      novelty.learn(outcome([step("auth", ["N(A)"], { ended: "refused", reason })])).novel;
    expect(said("SPI 0a1b2c3d of 192.0.2.1 took 17 ms")).to.equal(true);
    expect(said("SPI ffee0011 of 198.51.100.7 took 9 ms")).to.equal(false);
    const repeated = ["A", "B", "A", "B", "A"];
    expect(novelty.learn(outcome([step("esp", repeated)])).novel).to.equal(true);
    expect(novelty.learn(outcome([step("esp", ["B", "A"])])).novel).to.equal(false);
  });

  it("is a slow answer only once it has repeated", () => {
    const novelty = new Novelty();
    const plain = outcome([step("init", ["SA"])]);
    for (let i = 0; i < 100; i++) novelty.learn(plain);
    const slow = [1, 2, 3, 4].map(() => novelty.learn({ ...plain, slowestMs: 300 }).novel);
    expect(slow).to.deep.equal([false, false, true, false]);
  });

  it("is a line of the log of a new shape, whatever is quoted in it", () => {
    const log = (name: string, tail = "") =>
      logShapes(`04[CFG] looking for '${name}'[${name}], none\n\n${tail}`);
    expect(log("a")).to.deep.equal(log("b c")).and.to.have.length(1);
    expect(log("a", "invalid proposal 7")).to.have.length(2);
  });

  it("of several cases together pays for what they were about", () => {
    const guide = new Guide();
    const about = outcome([step("init", [])]).case;
    expect(guide.hear([about], { shapes: ["one", "two"], edges: [5] })).to.equal(3);
    expect(guide.hear([about, about], { shapes: ["two"], edges: [5] })).to.equal(0);
    expect(guide.state().turns).to.deep.equal([["init psk responder", 3, 3]]);
  });

  it("is a line of the log of a new shape, or an edge", () => {
    const novelty = new Novelty();
    const plain = outcome([step("init", ["SA"])]);
    novelty.learn(plain, { log: "12 got 0x1234 from 192.0.2.1", edges: [1, 2] });
    expect(novelty.learn(plain, { log: "77 got 0x99ff from 192.0.2.9", edges: [2] }).novel).to.equal(false);
    expect(novelty.learn(plain, { edges: [2, 3] }).features).to.deep.equal(["edge 3"]);
    expect(novelty.learn(plain, { log: "assertion failed" }).novel).to.equal(true);
    expect(shapeOf("x".repeat(100_000))).to.have.length.at.most(120);
  });

  it("knows what an entry of a corpus brought before", () => {
    const [first, second] = [new Novelty(), new Novelty()];
    const plain = outcome([step("init", ["SA"]), step("auth", ["AUTH"])]);
    second.know(first.learn(plain, { log: "a line", edges: [7] }).features);
    expect(second.learn(plain, { log: "a line", edges: [7] }).novel).to.equal(false);
    second.know(["", "slow", "edge zz", "nothing 1"]);
  });
});

describe("the guide", () => {
  it("goes on from its state as if it had not stopped", () => {
    const steps = fc.array(
      fc.record({
        ...{ act: fc.constantFrom<Act>("init", "auth", "esp"), answer: fc.constantFrom("A", "B", "C") },
        ms: fc.integer({ min: 0, max: 1_000 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const learn = (guide: Guide, all: typeof before): boolean[] =>
          all.map(
            ({ act, answer, ms }) => guide.learn(outcome([step(act, [answer])], { slowestMs: ms })).novel,
          );
        const one = new Guide();
        learn(one, before);
        const other = new Guide(guideSchema.parse(JSON.parse(JSON.stringify(one.state()))));
        expect(learn(other, after)).to.deep.equal(learn(one, after));
        expect(other.state()).to.deep.equal(one.state());
      }),
      { numRuns: 50 },
    );
  });

  it("prefers operators that brought something new, and gives up none", () => {
    const weights = new Weights();
    for (let i = 0; i < 200; i++) {
      weights.learn(["good"], i % 2 === 0);
      weights.learn(["bad"], false);
    }
    const from = dice(seededRandom("weights"));
    const drawn = Array.from({ length: 500 }, () => weights.pick(["good", "bad"], (name) => name, from));
    const good = drawn.filter((name) => name === "good").length;
    expect(good).to.be.within(350, 495);
  });

  it("varies the fertile and the seldom chosen, and forgets the barren", () => {
    const pool = new Pool();
    const from = dice(seededRandom("pool"));
    const side = { setup: "psk", peer: "responder" } as const;
    expect(pool.pick(side, from)).to.equal(undefined);
    for (let i = 0; i < 600; i++) pool.add(`entry ${i}`, traceOf(["init"]));
    expect(pool.of(side)).to.have.length(512);
    for (let i = 0; i < 50; i++) pool.credit("entry 599");
    const picks = Array.from({ length: 400 }, () => pool.pick(side, from)?.name);
    expect(picks.filter((name) => name === "entry 599").length).to.be.above(10);
  });

  it("forgets the oldest of a full set, and tells new from old", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 })), fc.integer({ min: 1, max: 10 }), (all, most) => {
        const seen = new Seen(most);
        let model: string[] = [];
        for (const member of all.map(String)) {
          expect(seen.add(member)).to.equal(!model.includes(member));
          if (!model.includes(member)) model = [...model, member].slice(-most);
        }
        expect(seen.list()).to.deep.equal(model);
      }),
    );
  });
});
