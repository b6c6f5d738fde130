/** All formats tell the same of the same journal. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { validateXML } from "xmllint-wasm";
import { countedAs } from "./counted.ts";
import { parseJournal, recordsOf, resultsFromJournal } from "./journal.ts";
import { toJson } from "./json.ts";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import {
  type Outcome,
  outcomeOf,
  parseResults,
  type Results,
  standingOf,
  type TestResult,
  VERDICTS,
} from "./results.ts";
import { sampleResults } from "./sample.ts";
import { toSarif } from "./sarif.ts";
import { toTap } from "./tap.ts";
import { readSarif, readTap } from "./testing.ts";

const sample = sampleResults();

/** A test as any run with or without a baseline may have found it. */
const anyTest = (test: TestResult): fc.Arbitrary<TestResult> =>
  fc
    .record({
      verdict: fc.constantFrom(...VERDICTS),
      reason: fc.string(),
      agreement: fc.constantFrom("none", "expected", "unstable", "deviates"),
      expected: fc.constantFrom(...VERDICTS),
    })
    .map(({ verdict, reason, agreement, expected }) => ({
      ...{ ...test, verdict, reason },
      ...(agreement === "none" ? {} : { baseline: { agreement, expected, deviation: "unexpected" } }),
    }));

/** The results of a journal of some of the sample's tests, cut anywhere behind its first record. */
const anyResults: fc.Arbitrary<Results> = fc
  .tuple(
    fc.shuffledSubarray(sample.tests, { maxLength: 24 }).chain((tests) => fc.tuple(...tests.map(anyTest))),
    fc.nat(),
    fc.array(fc.string(), { maxLength: 3 }),
  )
  .map(([tests, cut, problems]) => {
    const records = recordsOf({ ...sample, tests });
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    const least = text.indexOf("\n") + 1;
    const { records: read } = parseJournal(text.slice(0, least + (cut % (2 * text.length))));
    const results = resultsFromJournal(read);
    if ("error" in results) throw new Error(results.reason);
    return { ...results, baselines: [{ file: "b.yaml", missing: false, peers: [], problems }] };
  });

const count = <T>(items: readonly T[], isOne: (item: T) => boolean): number => items.filter(isOne).length;

/** Tests by verdict, those with none left out, as Markdown's heading has them. */
function headingOf(page: string): { tests: number; verdicts: Record<string, number> } {
  const [, tests = "", rest = ""] = /^# Bake-off: (\d+) tests?, (.*)$/m.exec(page) ?? [];
  const counts = [...rest.matchAll(/(\d+) ([\w-]+)/g)].map(([, n, verdict]) => [verdict, Number(n)]);
  return { tests: Number(tests), verdicts: Object.fromEntries(counts) };
}

const told = (verdicts: Results["totals"]["verdicts"]) =>
  Object.fromEntries(Object.entries(verdicts).filter(([, n]) => n > 0));

const problemsOf = ({ baselines = [] }: Results): number => baselines.flatMap((row) => row.problems).length;

const inJunit = (results: Results, outcome: Outcome) =>
  count(results.tests, (test) => countedAs(test) === outcome);

function checkJunit(results: Results): void {
  const [xml, problems] = [toJunit(results), problemsOf(results)];
  const total = results.totals.tests + problems;
  const [failed, broken, skipped] = (["failed", "broken", "skipped"] as const).map((o) =>
    inJunit(results, o),
  );
  expect(xml.match(/<testcase /g) ?? []).to.have.length(total);
  const head = `tests="${total}" failures="${(failed ?? 0) + problems}" errors="${broken}" skipped="${skipped}"`;
  expect(xml.split("\n")[1]).to.include(head);
}

function checkTap(results: Results): void {
  const { totals, interrupted } = results;
  const { points, complete, extra } = readTap(toTap(results));
  const found = points.slice(0, totals.tests).map(({ diag }) => String(diag.verdict));
  for (const verdict of VERDICTS)
    expect(count(found, (v) => v === verdict)).to.equal(totals.verdicts[verdict]);
  const bad = count(points, ({ ok, todo }) => !ok && todo === false);
  const problems = problemsOf(results);
  expect(bad).to.equal(inJunit(results, "failed") + inJunit(results, "broken") + problems);
  expect([points.length, extra.length]).to.deep.equal([totals.tests + problems, 0]);
  expect(complete?.bailout === false).to.equal(interrupted === undefined);
}

function checkSarif(results: Results): void {
  const { totals, tests } = results;
  const run = readSarif(toSarif(results));
  const isGood = (test: TestResult) =>
    outcomeOf(test.verdict) === "passed" && standingOf(test) === "expected";
  expect(run.results.length + count(tests, isGood)).to.equal(totals.tests);
  for (const verdict of VERDICTS.filter((v) => outcomeOf(v) !== "passed"))
    expect(count(run.results, ({ properties }) => properties.verdict === verdict)).to.equal(
      totals.verdicts[verdict],
    );
}

describe("the totals of a journal", () => {
  it("are the same in JSON, JUnit, TAP, SARIF and Markdown", () => {
    const check = (results: Results) => {
      const { totals } = results;
      expect(parseResults(toJson(results)))
        .to.have.property("totals")
        .that.deep.equals(totals);
      const heading = { tests: totals.tests, verdicts: told(totals.verdicts) };
      expect(headingOf(toMarkdown(results))).to.deep.equal(heading);
      checkJunit(results);
      checkTap(results);
      checkSarif(results);
    };
    fc.assert(fc.property(anyResults, check), { numRuns: 40 });
  });
});

describe("JUnit", () => {
  const schema = readFileSync(new URL("junit.xsd", import.meta.url), "utf8");
  const faultsOf = async (...files: string[]) => {
    const xml = files.map((contents, i) => ({ fileName: `${i}.xml`, contents }));
    return (await validateXML({ xml, schema: [schema] })).errors;
  };

  it("is valid by its schema, which refuses what is not", async () => {
    const odd = fc.sample(anyResults, { numRuns: 8, seed: 7 });
    expect(await faultsOf(...[sample, ...odd].map(toJunit))).to.deep.equal([]);
    expect(await faultsOf(toJunit(sample).replace('errors="', 'faults="'))).to.not.deep.equal([]);
  });
});
