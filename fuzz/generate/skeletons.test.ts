import { expect } from "chai";
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { dice } from "../dice.ts";
import { findSetup, setups } from "../setups.ts";
import { STAGES, traceSchema } from "../trace.ts";
import { honestCase } from "./samples.ts";
import { actsOf, drawSequence, honestTrace, skeletonsOf } from "./skeletons.ts";

describe("skeletons", () => {
  it("reach every stage in both roles, but for cookies, which our end does not ask for", () => {
    for (const peer of ["responder", "initiator"] as const) {
      const sides = setups.filter(({ roles }) => roles.includes(peer));
      const missing = STAGES.filter((stage) => !sides.some(({ stages }) => stages.includes(stage)));
      expect(missing).to.deep.equal(peer === "initiator" ? ["cookie"] : []);
    }
  });

  it("are conversations of the format, of acts that the setup can do", () => {
    for (const setup of setups)
      for (const peer of setup.roles)
        for (const stage of setup.stages)
          for (const skeleton of skeletonsOf(setup, peer, stage)) {
            expect(traceSchema.safeParse(honestTrace(setup, peer, skeleton)).success).to.equal(true);
            expect(actsOf(setup, peer)).to.include.members([...skeleton]);
          }
  });

  it("name setups once, in kebab case", () => {
    const names = setups.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).to.deep.equal([]);
  });

  it("draw sequences in which every pair of acts comes", () => {
    const psk = findSetup("psk")!;
    const from = dice(seededRandom("pairs"));
    const pairs = new Set<string>();
    for (let i = 0; i < 20_000; i++)
      drawSequence(psk, "responder", from).forEach(({ act }, at, all) => {
        if (at > 0) pairs.add(`${all[at - 1]?.act} ${act}`);
      });
    const acts = actsOf(psk, "responder");
    for (const first of acts) for (const second of acts) expect(pairs).to.include(`${first} ${second}`);
  });

  it("are played honestly to see whether a peer can do a setup", () => {
    const { stage, trace } = honestCase(findSetup("psk")!, "initiator", ["peer-initiate", "esp"]);
    expect({ stage, acts: trace.steps.map(({ act }) => act) }).to.deep.equal({
      ...{ stage: "esp", acts: ["peer-initiate", "esp"] },
    });
  });
});
