import { expect } from "chai";
import { countWithheld } from "../../reports/withheld.ts";
import type { Baselines, WithheldEntry } from "./baseline.ts";
import { makePlan } from "./plan.ts";
import type { SuiteTest } from "./suites.ts";
import { withoutWithheld } from "./withheld.ts";

const test = (id: string): SuiteTest => {
  const [document = "", section = "", title = ""] = id.split("/");
  const facts = { requirements: [], peer: "responder" as const, lies: [] };
  return { id, document, revision: "", section, title, file: "", facts, body: async () => {} };
};

const TESTS = ["rfc7296/2.8/rekeys", "rfc7296/2.8/rekeys-again", "rfc7296/2.9/narrows"].map(test);

const FILE = "baselines/strongswan@6.1.yaml";

const held = (changes: Partial<WithheldEntry>): WithheldEntry => ({
  ...{ tests: ["rfc7296/2.8/*"], verdict: "withheld", why: "Held back.", expires: "2027-02-28" },
  ...changes,
});

const baselines = (...entries: WithheldEntry[]): Baselines =>
  new Map([["strongswan@6.1", { file: FILE, missing: false, entries }]]);

const plan = (...peers: string[]) => makePlan(TESTS, { documents: [], peers, role: "both" });

describe("a plan with withheld tests", () => {
  it("lacks those of the peer whose baseline it is, and counts them", () => {
    const found = withoutWithheld(plan("strongswan@6.1", "strongswan@6.0"), baselines(held({})));
    expect(found.plan.planned).to.equal(4);
    expect(found.plan.lanes.map(({ tests }) => tests.map(({ id }) => id))).to.deep.equal([
      ["rfc7296/2.9/narrows"],
      TESTS.map(({ id }) => id),
    ]);
    expect(found.withheld).to.deep.equal([{ peer: "strongswan@6.1:netns", file: FILE, tests: 2 }]);
  });

  it("lacks them in the entry's runtime alone", () => {
    const both = plan("strongswan@6.1:netns", "strongswan@6.1:uml");
    const { withheld } = withoutWithheld(both, baselines(held({ runtime: "uml" })));
    expect(withheld).to.deep.equal([{ peer: "strongswan@6.1:uml", file: FILE, tests: 2 }]);
  });

  it("has no lane where all are withheld, and is as it was where none is", () => {
    const all = withoutWithheld(plan("strongswan@6.1"), baselines(held({ tests: ["rfc7296/*/*"] })));
    expect(all.plan).to.deep.equal({ lanes: [], planned: 0 });
    const whole = plan("strongswan@6.1");
    for (const none of [baselines(), new Map()])
      expect(withoutWithheld(whole, none)).to.deep.equal({ plan: whole, withheld: [] });
  });
});

describe("withheld tests", () => {
  it("are counted together by peer and file", () => {
    const row = { peer: "a", file: "f", tests: 2 };
    const rows = [row, { ...row, peer: "b" }, { ...row, tests: 3 }];
    expect(countWithheld(rows)).to.deep.equal([
      { ...row, tests: 5 },
      { ...row, peer: "b" },
    ]);
    expect(countWithheld([])).to.deep.equal([]);
  });
});
