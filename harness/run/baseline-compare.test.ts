import { expect } from "chai";
import { parse } from "yaml";
import { makeResults, type Results, standingOf, type TestResult } from "../../reports/results.ts";
import { sampleResults } from "../../reports/sample.ts";
import {
  type BaselineEntry,
  type Baselines,
  type KnownEntry,
  reasonFits,
  type WithheldEntry,
} from "./baseline.ts";
import { compare } from "./baseline-compare.ts";
import { draftEntries } from "./baseline-draft.ts";

const sample = sampleResults();
const PEER = "libreswan@5.2:uml";
const FILE = "baselines/libreswan@5.2.yaml";

const entry = (changes: Partial<KnownEntry> = {}): KnownEntry => ({
  ...{ tests: ["a/1/x"], verdict: "fail", reason: "answers", why: "It does.", evidence: "log" },
  ...{ section: "A 1", fault: "peer", expires: "2027-11-01" },
  ...changes,
});

const HELD: WithheldEntry = {
  tests: ["a/1/*"],
  verdict: "withheld",
  why: "Held back.",
  expires: "2027-02-28",
};

const test = (changes: Partial<TestResult> = {}): TestResult => {
  const [first] = sample.tests;
  if (!first) throw new Error("the sample is empty");
  return { ...first, id: "a/1/x", peer: PEER, verdict: "fail", reason: "it answers", ...changes };
};

const baselines = (entries: BaselineEntry[]): Baselines =>
  new Map([["libreswan@5.2", { file: FILE, missing: false, entries }]]);

const ALL = ["a/1/x"];

function judged(tests: TestResult[], entries: BaselineEntry[], ids: string[] = ALL): Results {
  return compare(makeResults({ ...sample, tests }), baselines(entries), ids);
}

const comparison = (found: Partial<TestResult>, entries: BaselineEntry[]) =>
  judged([test(found)], entries).tests[0]?.baseline;

describe("verdicts beside a baseline", () => {
  it("are as expected: pass without entry, and what the entry says", () => {
    expect(comparison({ verdict: "pass" }, [])).to.deep.equal({ agreement: "expected", expected: "pass" });
    expect(comparison({}, [entry()])).to.deep.include({ agreement: "expected", expected: "fail" });
    expect(comparison({}, [entry({ runtime: "uml" })])).to.include({ agreement: "expected" });
    expect(comparison({ verdict: "tolerated" }, [entry({ verdict: "tolerated" })])).to.include({
      agreement: "expected",
    });
  });

  const deviations: [string, Partial<TestResult>, BaselineEntry[], RegExp][] = [
    ["an unexpected failure", {}, [], /^unexpected fail: .*no entry$/],
    ["an unexpected tolerance", { verdict: "tolerated" }, [], /^unexpected tolerated/],
    ["an entry for another runtime", {}, [entry({ runtime: "netns" })], /^unexpected fail/],
    ["an unexpected pass", { verdict: "pass" }, [entry()], /^unexpected pass: the baseline says fail$/],
    ["another verdict", { verdict: "crash" }, [entry()], /^another verdict: crash, .* says fail$/],
    ["another reason", { reason: "is silent" }, [entry()], /^fail for another reason: .*"answers"$/],
    ["an entry that is over", {}, [entry({ expires: "2026-11-19" })], /entry expired on 2026-11-19$/],
  ];
  for (const [what, found, entries, message] of deviations) {
    it(`deviate by ${what}`, () => {
      const { agreement, deviation } = comparison(found, entries) ?? {};
      expect(agreement).to.equal("deviates");
      expect(deviation).to.match(message);
    });
  }

  it("hold on the last day of an entry", () => {
    expect(comparison({}, [entry({ expires: sample.finished.slice(0, 10) })])).to.include({
      agreement: "expected",
    });
  });

  it("in a container are as in a namespace or as in a guest", () => {
    const peers = sample.peers.map((peer) => ({ ...peer, runtime: "docker" as const }));
    const agreementOf = (found: Partial<TestResult>, entries: BaselineEntry[]) =>
      compare(makeResults({ ...sample, peers, tests: [test(found)] }), baselines(entries), ALL).tests[0]
        ?.baseline?.agreement;
    const elsewhere = (verdict: "fail" | "unsupported") => [
      entry({ runtime: "netns", verdict }),
      entry({ runtime: "uml", verdict: "tolerated" }),
    ];
    expect(agreementOf({}, elsewhere("fail"))).to.equal("expected");
    expect(agreementOf({ verdict: "tolerated" }, elsewhere("fail"))).to.equal("expected");
    expect(agreementOf({}, elsewhere("unsupported"))).to.equal("deviates");
    expect(agreementOf({ verdict: "pass" }, elsewhere("fail"))).to.equal("deviates");
    expect(agreementOf({ verdict: "pass" }, [entry({ runtime: "uml" })])).to.equal("expected");
  });

  it("are unstable if a second try is as expected, and both stay", () => {
    const again = { verdict: "pass", reason: "as required", evidence: {} } as const;
    const [unstable] = judged([test({ again })], []).tests;
    expect(unstable?.baseline).to.deep.include({ agreement: "unstable", expected: "pass" });
    expect(unstable).to.deep.include({ verdict: "fail", again });
    expect(comparison({ again: { ...again, verdict: "hang" } }, [])).to.include({ agreement: "deviates" });
    const over = [entry({ expires: "2026-11-19" })];
    expect(comparison({ again }, over)).to.include({ agreement: "deviates" });
  });

  it("are held against the entry that names the fewest tests, whatever the order", () => {
    const entries = [
      entry({ tests: ["a/*/*"], verdict: "tolerated" }),
      entry({ tests: ["a/1/*"], verdict: "unsupported" }),
      entry({ tests: ["a/1/x"] }),
    ];
    const found = (id: string, verdict: TestResult["verdict"]) =>
      judged([test({ id, verdict })], entries).tests[0]?.baseline;
    expect(found("a/1/x", "fail")).to.include({ agreement: "expected", expected: "fail" });
    expect(found("a/1/y", "unsupported")).to.include({ agreement: "expected", expected: "unsupported" });
    expect(found("a/1/y", "pass")).to.include({
      deviation: "unexpected pass: the baseline says unsupported",
    });
    expect(found("a/2/x", "tolerated")).to.include({ agreement: "expected", expected: "tolerated" });
    for (const other of ["a@03/1/x", "a/1.1/x/y", "b/1/x"])
      expect(found(other, "pass")).to.deep.equal({ agreement: "expected", expected: "pass" });
    const elsewhere = [entry({ runtime: "netns" }), entry({ tests: ["a/1/*"], verdict: "tolerated" })];
    expect(comparison({ verdict: "tolerated" }, elsewhere)).to.include({ agreement: "expected" });
  });

  it("that an entry excepts must pass, unless another names them", () => {
    const entries = [
      entry({ tests: ["a/*/*"], verdict: "tolerated" }),
      entry({ tests: ["a/1/*"], except: ["a/1/x", "b/1/*"] }),
    ];
    expect(comparison({}, entries.slice(1))).to.include({
      deviation: "unexpected fail: the baseline has no entry",
    });
    expect(comparison({ verdict: "tolerated" }, entries)).to.include({ agreement: "expected" });
    expect(judged([test({ id: "a/1/y" })], entries).tests[0]?.baseline).to.include({ expected: "fail" });
    const problems = judged([test()], entries).baselines?.[0]?.problems;
    expect(problems).to.deep.equal(["[1].except: there is no test b/1/*"]);
  });

  it("of peers without a baseline stay as they are", () => {
    const { tests, baselines: used } = compare(sample, new Map(), ALL);
    expect(tests).to.deep.equal(sample.tests);
    expect(used).to.equal(undefined);
    expect(standingOf(test())).to.equal("deviates");
    expect(standingOf(test({ verdict: "tolerated" }))).to.equal("expected");
  });

  it("are not there if they are withheld, and are counted", () => {
    const tests = ["a/1/x", "a/1/y", "a/2/z"].map((id) => test({ id, verdict: "crash" }));
    const { withheld, ...results } = judged(tests, [HELD, entry({ tests: ["a/1/y"], verdict: "crash" })]);
    expect(results.tests.map(({ id }) => id)).to.deep.equal(["a/1/y", "a/2/z"]);
    expect(results.totals.tests).to.equal(2);
    expect(withheld).to.deep.equal([{ peer: PEER, file: FILE, tests: 1 }]);
    const before = makeResults({ ...sample, tests, withheld });
    expect(compare(before, baselines([HELD]), ALL).withheld?.[0]?.tests).to.equal(3);
    expect(judged(tests, [{ ...HELD, runtime: "netns" }]).withheld).to.equal(undefined);
    expect(draftEntries(judged([test()], [HELD]), "libreswan@5.2")).to.equal("");
  });

  it("show entries that withhold tests for longer than they said", () => {
    const problems = (expires: string) =>
      judged([test()], [entry(), { ...HELD, expires }], [...ALL, "a/9/not-selected"]).baselines?.[0]
        ?.problems;
    expect(problems("2026-11-19")).to.deep.equal(["[1].expires: tests were withheld until 2026-11-19"]);
    expect(problems(sample.finished.slice(0, 10))).to.deep.equal([]);
  });

  it("show entries that name no test, only where all tests ran", () => {
    const entries = [entry(), entry({ tests: ["a/1/gone"] })];
    const problems = (ids: string[]) => judged([test()], entries, ids).baselines?.[0]?.problems;
    expect(problems(ALL)).to.deep.equal(["[1].tests: there is no test a/1/gone"]);
    expect(problems([...ALL, "a/1/not-selected"])).to.deep.equal([]);
    const held = judged([test()], [...entries, HELD], [...ALL, "a/1/withheld"]).baselines?.[0]?.problems;
    expect(held).to.have.length(1);
    expect(problems([...ALL, "a@03/1/older"])).to.have.length(1);
    const patterns = [entry({ tests: ["a/1/*", "a/2/*", "a@03/1/*"] })];
    expect(judged([test()], patterns, [...ALL, "a@03/1/older"]).baselines?.[0]?.problems).to.deep.equal([
      "[0].tests: there is no test a/2/*",
    ]);
  });
});

describe("a draft of a baseline", () => {
  it("groups what deviates by verdict and reason, and leaves the judgement empty", () => {
    const tests = ["a/1/x", "a/1/y"].map((id) => test({ id }));
    const open = [
      ...tests,
      test({ id: "a/1/z", verdict: "unsupported" }),
      test({ id: "p", verdict: "pass" }),
    ];
    const results = judged([...open, test({ id: "s", verdict: "setup" })], []);
    const text = draftEntries(results, "libreswan@5.2", new Date("2026-11-20"));
    expect(text).to.match(
      /^- tests:\n {4}- a\/1\/x\n {4}- a\/1\/y\n {2}verdict: fail\n {2}reason: it answers/,
    );
    expect(text).to.include('why: ""').and.include("fault: none").and.include("expires: 2027-11-20");
    const behind = draftEntries(judged([test({ verdict: "behind" })], []), "libreswan@5.2");
    expect(behind).to.include("verdict: behind").and.include("fault: none");
    expect(text).to.not.match(/tests: [ps]\n/);
    expect(draftEntries(results, "strongswan@6.1")).to.equal("");
    expect(draftEntries(judged([test()], [entry()]), "libreswan@5.2")).to.equal("");
  });

  it("names a section by a pattern where all its tests end alike, up to what the reasons quote", () => {
    const draft = (tests: TestResult[], entries: BaselineEntry[] = []) =>
      draftEntries(judged(tests, entries), "libreswan@5.2");
    const reasons = ['has no "a" (in a-b) [ SA ].', 'has no "c" (in c) [ KE No ].'];
    const same = ["a/1/x", "a/1/y", "a/2/x", "a/2/y"].map((id) => test({ id }));
    expect(draft(same)).to.match(
      /^- tests:\n {4}- a\/1\/\*\n {4}- a\/2\/\*\n {2}verdict: fail\n {2}reason: it answers/,
    );
    const quoting = reasons.map((reason, i) => test({ id: `a/1/${i}`, reason }));
    expect(draft(quoting)).to.match(/^- tests: a\/1\/\*\n/);
    const [{ reason }] = parse(draft(quoting));
    for (const one of reasons) expect(reasonFits(reason, one)).to.equal(true);
    expect(reasonFits(reason, "has no x (in a-b) [ SA ].")).to.equal(false);
    const mixed = [test(), test({ id: "a/1/y", reason: "is silent" }), test({ id: "a/2/x" })];
    for (const tests of [mixed, [test(), test({ id: "a/1/y", verdict: "pass" })]])
      expect(draft(tests)).to.include("a/1/x").and.not.include("*");
    expect(draft(same, [entry()]))
      .to.include("- a/1/y\n")
      .and.include("- a/2/*\n");
  });

  it("names the runtime where the peer does otherwise in another", () => {
    const [uml] = sample.peers.filter(({ id }) => id === PEER);
    if (!uml) throw new Error("the sample lacks its peer");
    const netns = { ...uml, id: "libreswan@5.2:netns", runtime: "netns" };
    const tests = [test(), test({ peer: netns.id, verdict: "pass" })];
    const results = makeResults({ ...sample, peers: [uml, netns], tests });
    expect(draftEntries(results, "libreswan@5.2")).to.match(/runtime: uml\n$/);
    const whole = [...tests, test({ id: "a/1/y" }), test({ id: "a/1/y", peer: netns.id, verdict: "pass" })];
    expect(draftEntries(makeResults({ ...results, tests: whole }), "libreswan@5.2")).to.match(
      /^- tests: a\/1\/\*\n(?: .*\n)* {2}runtime: uml\n$/,
    );
    const both = makeResults({ ...results, tests: [test(), test({ peer: netns.id })] });
    expect(draftEntries(both, "libreswan@5.2")).to.not.include("runtime");
  });
});
