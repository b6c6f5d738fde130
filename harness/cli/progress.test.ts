import { expect } from "chai";
import type { TestResult } from "../../reports/results.ts";
import { sampleResults } from "../../reports/sample.ts";
import { progress } from "./progress.ts";

const hostile = (): TestResult => {
  const test = sampleResults().tests.find(({ verdict }) => verdict !== "pass");
  if (!test) throw new Error("the sample has no failure");
  return { ...test, reason: "it said \x1b]0;owned\x07\x1b[2J\nand \r\u202egone" };
};

const said = (isTTY: boolean): string => {
  let text = "";
  const shown = progress({ isTTY, write: (part) => (text += part) });
  shown.planned({ lanes: [], planned: 1 }, "1");
  shown.testFinished(hostile());
  shown.close();
  return text;
};

describe("progress", () => {
  let before: string | undefined;
  beforeEach(() => {
    before = process.env.NO_COLOR;
    process.env.NO_COLOR = "1";
  });
  afterEach(() => {
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });

  it("is plain lines where no terminal is, one for each result", () => {
    const [plan, result, ...rest] = said(false).split("\n");
    expect(plan).to.match(/^1 tests against/);
    expect(result).to.match(/^\[1\/1\] \S+ .*: it said \\u\{1b\}\]0;owned\\u\{7\}/);
    expect(result).to.match(/ \/ and \\u\{d\}\\u\{202e\}gone$/);
    expect(rest).to.deep.equal([""]);
  });

  it("gives a terminal nothing to obey but its own clearing of the line", () => {
    const controls =
      said(true)
        .replaceAll("\r\x1b[2K", "")
        .match(/\p{Cc}/gu) ?? [];
    expect(controls.filter((c) => c !== "\n")).to.deep.equal([]);
  });
});
