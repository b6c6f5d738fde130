import { expect } from "chai";
import { parse } from "yaml";
import { makeResults, type TestResult } from "./results.ts";
import { sampleResults } from "./sample.ts";
import { toTap } from "./tap.ts";
import { readTap } from "./testing.ts";

const sample = sampleResults();

/** One test with these changes, as a strict reader sees it. */
function pointOf(changes: Partial<TestResult>) {
  const { points, complete } = readTap(
    toTap(makeResults({ ...sample, tests: [{ ...sample.tests[0]!, ...changes }] })),
  );
  return { ...points[0]!, complete };
}

describe("TAP 14", () => {
  it("is what a strict reader understands: one point for each test, in groups", () => {
    const text = toTap(sample);
    const { points, complete, extra, comments } = readTap(text);
    expect(text).to.match(/^TAP version 14\n1\.\.96\n# /);
    expect(extra).to.deep.equal([]);
    expect(points).to.have.length(sample.tests.length);
    expect(points.map(({ id }) => id)).to.deep.equal(sample.tests.map((_, i) => i + 1));
    expect(complete).to.include({
      ok: false,
      count: 96,
      pass: 93,
      fail: 3,
      skip: 2,
      todo: 0,
      bailout: false,
    });
    expect(comments[0]).to.equal("# rfc7296 strongswan@6.1:netns as initiator\n");
  });

  it("has the facts of a test as YAML", () => {
    const failed = readTap(toTap(sample)).points.find(({ ok }) => !ok);
    expect(failed?.diag).to.deep.include({
      ...{ verdict: "hang", level: "MUST", reason: "no answer to a liveness check after the third fragment" },
      actual: "5 retransmissions unanswered",
    });
    const block = /^ {2}---\n([\s\S]*?)\n {2}\.\.\./m.exec(toTap(sample))?.[1] ?? "";
    expect(parse(block)).to.have.keys("verdict", "level", "requirements", "duration_ms");
  });

  it("skips what is proven neither way, and takes what a baseline knows or is unstable for work to do", () => {
    for (const verdict of ["unsupported", "behind", "ambiguous"] as const)
      expect(pointOf({ verdict })).to.include({ ok: true, skip: `${verdict}: as the text asks` });
    const unstable = { agreement: "unstable", expected: "pass", deviation: "unexpected hang" } as const;
    const moved = pointOf({ verdict: "hang", reason: "silent", baseline: unstable });
    expect(moved).to.include({ ok: false, todo: "unstable, hang: silent (unexpected hang)" });
    const known = pointOf({
      verdict: "fail",
      reason: "x",
      baseline: { agreement: "expected", expected: "fail" },
    });
    expect(known).to.include({ ok: false, todo: "fail: x" });
    const sharp = { ...sample.tests[0]!, verdict: "unsupported", reason: "a # TODO b" } as const;
    expect(toTap(makeResults({ ...sample, tests: [sharp] }))).to.include("unsupported: a \\# TODO b\n");
    for (const { complete } of [moved, known]) expect(complete).to.include({ ok: true, todo: 1 });
  });

  it("fails a pass that is not as the baseline says", () => {
    const baseline = { agreement: "deviates", expected: "fail", deviation: "unexpected pass" } as const;
    expect(pointOf({ baseline })).to.include({ ok: false, todo: false, skip: false });
  });

  it("has a failed point for each thing wrong with a baseline", () => {
    const baselines = [{ file: "b.yaml", missing: false, peers: [], problems: ["no test x"] }];
    const { points } = readTap(toTap(makeResults({ ...sample, tests: [], baselines })));
    expect(points).to.have.length(1);
    expect(points[0]).to.include({ ok: false, name: "baseline b.yaml" });
    expect(points[0]?.diag).to.deep.equal({ problem: "no test x" });
  });

  it("bails out where the run was interrupted, and says when there is nothing", () => {
    const cut = readTap(toTap(makeResults({ ...sample, interrupted: "SIGINT # now" })));
    expect(cut.complete).to.include({ bailout: "SIGINT # now", count: 96 });
    const none = readTap(toTap(makeResults({ ...sample, tests: [] })));
    expect(none.complete).to.deep.include({ ok: true, count: 0 });
    expect(none.complete?.plan).to.include({ skipAll: true });
  });
});
