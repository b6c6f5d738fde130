import { expect } from "chai";
import { toMarkdown } from "./markdown.ts";
import { page } from "./markdown-page.ts";
import { makeResults, type TestResult } from "./results.ts";
import { sampleGolden, sampleResults } from "./sample.ts";

const sample = sampleResults();
const nothing = makeResults({ ...sample, peers: [], tests: [] });

/** As a baseline knows it, until a day. */
const known = (test: TestResult, expires: string): TestResult => ({
  ...{ ...test, verdict: "fail", reason: "answers" },
  baseline: {
    ...{ agreement: "expected", expected: "fail" },
    known: {
      ...{ reason: "answers", why: "Its window is wider.", evidence: "log", section: "RFC 7296 2.3" },
      ...{ fault: "peer", expires },
    },
  },
});

describe("the Markdown page", () => {
  it("says that no test has finished", () => {
    expect(toMarkdown(nothing)).to.include("No test has finished.");
  });

  it("has a row for each document and a column for each peer", () => {
    const page = toMarkdown(sample);
    expect(page).to.include("| document | `strongswan@6.1:netns` | `strongswan@5.9:netns` |");
    expect(page).to.match(/^\| `rfc7383` \| 3\/4 pass, 1 ambiguous \| 3\/4 pass, 1 hang \| 4\/4 pass \|$/m);
  });

  it("tells what differs from golden captures, and that good verdicts are not all then", () => {
    const good = sample.tests.filter(({ verdict }) => verdict === "pass");
    const pageOf = (state: "same" | "different") =>
      toMarkdown(makeResults({ ...sample, tests: good, golden: sampleGolden(state) }));
    expect(pageOf("same")).to.include("Every verdict is `pass`").and.not.include("golden");
    expect(pageOf("different")).to.match(/## Otherwise than golden captures\n\n- .*: 2 differences\n/);
    expect(pageOf("different")).to.not.include("Every verdict");
  });

  it("tells of baseline entries that end within a month of the run", () => {
    const pageOf = (expires: string) =>
      toMarkdown(makeResults({ ...sample, tests: [known(sample.tests[0]!, expires)] }));
    expect(pageOf("2026-12-20")).to.match(/## Baseline entries that end soon\n\n- .*until 2026-12-20\)\n/);
    expect(pageOf("2026-12-21")).to.not.include("end soon");
    expect(pageOf("2026-12-21")).to.include("Its window is wider. (fault: peer; until 2026-12-21)");
  });

  it("says what could not be read of the journal", () => {
    expect(toMarkdown(makeResults({ ...sample, notes: ["line 7 is <b>"] }))).to.include(
      "Journal: line 7 is \\<b\\>.",
    );
  });

  it("has a few rows of every section, and all that fit of those in front", () => {
    const rows = (name: string) => Array.from({ length: 100 }, (_, i) => `${name} ${i}`);
    const sections = [
      { title: "A", rows: rows("a") },
      { title: "B", rows: rows("b") },
    ];
    const lines = page(["# Title", ""], sections, []).trimEnd().split("\n");
    expect(lines.filter((line) => line.startsWith("- a"))).to.have.length(51);
    expect(lines.slice(-2)).to.deep.equal(["- b 0", "- and 99 more"]);
  });

  it("has no more than 60 lines, whatever there is, and says how many are left out", () => {
    const [base] = sample.tests;
    const tests = Array.from({ length: 400 }, (_, i): TestResult => {
      const test = {
        ...{ ...base!, id: `t${i}`, document: `d${i % 40}`, peer: `p${i % 20}`, provisional: "x" },
      };
      if (i % 5 === 0) return { ...test, verdict: "fail" };
      if (i % 5 === 1) return known(test, "2026-11-30");
      if (i % 5 === 2) return { ...test, baseline: { agreement: "unstable", expected: "pass" } };
      const expected = i % 5 === 3 ? "fail" : "pass";
      const verdict = i % 5 === 3 ? "pass" : "fail";
      return { ...test, verdict, baseline: { agreement: "deviates", expected, deviation: "x" } };
    });
    const problems = Array.from({ length: 30 }, (_, i) => `problem ${i}`);
    const page = toMarkdown(
      makeResults({
        ...{ ...sample, tests, interrupted: "x ".repeat(9_999), notes: ["a", "b", "c", "d"] },
        withheld: sample.peers.map(({ id }) => ({ peer: id, file: "b.yaml", tests: 2 })),
        baselines: [{ file: "b.yaml", missing: false, peers: [], problems }],
      }),
    );
    expect(page.trimEnd().split("\n").length).to.be.at.most(60);
    expect(page.length).to.be.below(20_000);
    expect(page.match(/^## /gm)).to.have.length(9);
    expect(page.match(/and \d+ more/g)).to.have.length(9);
    expect(page).to.include("19837 more characters");
  });
});
