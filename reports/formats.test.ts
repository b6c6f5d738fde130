import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { toHtml } from "./html.ts";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { makeResults, outcomeOf } from "./results.ts";
import { sampleExtras, sampleResults } from "./sample.ts";
import { REPORT_FORMATS, writeReports } from "./write.ts";

const sample = sampleResults();
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

  it("stops listing somewhere, and says so", () => {
    const [test] = sample.tests;
    const tests = Array.from({ length: 120 }, (_, i) => ({
      ...test!,
      id: `t${i}`,
      verdict: "fail" as const,
    }));
    expect(toMarkdown(makeResults({ ...sample, tests }))).to.include("and 20 more");
  });
});

describe("HTML", () => {
  const page = toHtml(sample, sampleExtras(sample, "us -> peer"));

  it("asks nothing of any server", () => {
    expect(page).to.include("default-src 'none'");
    expect(page.replace(/<style>.*?<\/style>|<script>.*?<\/script>/gs, "")).to.not.match(
      /\b(src|srcset|action)=/,
    );
    expect(page).to.not.match(/@import|url\(|https?:\/\//);
  });

  it("lists every test with what was expected, what came, ladder and evidence", () => {
    expect(page.match(/<li id=/g)).to.have.length(sample.tests.length);
    expect(page).to.include("2 Child SAs beside the old one: c4a8113f, c90b77e2");
    expect(page).to.include("us -&gt; peer");
    expect(page).to.include(
      'href="./evidence/libreswan%405.2-uml/initiator/simultaneous-rekey-one-survives/capture.pcap"',
    );
  });

  it("gives every test an anchor of its own, and links to the same test elsewhere", () => {
    const ids = [...page.matchAll(/<li id="([^"]*)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const [, link] of page.matchAll(/href="#(rfc[^"]*)"/g))
      expect(ids).to.include(decodeURIComponent(link!));
  });

  it("puts what asks for a look first", () => {
    const verdicts = [...page.matchAll(/<li id="[^"]*" class="t-([\w-]+)"/g)].map(([, verdict]) => verdict);
    expect(verdicts.slice(0, 3)).to.deep.equal(["fail", "wrong-reason", "hang"]);
    expect(verdicts.at(-1)).to.equal("pass");
  });

  it("is a page also for a run without tests", () => {
    expect(toHtml(nothing)).to.include("No test has finished");
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
    expect(writeReports(folder, nothing, REPORT_FORMATS)).to.have.length(4);
  });

  it("shows ladders from the evidence, cut when they are very long", () => {
    const [first, second] = sample.tests;
    for (const [test, ladder] of [
      [first!, "first ladder"],
      [second!, "x".repeat(30_000)],
    ] as const) {
      const path = join(folder, test.evidence.ladder!);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, ladder);
    }
    const [path] = writeReports(folder, sample, ["html"]);
    const page = readFileSync(path!, "utf8");
    expect(page).to.include("first ladder").and.include("10000 more characters");
    expect(page).to.not.include("x".repeat(20_001));
  });
});
