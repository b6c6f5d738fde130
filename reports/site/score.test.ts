import { expect } from "chai";
import fc from "fast-check";
import { type TestResult, VERDICTS, type Verdict } from "../results.ts";
import { sampleExtras, sampleResults } from "../sample.ts";
import { siteOf } from "./model.ts";
import { STANDINGS, scoreOf, standingOf, sumOf } from "./score.ts";
import { ScoreBoard } from "./score-board.ts";

const bound = { roles: ["initiator", "responder"] as const };

describe("the standing of a requirement", () => {
  it("is met only when all its tests passed, and failed when one failed", () => {
    const of = (...verdicts: Verdict[]) => standingOf(bound, "responder", verdicts);
    expect(of("pass", "tolerated")).to.equal("met");
    expect(of("pass", "unsupported")).to.equal("unsupported");
    expect(of("unsupported", "behind", "ambiguous", "pass")).to.equal("ambiguous");
    expect(of("pass", "setup")).to.equal("setup");
    for (const bad of ["fail", "wrong-reason", "crash", "hang"] as const)
      expect(of("pass", "setup", "ambiguous", bad), bad).to.equal("failed");
  });

  it("says why there is none", () => {
    expect(standingOf(bound, "initiator", [])).to.equal("not run");
    expect(standingOf({ roles: ["responder"] }, "initiator", [])).to.equal("not bound");
    expect(standingOf({ ...bound, untestable: "inside" }, "initiator", [])).to.equal("not testable");
    expect(standingOf({ ...bound, untestable: { responder: "inside" } }, "initiator", [])).to.equal(
      "not run",
    );
    expect(standingOf({ ...bound, untestable: "inside" }, "initiator", ["pass"])).to.equal("met");
  });
});

describe("a score", () => {
  it("has in its denominator whatever was run", () => {
    const every = fc.array(fc.constantFrom(...STANDINGS));
    fc.assert(
      fc.property(every, every, (one, other) => {
        const score = scoreOf(one);
        const { "not run": a, "not testable": b, "not bound": c } = score.counts;
        expect(score.run + a + b + c).to.equal(one.length);
        expect(score.met).to.equal(score.counts.met);
        expect(sumOf([score, scoreOf(other)])).to.deep.equal(scoreOf([...one, ...other]));
      }),
    );
  });

  it("is counted for every document, peer and role from the results and the catalogue alone", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.constantFrom(...VERDICTS)), (stream) => {
        const results = sampleResults();
        const tests = results.tests.map(
          (test): TestResult => ({ ...test, verdict: stream.next().value ?? "pass" }),
        );
        const extras = sampleExtras(results);
        const board = new ScoreBoard(siteOf([{ folder: "x", results: { ...results, tests } }], extras));
        for (const { part, subject, role, scores } of board.rows) {
          const own = tests.filter(
            (t) => t.document === part.document && t.peer === subject.peer && t.role === role,
          );
          expect(scores.MUST).to.deep.include(
            recomputed(own, extras.catalogues, part.document, ["MUST", "MUST NOT"]),
          );
          expect(scores.MAY).to.deep.include({ met: 0, run: 0 });
        }
      }),
      { numRuns: 10 },
    );
  });
});

/** As somebody else would count it. */
function recomputed(
  tests: readonly TestResult[],
  catalogues: ReturnType<typeof sampleExtras>["catalogues"],
  document: string,
  levels: readonly string[],
): { met: number; run: number } {
  const known = Object.entries(catalogues.find((one) => one.document === document)?.requirements ?? {});
  let [met, run] = [0, 0];
  for (const [id, { level }] of known) {
    const own = tests.filter(({ requirements }) => requirements.includes(id));
    if (!levels.includes(level) || own.length === 0) continue;
    run += 1;
    if (own.every(({ verdict }) => verdict === "pass" || verdict === "tolerated")) met += 1;
  }
  return { met, run };
}
