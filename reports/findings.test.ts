import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FINDINGS_FILE, type Finding, readFindings } from "./findings.ts";

const finding: Finding = {
  ...{ id: "f-1", title: "Answers a message it must drop", peer: "builtin@current:memory", fullVersion: "1" },
  ...{ stage: "IKE_AUTH", oracle: "requirement", severity: "low", embargo: false, seed: "7:12" },
};

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
