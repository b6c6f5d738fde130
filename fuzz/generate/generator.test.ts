import { expect } from "chai";
import fc from "fast-check";
import { logShapes } from "../guide/signature.ts";
import { operators } from "../operators/index.ts";
import type { Outcome } from "../outcome.ts";
import { findSetup, type Setup } from "../setups.ts";
import { type FuzzCase, type Stage, traceSchema } from "../trace.ts";
import { Generator, type GeneratorOptions, generatorStateSchema, planOf } from "./generator.ts";

const some = (...names: string[]): Setup[] => names.flatMap((name) => findSetup(name) ?? []);
const STAGES: Stage[] = ["init", "auth", "eap", "rekey-child", "esp"];

const make = (options: Partial<GeneratorOptions> = {}): Promise<Generator> =>
  Generator.create({
    ...{ seed: "one", setups: some("psk", "eap-md5"), roles: ["responder", "initiator"], stages: STAGES },
    ...{ guided: false, batch: 20, ...options },
  });

/** So many batches. */
function draw(generator: Generator, batches: number): FuzzCase[] {
  const cases: FuzzCase[] = [];
  for (let i = 0; i < batches; i++) {
    const batch = generator.nextBatch();
    for (let next = batch.nextCase(); next; next = batch.nextCase()) cases.push(next);
  }
  return cases;
}

/** As if the peer had answered each step in a way of its own. */
const outcomeOf = (played: FuzzCase, answer: string): Outcome => ({
  ...{ case: played, probe: "answered", durationMs: 1, slowestMs: 1, entries: [], claims: [], messages: 1 },
  unproven: { out: 0, in: 0 },
  steps: played.trace.steps.map(({ act }) => ({ act, ended: "done", unfit: [], answers: [answer] })),
});

describe("the generator", () => {
  let whole: FuzzCase[];
  let like: Generator;

  before(async () => {
    like = await make();
    whole = draw(like, 100);
  });

  it("makes the same 2,000 cases of the same seed, octet by octet", async () => {
    expect(whole).to.have.length(2_000);
    expect(planOf(draw(await make({ like }), 100))).to.equal(planOf(whole));
    expect(planOf(draw(await make({ like, guided: true }), 100))).to.equal(planOf(whole));
    expect(planOf(draw(await make({ like, seed: "two" }), 100))).not.to.equal(planOf(whole));
  });

  it("keeps to the format, to its bounds, and to the operators there are", () => {
    const names = new Set(operators.map(({ name }) => name));
    for (const { trace } of whole) {
      expect(traceSchema.safeParse(trace).success).to.equal(true);
      const changes = trace.steps.flatMap((step) => step.changes ?? []);
      expect(changes.length).to.be.at.most(8);
      expect(changes.every(({ op }) => names.has(op))).to.equal(true);
    }
  });

  it("reaches every stage about as often, and puts several changes into some cases", () => {
    for (const stage of STAGES)
      expect(whole.filter((made) => made.stage === stage).length, stage).to.be.above(200);
    const counts = whole.map(({ trace }) => trace.steps.flatMap(({ changes = [] }) => changes).length);
    for (const count of [0, 1, 2, 3]) expect(counts, `${count} changes`).to.include(count);
  });

  it("gives shards that together make the whole, and each of them all stages", async () => {
    const parts = await Promise.all(
      [1, 2, 3].map(async (index) =>
        draw(await make({ like, shard: { index, of: 3 } }), index === 1 ? 34 : 33),
      ),
    );
    const all = parts.flat().sort((a, b) => a.number - b.number);
    expect(planOf(all)).to.equal(planOf(whole));
    for (const part of parts) expect(new Set(part.map(({ stage }) => stage))).to.deep.equal(new Set(STAGES));
  });

  it("goes on where it was left, in the middle of a batch too", async () => {
    const left = await make({ like });
    const begun = draw(left, 7);
    const batch = left.nextBatch();
    for (let i = 0; i < 5; i++) begun.push(batch.nextCase()!);
    const state = generatorStateSchema.parse(JSON.parse(JSON.stringify(left.state())));
    const second = await make({ like, resume: state });
    expect(planOf([...begun, ...draw(second, 93)])).to.equal(planOf(whole));
    expect(second.coverage.totals().hit).to.be.above(0);
  });

  it("hits every cell of a stage before it begins anew", async () => {
    const few = operators.filter(({ name }) => /^payload-(omit|duplicate|swap)$/.test(name));
    const generator = await make({ setups: some("psk"), stages: ["init", "auth"], operators: few });
    draw(generator, 40);
    const { cells } = generator.coverage.file();
    expect(cells.filter(({ cases }) => cases === 0)).to.deep.equal([]);
    expect(cells).to.deep.include({ ...cells.find(({ payload }) => payload === "NONCE")!, stage: "init" });
  });

  it("leaves out a setup that the peer cannot do, and moves no other batch", async () => {
    const generator = await make({ like });
    generator.drop("eap-md5", "responder");
    const left = draw(generator, 100);
    expect(left.some(({ trace }) => trace.setup === "eap-md5" && trace.peer === "responder")).to.equal(false);
    const same = left.filter((made, i) => planOf([made]) === planOf([whole[i]!]));
    expect(same.length).to.be.above(1_000);
    for (const peer of ["responder", "initiator"] as const)
      for (const setup of ["psk", "eap-md5"]) generator.drop(setup, peer);
    expect(generator.nextBatch().nextCase()).to.equal(undefined);
  });

  it("makes variations of what was new, more of them the more it tried, the same of the same outcomes", async () => {
    const play = async (): Promise<FuzzCase[]> => {
      const generator = await make({ like, guided: true, setups: some("psk") });
      const all: FuzzCase[] = [];
      for (let i = 0; i < 40; i++) {
        const cases = draw(generator, 1);
        for (const made of cases) generator.learn(outcomeOf(made, `answer ${made.number % 7}`));
        all.push(...cases);
      }
      return all;
    };
    const cases = await play();
    const varied = cases.map(({ parent }) => parent !== undefined);
    const [early, late] = [varied.slice(0, cases.length / 2), varied.slice(cases.length / 2)].map(
      (half) => half.filter(Boolean).length,
    );
    expect(early).to.be.above(5);
    expect(late).to.be.above(2 * (early ?? 0));
    expect(cases.every(({ trace }) => traceSchema.safeParse(trace).success)).to.equal(true);
    expect(planOf(await play())).to.equal(planOf(cases));
  });

  it("is in no order of use that breaks it", async () => {
    const generator = await make({ like, guided: true, setups: some("psk") });
    const verbs = fc.constantFrom("case", "batch", "learn", "state", "log");
    let batch = generator.nextBatch();
    let last = batch.nextCase();
    fc.assert(
      fc.property(fc.array(fc.tuple(verbs, fc.string({ maxLength: 40 })), { maxLength: 40 }), (all) => {
        for (const [verb, text] of all) {
          if (verb === "case") last = batch.nextCase() ?? last;
          if (verb === "batch") batch = generator.nextBatch();
          if (verb === "learn" && last) generator.learn(outcomeOf(last, text), { log: text });
          if (verb === "log" && last) generator.hear([last], { shapes: logShapes(text) });
          if (verb === "state") generatorStateSchema.parse(generator.state());
        }
      }),
      { numRuns: 20 },
    );
  });
});
