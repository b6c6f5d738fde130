import { expect } from "chai";
import { testKey } from "../../reports/results.ts";
import { makePlan, PIECE, pieces, type Selection, selectTests, withoutFinished } from "./plan.ts";
import type { SuiteTest } from "./suites.ts";
import { UsageError } from "./usage-error.ts";

const test = (id: string, peer: "initiator" | "responder" = "responder"): SuiteTest => {
  const [document = "", section = "", title = ""] = id.split("/");
  const facts = { requirements: [], peer, lies: [] };
  return { id, document, revision: "", section, title, file: "", page: "", facts, body: async () => {} };
};

const TESTS = [
  test("rfc4303/2.2/counts-from-one"),
  test("rfc7296/2.8/rekeys", "initiator"),
  test("rfc7296/2.8/rekeys-again"),
  test("rfc7296/2.81/no-such-section"),
];

const selection = (changes: Partial<Selection> = {}): Selection => ({
  ...{ documents: [], peers: ["builtin"], role: "both" },
  ...changes,
});

const ids = (changes: Partial<Selection>) => selectTests(TESTS, selection(changes)).map(({ id }) => id);

describe("plan", () => {
  it("selects by document, section, test, role and expression", () => {
    expect(ids({})).to.have.length(4);
    expect(ids({ documents: ["rfc4303"] })).to.deep.equal(["rfc4303/2.2/counts-from-one"]);
    expect(ids({ documents: ["rfc7296/2.8"] })).to.deep.equal([
      "rfc7296/2.8/rekeys",
      "rfc7296/2.8/rekeys-again",
    ]);
    expect(ids({ documents: ["rfc7296/2.8/rekeys"] })).to.deep.equal(["rfc7296/2.8/rekeys"]);
    expect(ids({ role: "initiator" })).to.deep.equal(["rfc7296/2.8/rekeys"]);
    expect(ids({ grep: "count|again$" })).to.have.length(2);
  });

  it("has one lane for each peer, named once", () => {
    const { lanes, planned } = makePlan(
      TESTS,
      selection({ peers: ["builtin", "strongswan@6.1", "builtin:memory"] }),
    );
    expect(lanes.map(({ id }) => id)).to.deep.equal(["builtin@current:memory", "strongswan@6.1:netns"]);
    expect(planned).to.equal(8);
  });

  it("marks a variant in the peer's id", () => {
    const { lanes } = makePlan(TESTS, selection({ variant: "talkative" }));
    expect(lanes[0]?.id).to.equal("builtin@current:memory+talkative");
  });

  it("leaves out what is finished", () => {
    const plan = makePlan(TESTS, selection());
    const done = TESTS.slice(0, 3).map(({ id, facts }) =>
      testKey({ id, role: facts.peer, peer: "builtin@current:memory" }),
    );
    expect(withoutFinished(plan, new Set(done)).planned).to.equal(1);
    expect(withoutFinished(plan, new Set(done), "omits-nonce").planned).to.equal(4);
    expect(withoutFinished(makePlan(TESTS.slice(0, 3), selection()), new Set(done)).lanes).to.have.length(0);
  });

  const wrong: [string, Partial<Selection>, RegExp][] = [
    ["document", { documents: ["rfc7926"] }, /unknown document "rfc7926", nearest: rfc7296/],
    ["section", { documents: ["rfc7296/2.9"] }, /unknown test "rfc7296\/2.9", nearest: rfc7296\/2.8/],
    ["test", { documents: ["rfc7296/2.8/rekey"] }, /nearest: rfc7296\/2.8\/rekeys/],
    ["peer", { peers: ["stronswan"] }, /--peer stronswan: .*nearest: strongswan/],
    ["version", { peers: ["strongswan@6.2"] }, /version "6.2" of strongswan, nearest: 6/],
    ["runtime", { peers: ["libreswan:netns"] }, /runtime "netns".*nearest: uml/],
    ["lie", { lie: "omit-nonce" }, /unknown lie "omit-nonce", nearest: omits-nonce/],
    ["variant", { variant: "talkativ" }, /unknown variant "talkativ", nearest: talkative/],
    ["expression", { grep: "(" }, /--grep: /],
    ["selection without a test", { grep: "nothing" }, /no test is selected: .*--grep nothing/],
    ["lie of a real peer", { lie: "omits-nonce", peers: ["libreswan"] }, /--lie: only the builtin peer/],
  ];
  for (const [what, changes, message] of wrong) {
    it(`says what is wrong with a ${what} in one line`, () => {
      const make = () => makePlan(TESTS, selection(changes));
      expect(make).to.throw(UsageError, message);
      expect(make).not.to.throw(/\n/);
    });
  }

  it("cuts long lanes into pieces for several workers, and loses no test", () => {
    const tests = Array.from({ length: 2 * PIECE + 1 }, (_, i) => test(`rfc7296/2.8/number-${i}`));
    const { lanes } = makePlan(tests, selection());
    const cut = pieces(lanes, 2);
    expect(cut.map((piece) => piece.tests.length)).to.deep.equal([PIECE, PIECE, 1]);
    expect(cut.flatMap((piece) => piece.tests)).to.deep.equal(tests);
    expect(pieces(lanes, 1)).to.deep.equal(lanes);
  });
});
