import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect } from "chai";
import { z } from "zod";
import { compareResults, type PeerPair } from "./compare.ts";
import { judgeChange } from "./compare-change.ts";
import type { RunComparison } from "./compare-schema.ts";
import { compareMarkdown, compareText } from "./compare-text.ts";
import { makeResults, type TestResult, type Verdict } from "./results.ts";
import { sampleResults } from "./sample.ts";
import { jsonSchemas } from "./schema.ts";

const sample = sampleResults();
const [first] = sample.tests;

const of = (tests: readonly TestResult[], rest = {}) =>
  makeResults({ ...sample, ...rest, tests: [...tests] });
const found = (verdict: Verdict, changes: Partial<TestResult> = {}): TestResult => ({
  ...{ ...first!, verdict, reason: `${verdict} it is` },
  ...changes,
});

function compare(old: readonly TestResult[], now: readonly TestResult[], pair?: PeerPair): RunComparison {
  const made = compareResults({ name: "old", results: of(old) }, { name: "new", results: of(now) }, pair);
  if ("error" in made) throw new Error(made.reason);
  return made;
}

const changeOf = (old: Partial<TestResult>, now: Partial<TestResult>) =>
  judgeChange({ ...first!, ...old }, { ...first!, ...now })?.change;

describe("a change of a verdict", () => {
  const cases: [Verdict, Verdict, string][] = [
    ["pass", "fail", "worse"],
    ["pass", "tolerated", "worse"],
    ["tolerated", "pass", "better"],
    ["pass", "unsupported", "worse"],
    ["pass", "setup", "worse"],
    ["unsupported", "fail", "worse"],
    ["fail", "crash", "worse"],
    ["wrong-reason", "fail", "worse"],
    ["hang", "fail", "better"],
    ["fail", "pass", "better"],
    ["ambiguous", "tolerated", "better"],
    ["setup", "pass", "better"],
    ["crash", "hang", "other"],
    ["fail", "unsupported", "other"],
    ["setup", "fail", "other"],
    ["behind", "unsupported", "other"],
    ["fail", "setup", "other"],
    ["unsupported", "setup", "other"],
  ];
  for (const [old, now, change] of cases) {
    it(`from ${old} to ${now} is ${change}`, () => {
      expect(changeOf(found(old), found(now))).to.equal(change);
    });
  }

  it("is none where it stays, also where its reason differs by SPIs and times alone", () => {
    expect(changeOf({ reason: "SA c4a8113f after 4.2 s" }, { reason: "SA c90b77e2 after 4 s" })).to.equal(
      undefined,
    );
    expect(changeOf({ reason: "2 SAs" }, { reason: "3 SAs" })).to.equal("other");
  });

  it("is a class of its own where tries of the test did not agree", () => {
    const { evidence } = first!;
    const again = { verdict: "pass", reason: "as required", evidence } as const;
    const baseline = { agreement: "unstable", expected: "pass", deviation: "unexpected hang" } as const;
    const moving = found("hang", { again, baseline });
    expect(judgeChange(first!, moving)).to.deep.equal({
      change: "unstable",
      why: "pass became hang, then pass",
    });
    expect(judgeChange(moving, found("fail"))?.change).to.equal("unstable");
    expect(judgeChange(moving, moving)).to.equal(undefined);
  });
});

describe("a comparison of runs", () => {
  const lone = { ...first!, id: "rfc7296/9/lone" };

  it("of a run with itself finds nothing", () => {
    const { totals, changes, added, gone } = compare(sample.tests, sample.tests);
    expect(totals).to.include({ compared: 96, same: 96, worse: 0, better: 0 });
    expect([changes, added, gone]).to.deep.equal([[], [], []]);
  });

  it("has new and gone tests apart, whatever they found", () => {
    const { totals, added, gone } = compare(
      [...sample.tests, lone],
      [...sample.tests, found("crash", { id: "n" })],
    );
    expect(totals).to.include({ compared: 96, same: 96, worse: 0, added: 1, gone: 1 });
    expect([added[0]?.id, added[0]?.found.verdict, gone[0]?.id]).to.deep.equal(["n", "crash", lone.id]);
  });

  it("tells both directions, worst first, and counts by document and peer", () => {
    const now = sample.tests.map((test, i) =>
      i === 0 ? found("fail") : test.verdict === "hang" ? { ...test, verdict: "pass" as const } : test,
    );
    const { changes, documents, totals } = compare(sample.tests, now);
    expect(changes.map(({ change }) => change)).to.deep.equal(["worse", "better"]);
    expect(totals).to.include({ worse: 1, better: 1, same: 94 });
    const sum = (of: "compared" | "worse" | "better") => documents.reduce((all, row) => all + row[of], 0);
    expect([sum("compared"), sum("worse"), sum("better")]).to.deep.equal([96, 1, 1]);
    expect(documents).to.have.length(9);
  });

  it("keeps revisions apart when another became the newest", () => {
    const at = (id: string, revision: string) => ({ ...first!, id, document: "esp-ping", revision });
    const old = [at("esp-ping/4/x", "E3")];
    const { totals, added } = compare(old, [at("esp-ping/4/x", "M"), at("esp-ping@E3/4/x", "E3")]);
    expect(totals).to.include({ compared: 1, same: 1, added: 1, gone: 0 });
    expect(added[0]?.revision).to.equal("M");
  });

  it("compares two peers of one run or of two, by the beginning of their ids", () => {
    const { totals, changes, old } = compare(sample.tests, sample.tests, {
      ...{ old: "strongswan@5.9", new: "strongswan@6.1:netns" },
    });
    expect(totals).to.include({ compared: 32, worse: 1, better: 2, added: 0, gone: 0 });
    expect(changes[0]?.peer).to.equal("strongswan@6.1:netns");
    expect(old.peers.map(({ id }) => id)).to.deep.equal(["strongswan@5.9:netns"]);
  });

  it("says which peer there is not, or which are meant", () => {
    const results = { name: "run", results: sample };
    const reasonOf = (pair: PeerPair) => compareResults(results, results, pair);
    expect(reasonOf({ old: "strongswan@5", new: "libreswan" })).to.deep.include({
      error: "no-peer",
      side: "old",
      reason:
        "there is no peer strongswan@5 in run, which has strongswan@6.1:netns, strongswan@5.9:netns, libreswan@5.2:uml",
    });
    expect(reasonOf({ old: "libreswan", new: "strongswan" })).to.deep.include({
      ...{ error: "several-peers", side: "new" },
      reason: "strongswan is strongswan@6.1:netns, strongswan@5.9:netns in run",
    });
  });

  it("is valid by its own schema", () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const schema: unknown = JSON.parse(jsonSchemas.get("compare.schema.json")?.() ?? "");
    const isValid = ajv.compile(z.record(z.string(), z.unknown()).parse(schema));
    const made = compare([...sample.tests, lone], [found("crash"), ...sample.tests.slice(2)]);
    expect(isValid(made), JSON.stringify(isValid.errors)).to.equal(true);
    expect(isValid({ ...made, schema: 2 })).to.equal(false);
  });
});

describe("the text and the page of a comparison", () => {
  const now = sample.tests.map((test, i) =>
    i < 90 ? { ...test, verdict: "fail" as const, reason: "\x1b[31m<b>|" } : test,
  );
  const made = compare(sample.tests, now);

  it("tell what is worse first, and all counts", () => {
    const text = compareText(made);
    expect(text).to.match(
      /^Worse \(\d+\)\n {2}rfc7296\/1.2\/nonce-too-short on strongswan@6.1:netns as initiator: pass became fail: /,
    );
    expect(text).to.match(/^all +96 +6 +\d+/m);
    expect(text).to.include("old: old, ipsec-bakeoff 0.1.0");
    expect(text).to.not.include("\x1b");
  });

  it("is short in Markdown, and inert", () => {
    const page = compareMarkdown(made);
    expect(page).to.match(/^# Bake-off: \d+ worse, 1 better of 96 tests\n/);
    expect(page.split("\n").length).to.be.at.most(61);
    expect(page)
      .to.match(/and \d+ more/)
      .and.not.include("<b>")
      .and.not.include("\x1b");
    expect(compareMarkdown(compare(sample.tests, sample.tests))).to.include("96 same.");
  });

  it("show reason and expiry of what a baseline knows", () => {
    const known = {
      reason: "x",
      why: "Old one.",
      evidence: "l",
      section: "1",
      fault: "peer",
      expires: "2027-01-01",
    } as const;
    const baseline = { agreement: "expected", expected: "fail", known } as const;
    const one = compare([first!], [found("fail", { baseline })]);
    expect(compareText(one)).to.include("(known: Old one. Until 2027-01-01.)");
    expect(compareMarkdown(one)).to.include("Known until 2027-01-01: Old one.");
  });
});
