import { expect } from "chai";
import type { CoverageRow } from "../run/coverage.ts";
import { coverageTable, todoTable } from "./coverage-table.ts";
import { painter } from "./output.ts";

const row = (document: string, level: CoverageRow["level"], role: CoverageRow["role"]): CoverageRow => ({
  ...{ document, level, role, requirements: 20, testable: 16 },
  ...{ covered: role === "initiator" ? 4 : 15, withLie: 3, todo: role === "initiator" ? 12 : 1 },
});

const ROWS = ["a", "b"].flatMap((document) =>
  (["MUST", "MUST NOT", "MAY"] as const).flatMap((level) => [
    row(document, level, "initiator"),
    row(document, level, "responder"),
  ]),
);

const plain = painter(false);
const linesOf = (text: string): string[] => text.trimEnd().split("\n");

describe("coverage table", () => {
  it("has a line for each level of each document, the roles side by side", () => {
    const lines = linesOf(coverageTable(ROWS, undefined, plain));
    expect(lines).to.have.length(2 + 2 * 4 + 1);
    expect(lines[0]).to.match(/^ +peer as initiator +peer as responder$/);
    expect(lines[2]).to.match(/^a +MUST +20 +16 +4 +3 +12 +25 +20 +16 +15 +3 +1 +93$/);
    expect(lines[3]).to.match(/^ +MUST NOT /);
    expect(lines[5]).to.match(/^ +MUST \+ MUST NOT +40 +32 +8 /);
    expect(lines[10]).to.match(/^all +MUST \+ MUST NOT +80 +64 +16 /);
    expect(lines[0]?.indexOf("peer as responder")).to.equal(lines[1]?.lastIndexOf("rows"));
  });

  it("groups by document, by level and by role", () => {
    expect(linesOf(coverageTable(ROWS, "document", plain))[4]).to.match(/^all +120 +96 +24 /);
    expect(linesOf(coverageTable(ROWS, "level", plain))[2]).to.match(/^MUST +40 +32 +8 /);
    const byRole = linesOf(coverageTable(ROWS, "role", plain));
    expect(byRole[1]).to.match(/^initiator +a +MUST +20 +16 +4 +3 +12 +25$/);
    expect(byRole[10]).to.match(/^responder +a +MUST +20 +16 +15 +3 +1 +93$/);
  });

  it("uses colour only where it is asked for", () => {
    expect(coverageTable(ROWS, undefined, plain)).not.to.include("\x1b");
    expect(coverageTable(ROWS, undefined, painter(true))).to.include("\x1b[1m");
  });

  it("lists what wants a test", () => {
    const lines = linesOf(
      todoTable(
        [
          {
            ...{ document: "a", id: "A-1", section: "2.1", level: "MUST", roles: ["responder"] },
            ...{ text: "say the truth", observed: "listen" },
          },
        ],
        plain,
      ),
    );
    expect(lines[1]).to.match(/^A-1 +2\.1 +MUST +responder +say the truth$/);
  });
});
