import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { makeResults, outcomeOf, parseResults } from "./results.ts";
import { sampleResults } from "./sample.ts";
import { REPORT_FORMATS, writeReports } from "./write.ts";

const sample = sampleResults();
/** The first three tests as a baseline judges them: known, unstable, not as it says; and a pass. */
const compared = makeResults({
  ...sample,
  tests: [
    {
      ...{ ...sample.tests[0]!, verdict: "fail", reason: "answers" },
      baseline: {
        ...{ agreement: "expected", expected: "fail" },
        known: {
          ...{
            reason: "answers",
            why: "Its window is wider.",
            evidence: "log: <window>",
            section: "RFC 7296 2.3",
          },
          ...{ fault: "peer", expires: "2027-11-01" },
        },
      },
    },
    {
      ...{ ...sample.tests[1]!, verdict: "hang", reason: "silent" },
      again: { verdict: "pass", reason: "as required", evidence: { log: "again/evidence/peer.log" } },
      baseline: { agreement: "unstable", expected: "pass", deviation: "unexpected hang" },
    },
    {
      ...{ ...sample.tests[2]!, verdict: "pass", reason: "as required" },
      baseline: { agreement: "deviates", expected: "fail", deviation: "unexpected pass" },
    },
    {
      ...{ ...sample.tests[3]!, verdict: "tolerated", reason: "slow" },
      baseline: { agreement: "deviates", expected: "pass", deviation: "unexpected tolerated" },
    },
    { ...sample.tests[4]!, baseline: { agreement: "expected", expected: "pass" } },
  ],
  baselines: [
    {
      ...{ file: "baselines/strongswan@6.1.yaml", missing: false, peers: ["strongswan@6.1:netns"] },
      problems: ["[1].tests: there is no test gone"],
    },
  ],
});
const nothing = makeResults({ ...sample, peers: [], tests: [] });

describe("JUnit", () => {
  it("counts failures, errors and skipped as its readers do", () => {
    const xml = toJunit(sample);
    const count = (outcome: string) =>
      sample.tests.filter(({ verdict }) => outcomeOf(verdict) === outcome).length;
    expect(xml.match(/<failure /g)).to.have.length(count("failed"));
    expect(xml.match(/<error /g)).to.have.length(count("broken"));
    expect(xml.match(/<skipped /g)).to.have.length(count("skipped"));
    expect(xml.match(/<testcase /g)).to.have.length(sample.tests.length);
    const head = `tests="${sample.tests.length}" failures="${count("failed")}" errors="${count("broken")}"`;
    expect(xml.split("\n")[1]).to.include(head);
  });

  it("gives reason, expectation and evidence", () => {
    const xml = toJunit(sample);
    expect(xml).to.include('message="fail: both new Child SAs are still in use');
    expect(xml).to.include("[[ATTACHMENT|evidence/libreswan@5.2-uml/initiator/");
  });
});

describe("reports of a run with baselines", () => {
  it("survive their own schema", () => {
    expect(parseResults(JSON.stringify(compared))).to.deep.equal(compared);
  });

  it("are red in JUnit only where something is new", () => {
    const xml = toJunit(compared);
    expect(xml.split("\n")[1]).to.include('tests="6" failures="3" errors="0" skipped="2"');
    expect(xml).to.include('<skipped message="known, fail: answers (Its window is wider.)"/>');
    expect(xml).to.include(
      '<skipped message="unstable, hang: silent; again, alone: pass: as required (unexpected hang)"/>',
    );
    expect(xml).to.match(/<failure message="pass: as required \(unexpected pass\)"/);
    expect(xml).to.include('<failure message="[1].tests: there is no test gone" type="baseline"/>');
  });

  it("tell what is new before what is known in Markdown", () => {
    const page = toMarkdown(compared);
    const heads = [...page.matchAll(/^## (.*)$/gm)].map(([, head]) => head);
    expect(heads).to.deep.equal([
      ...["Not as the baseline says", "Better than the baseline says", "Wrong in the baselines"],
      ...["Unstable", "Totals", "Known"],
    ]);
    expect(page).to.include("Its window is wider.").and.include("unexpected pass");
  });
});

describe("Markdown", () => {
  it("tells what is not pass before the totals", () => {
    const page = toMarkdown(sample);
    expect(page.indexOf("## Not pass")).to.be.within(1, page.indexOf("## Totals"));
    for (const { verdict, id } of sample.tests) if (verdict !== "pass") expect(page).to.include(id);
  });

  it("says that there is nothing to tell", () => {
    const good = makeResults({ ...sample, tests: sample.tests.filter(({ verdict }) => verdict === "pass") });
    expect(toMarkdown(good)).to.include("Every verdict is `pass`.").and.not.include("## Not pass");
  });
});

describe("writeReports", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-reports-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes the formats asked for and nothing else", () => {
    const paths = writeReports(join(folder, "new", "out"), sample, ["json", "md"]);
    expect(paths.every((path) => existsSync(path))).to.equal(true);
    expect(readdirSync(join(folder, "new", "out")).sort()).to.deep.equal(["report.md", "results.json"]);
    expect(writeReports(folder, nothing, REPORT_FORMATS)).to.have.length(6);
  });
});
