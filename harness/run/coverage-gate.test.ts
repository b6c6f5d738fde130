import { expect } from "chai";
import { catalogues } from "./catalogue.ts";
import { type CoverageRow, coverageOf } from "./coverage.ts";
import { changes, fallen, inWords, parseRecorded, recordedCoverage, recordOf } from "./coverage-gate.ts";
import { loadTests } from "./suites.ts";
import { FileError } from "./yaml-file.ts";

const row = (fields: Partial<CoverageRow>): CoverageRow => ({
  ...{ document: "x", level: "MUST NOT", role: "responder" },
  ...{ requirements: 9, testable: 8, covered: 5, withLie: 5, todo: 3 },
  ...fields,
});

describe("coverage gate", () => {
  const recorded = recordOf([
    row({}),
    row({ role: "initiator", covered: 2 }),
    row({ level: "MAY", covered: 0 }),
  ]);

  it("records what is covered by document, level and role", () => {
    expect(recorded).to.deep.equal({ x: { "MUST NOT": { responder: 5, initiator: 2 } } });
    expect(parseRecorded(JSON.stringify(recorded))).to.deep.equal(recorded);
  });

  it("finds a count that falls, and one whose tests are all gone", () => {
    const now = recordOf([row({ covered: 4 })]);
    expect(fallen(changes(recorded, now)).map(inWords)).to.deep.equal([
      "x MUST NOT initiator: 2 -> 0 covered",
      "x MUST NOT responder: 5 -> 4 covered",
    ]);
    expect(fallen(changes(recorded, {}))).to.have.length(2);
  });

  it("tells a count that rises from one that falls", () => {
    const all = changes(recorded, recordOf([row({ covered: 6 }), row({ role: "initiator", covered: 2 })]));
    expect(all.map(inWords)).to.deep.equal(["x MUST NOT responder: 5 -> 6 covered"]);
    expect(fallen(all)).to.deep.equal([]);
  });

  it("refuses a record that is not as it must be", () => {
    expect(() => parseRecorded('{ "x": { "MUST": { "sender": 1 } } }')).to.throw(FileError, /coverage\.json/);
    expect(() => parseRecorded('{ "x": { "MUST": { "responder": -1 } } }')).to.throw(FileError, /x\.MUST/);
  });

  it("covers no less of any document than the record says", async () => {
    const now = recordOf(coverageOf(await loadTests(), catalogues()));
    const all = changes(recordedCoverage(), now);
    expect(fallen(all).map(inWords)).to.deep.equal([]);
    if (all.length > 0) console.log(`    ${all.length} counts rose: npx bakeoff coverage --update`);
  });
});
