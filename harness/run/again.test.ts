import { expect } from "chai";
import { sampleResults } from "../../reports/sample.ts";
import { oddOnes, stillOdd } from "./again.ts";
import { makePlan } from "./plan.ts";
import type { SuiteTest } from "./suites.ts";

const [first] = sampleResults().tests;

const test: SuiteTest = {
  ...{ id: "rfc7296/2.8/rekeys", document: "rfc7296", revision: "", section: "2.8", title: "", file: "" },
  ...{ page: "", facts: { requirements: [], peer: "responder", lies: [] }, body: async () => {} },
};

const plan = makePlan([test], {
  ...{ documents: [], role: "both" as const, peers: ["strongswan@6.1", "libreswan@5.2", "builtin"] },
});

/** What the runs of the test against the peers came to. */
const results = (odd: readonly string[]) =>
  plan.lanes.map(({ id: peer }) => ({
    ...first!,
    ...{ id: test.id, peer },
    baseline: {
      expected: "pass" as const,
      agreement: odd.includes(peer) ? ("deviates" as const) : ("expected" as const),
    },
  }));

describe("further tries", () => {
  const all = plan.lanes.map(({ id }) => id);
  const [strongswan = "", libreswan = ""] = all;

  it("are of what deviates, and then of what still does", () => {
    const tried = oddOnes(plan, results(all));
    expect(tried.lanes.map(({ id }) => id)).to.deep.equal(all);
    expect(stillOdd(tried, results([libreswan])).lanes.map(({ id }) => id)).to.deep.equal([libreswan]);
    expect(stillOdd(oddOnes(plan, results([strongswan])), results(all)).planned).to.equal(1);
  });

  it("are not repeated in memory, where every run is the same", () => {
    expect(stillOdd(oddOnes(plan, results(all)), results(all)).lanes).to.have.length(2);
  });
});
