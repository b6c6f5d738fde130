import { expect } from "chai";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { documentLabel, makeResults, outcomeOf, parseResults, type TestResult } from "./results.ts";
import { sampleResults } from "./sample.ts";

const sample = sampleResults();
const [plain] = sample.tests;
if (!plain) throw new Error("the sample has tests");

/** The same test at two revisions of its document, on the same peer in the same role. */
const at = (revision: string, changes: Partial<TestResult>): TestResult => ({
  ...{ ...plain, document: "esp-ping", revision, section: "4", ...changes },
  id: `esp-ping${revision === "M" ? "" : `@${revision}`}/4/answers-an-echo`,
});
const behind = { verdict: "behind", reason: "the peer speaks revision E3: it announced 51100" } as const;
const results = makeResults({
  ...sample,
  tests: [plain, at("M", behind), at("E3", { verdict: "pass", provisional: "the <number>" })],
});

describe("reports of two revisions", () => {
  it("survive their own schema, and count each revision by itself", () => {
    expect(parseResults(JSON.stringify(results))).to.deep.equal(results);
    const rows = results.totals.documents.map((row) => [documentLabel(row), row.tests, row.verdicts.behind]);
    expect(rows).to.deep.equal([
      ["rfc7296", 1, 0],
      ["esp-ping@M", 1, 1],
      ["esp-ping@E3", 1, 0],
    ]);
  });

  it("name them in Markdown and JUnit", () => {
    const page = toMarkdown(results);
    expect(page)
      .to.match(/^\| `esp-ping@M` \|/m)
      .and.to.match(/^\| `esp-ping@E3` \|/m);
    expect(page).to.include("1 behind");
    const xml = toJunit(results);
    expect(xml).to.match(/<testsuite name="esp-ping@M .*\n.*\n +<skipped message="behind: the peer speaks/);
    expect(xml).to.match(/<testsuite name="esp-ping@E3 /);
    expect(xml).to.match(/<testsuite name="rfc7296 /);
  });

  it("call a peer that is behind neither good nor bad", () => {
    expect(outcomeOf("behind")).to.equal("skipped");
  });
});

describe("reports of a document that is our own definition in part", () => {
  it("say so in Markdown, once for each document", () => {
    const page = toMarkdown(
      makeResults({ ...results, tests: [...results.tests, ...results.tests.slice(2)] }),
    );
    expect(page).to.include("## Provisional: our own definition\n\n- `esp-ping@E3`: the \\<number\\>\n\n");
    expect(toMarkdown(sample)).to.not.include("Provisional");
  });
});
