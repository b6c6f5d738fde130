import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findingMarkdown } from "./finding-markdown.ts";
import { FINDINGS_FILE, type Finding, readFindings } from "./findings.ts";
import { toMarkdown } from "./markdown.ts";
import { makeResults } from "./results.ts";
import { sampleResults } from "./sample.ts";
import { toSarif } from "./sarif.ts";
import { readSarif } from "./testing.ts";

const finding: Finding = {
  ...{ id: "f-1", title: "Answers a message it must drop", peer: "builtin@current:memory", fullVersion: "1" },
  ...{ stage: "IKE_AUTH", oracle: "requirement", severity: "low", embargo: false, seed: "7:12" },
};

const told: Finding = {
  ...finding,
  ...{ role: "responder", setup: "psk", operators: ["payload-omit"], messages: 2, detail: "a\n```\n# b" },
  ...{ steps: ["1. We begin IKE_SA_INIT.", "   - Message 1 of ours: payload-omit (at <b>[x]{y}|)."] },
  ...{ seen: { count: 3, first: "2026-01-01T00:00:00Z", last: "2026-01-02T00:00:00Z" } },
  ...{ reproducer: "findings/f-1/finding.json", capture: "findings/f-1/capture.pcap" },
};
const none = makeResults({ ...sampleResults(), tests: [] });

describe("findings in reports", () => {
  it("are results of a valid SARIF file, those under embargo left out", () => {
    const requirement = { document: "rfc7296", id: "IKEV2-266" };
    const all: Finding[] = [
      told,
      { ...told, id: "f-2", oracle: "crash", severity: "critical" },
      { ...told, id: "f-3", title: "secret", embargo: true },
      { ...told, id: "f-4", requirement },
    ];
    const text = toSarif(none, {}, all);
    expect(text).to.not.include("secret");
    const { results, tool } = readSarif(text);
    expect(results.map(({ ruleId, level, properties }) => [ruleId, level, properties.verdict])).to.deep.equal(
      [
        ["fuzz/requirement", "warning", "fail"],
        ["fuzz/crash", "error", "crash"],
        ["rfc7296/IKEV2-266", "warning", "fail"],
      ],
    );
    expect(results.map(({ ruleIndex }) => tool.driver.rules[ruleIndex]?.id)).to.deep.equal(
      results.map(({ ruleId }) => ruleId),
    );
  });

  it("stand in the page of Markdown, the worst first, and what is withheld by its number", () => {
    const high: Finding = { ...told, id: "f-2", severity: "high" };
    const lines = toMarkdown(none, { findings: [told, high], withheld: 2 }).split("\n");
    const at = lines.indexOf("## Found by fuzzing");
    expect(lines[at + 2]).to.include("**high** `f-2`");
    expect(lines[at + 3]).to.include("**low** `f-1`");
    expect(lines[at + 4]).to.include("2 findings withheld");
  });

  it("have a page of their own that nothing of theirs can break", () => {
    const text = findingMarkdown({ ...told, title: "# <b>x</b>", fullVersion: "[a](javascript:b)" });
    expect(text).to.include("bakeoff fuzz replay findings/f-1/finding.json");
    expect(text).to.not.match(/^# <b>|[^\\]\[a\]/m);
    expect(text.split("````")).to.have.length(3, "the detail is inside of a longer fence than its own");
  });
});

describe("findings of a folder", () => {
  let folder: string;
  const write = (text: string) => writeFileSync(join(folder, FINDINGS_FILE), text);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-findings-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are none where nothing was fuzzed", () => {
    expect(readFindings(folder)).to.equal(undefined);
  });

  it("leave out what is under embargo, and count it", () => {
    write(JSON.stringify({ schema: 1, findings: [finding, { ...finding, id: "f-2", embargo: true }] }));
    expect(readFindings(folder)).to.deep.equal({ findings: [finding], withheld: 1 });
    write(JSON.stringify({ schema: 1, findings: [finding], withheld: 4 }));
    expect(readFindings(folder)).to.deep.equal({ findings: [finding], withheld: 4 });
  });

  it("are refused without a word of what the file says", () => {
    for (const text of [
      '{"schema":1,"findings":[{"title":"secret crash"',
      '{"schema":1,"findings":[{"title":"secret crash"}]}',
      "secret crash",
    ]) {
      write(text);
      expect(JSON.stringify(readFindings(folder)))
        .to.include('"error"')
        .and.not.include("secret");
    }
  });
});
