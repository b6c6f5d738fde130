import { expect } from "chai";
import fc from "fast-check";
import { testKey } from "../../reports/results.ts";
import { makePlan, PIECE, type Plan, pieces, type Selection, selectTests, withoutFinished } from "./plan.ts";
import type { SuiteTest } from "./suites.ts";
import { UsageError } from "./usage-error.ts";

const test = (id: string, peer: "initiator" | "responder" = "responder", revision = ""): SuiteTest => {
  const [folder = "", section = "", title = ""] = id.split("/");
  const [document = ""] = folder.split("@");
  const facts = { requirements: [], peer, lies: [] };
  return { id, document, revision, section, title, file: "", facts, body: async () => {} };
};

const TESTS = [
  test("rfc4303/2.2/counts-from-one"),
  test("rfc7296/2.8/rekeys", "initiator"),
  test("rfc7296/2.8/rekeys-again"),
  test("rfc7296/2.81/no-such-section"),
];

/** A test that is true for three revisions, and one for an older one alone. */
const REVISED = [
  ...["M", "E3", "E2"].map((revision) =>
    test(`esp-ping${revision === "M" ? "" : `@${revision}`}/4/echoes`, "responder", revision),
  ),
  test("esp-ping@C/5/echoes-in-clear", "responder", "C"),
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

  const revised = (changes: Partial<Selection>) =>
    selectTests([...TESTS, ...REVISED], selection(changes)).map(({ id }) => id);
  const M = "esp-ping/4/echoes";
  const E3 = "esp-ping@E3/4/echoes";

  it("selects the newest revision of a document unless told otherwise", () => {
    const plain = TESTS.map(({ id }) => id);
    expect(revised({})).to.deep.equal([...plain, M]);
    expect(revised({ documents: ["esp-ping"] })).to.deep.equal([M]);
    expect(revised({ documents: ["esp-ping"], revisions: ["esp-ping=E3"] })).to.deep.equal([E3]);
    expect(revised({ revisions: ["esp-ping=E3"] })).to.deep.equal([...plain, E3]);
    expect(revised({ grep: "@E3", revisions: ["esp-ping=all"] })).to.deep.equal([E3]);
  });

  it("selects several revisions side by side", () => {
    const both = { documents: ["esp-ping"], revisions: ["esp-ping=M", "esp-ping=E3"] };
    expect(revised(both)).to.deep.equal([M, E3]);
    const all = REVISED.map(({ id }) => id);
    expect(revised({ documents: ["esp-ping"], revisions: ["esp-ping=all"] })).to.deep.equal(all);
    expect(revised({ documents: ["esp-ping"], revisions: "all" })).to.deep.equal(all);
    expect(revised({ revisions: "all" })).to.have.length(TESTS.length + REVISED.length);
  });

  it("selects the revision that a name holds, whatever was chosen", () => {
    expect(revised({ documents: ["esp-ping@E3"] })).to.deep.equal([E3]);
    expect(revised({ documents: ["esp-ping@M/4"] })).to.deep.equal([M]);
    expect(revised({ documents: ["esp-ping@all/4"] })).to.include.members([M, E3]);
    expect(revised({ documents: ["esp-ping@E3/4/echoes", "esp-ping"] })).to.deep.equal([M, E3]);
    expect(revised({ documents: ["esp-ping@C/5"], revisions: ["esp-ping=M"] })).to.have.length(1);
  });

  const wrongRevisions: [string, Partial<Selection>, RegExp][] = [
    ["a choice without a name", { revisions: ["esp-ping"] }, /--revision esp-ping: must be DOCUMENT=NAME/],
    [
      "its document",
      { revisions: ["esp-pong=M"] },
      /unknown document with revisions "esp-pong", nearest: esp-ping/,
    ],
    ["its name", { revisions: ["esp-ping=E4"] }, /unknown revision of esp-ping "E4", nearest: E3/],
    ["a name", { documents: ["esp-ping@e33/4"] }, /unknown revision of esp-ping "e33", nearest: E3/],
    ["a document without any", { documents: ["rfc7296@2/2.8"] }, /rfc7296 has no revisions/],
    [
      "a section",
      { documents: ["esp-ping@E3/44"] },
      /unknown test "esp-ping@E3\/44", nearest: esp-ping@E3\/4$/,
    ],
    ["a test that it has not", { documents: ["esp-ping/5"] }, /no test is selected: esp-ping\/5/],
  ];
  for (const [what, changes, message] of wrongRevisions) {
    it(`says what is wrong with the revision in ${what}`, () => {
      expect(() => revised(changes)).to.throw(UsageError, message);
    });
  }

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

  it("splits into parts that are disjoint, complete, alike in size and always the same", () => {
    const tests = Array.from({ length: 23 }, (_, i) => test(`rfc7296/2.8/number-${i}`));
    const peers = ["builtin", "strongswan@6.1", "libreswan"];
    const keysOf = ({ lanes }: Plan) =>
      lanes.flatMap((lane) => lane.tests.map(({ id }) => `${lane.id} ${id}`));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 3 }), (of, count) => {
        const whole = selection({ peers: peers.slice(0, count) });
        const parts = Array.from({ length: of }, (_, i) =>
          makePlan(tests, { ...whole, shard: { index: i + 1, of } }),
        );
        const all = keysOf(makePlan(tests, whole));
        expect(parts.flatMap(keysOf).sort()).to.deep.equal([...all].sort());
        for (const part of parts) {
          expect(part.planned).to.be.within(Math.floor(all.length / of), Math.ceil(all.length / of));
          expect(keysOf(part)).to.have.length(part.planned);
        }
        expect(makePlan(tests, { ...whole, shard: { index: 1, of } })).to.deep.equal(parts[0]);
      }),
    );
  });

  it("cuts long lanes into pieces for several workers, and loses no test", () => {
    const tests = Array.from({ length: 2 * PIECE + 1 }, (_, i) => test(`rfc7296/2.8/number-${i}`));
    const { lanes } = makePlan(tests, selection());
    const cut = pieces(lanes, 2);
    expect(cut.map((piece) => piece.tests.length)).to.deep.equal([PIECE, PIECE, 1]);
    expect(cut.flatMap((piece) => piece.tests)).to.deep.equal(tests);
    expect(pieces(lanes, 1)).to.deep.equal(lanes);
  });
});
