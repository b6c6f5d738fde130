import { readFileSync } from "node:fs";
import { expect } from "chai";
import { toJson } from "./json.ts";
import {
  outcomeOf,
  parseResults,
  relativePath,
  testSchema,
  totalsOf,
  VERDICTS,
  verdictMeaning,
} from "./results.ts";
import { sampleResults } from "./sample.ts";
import { jsonSchemas } from "./schema.ts";

describe("results", () => {
  it("come back from their JSON", () => {
    const results = sampleResults();
    expect(parseResults(toJson(results))).to.deep.equal(results);
  });

  it("have totals that follow from the tests", () => {
    const { tests, totals } = sampleResults();
    expect(totals.tests).to.equal(tests.length);
    const sum = VERDICTS.reduce((all, verdict) => all + totals.verdicts[verdict], 0);
    expect(sum).to.equal(tests.length);
    expect(totals.documents.reduce((all, row) => all + row.tests, 0)).to.equal(tests.length);
    expect(totalsOf([]).verdicts.pass).to.equal(0);
  });

  it("with totals that do not follow are refused, also when only a row is wrong", () => {
    const changed = sampleResults();
    changed.totals.verdicts.pass += 1;
    expect(parseResults(toJson(changed))).to.deep.include({ error: "totals" });
    const row = sampleResults();
    row.totals.documents[0]!.verdicts.fail += 1;
    expect(parseResults(toJson(row))).to.deep.include({ error: "totals" });
  });

  it("with unknown fields or verdicts are refused by name", () => {
    const text = toJson(sampleResults());
    expect(parseResults(text.replace('"pass"', '"passed"'))).to.deep.include({ error: "schema" });
    const extra = parseResults(text.replace('"seed"', '"colour": 1, "seed"'));
    expect(extra).to.have.property("reason").that.includes("colour");
    expect(parseResults("{")).to.deep.include({ error: "not-json" });
  });

  it("of another version are refused, naming both", () => {
    for (const schema of [1, 7]) {
      const text = JSON.stringify({ ...sampleResults(), schema, more: {} });
      const reason = `is of schema version ${schema}, and this program reads version 2`;
      expect(parseResults(text)).to.deep.equal({ error: "version", reason });
    }
  });

  it("name evidence only inside their folder", () => {
    const [test] = sampleResults().tests;
    const withCapture = (capture: string) => testSchema.safeParse({ ...test, evidence: { capture } }).success;
    for (const path of ["a/b.pcap", "a..b/c", "..a"]) expect(withCapture(path), path).to.equal(true);
    for (const path of ["", "/etc/passwd", "../x", "a/../../x", "a/..", "..", "a\\b"]) {
      expect(withCapture(path), path).to.equal(false);
    }
  });

  it("have a verdict for every outcome, each explained", () => {
    expect(new Set(VERDICTS.map(outcomeOf))).to.deep.equal(
      new Set(["passed", "failed", "skipped", "broken"]),
    );
    for (const verdict of VERDICTS) expect(verdictMeaning(verdict)).to.match(/^[A-Z].{30,}\.$/);
  });
});

describe("JSON schemas", () => {
  for (const [name, text] of jsonSchemas) {
    it(`${name} is what the schemas generate; \`npm run schema\` writes it anew`, () => {
      expect(readFileSync(new URL(name, import.meta.url), "utf8")).to.equal(text());
    });
  }

  it("hold no path that climbs out of its folder, not even behind the end of a line", () => {
    for (const path of ["../x", "a/../x", "a\n/../../x", "a\u2028/..", "/x", "a\\b"])
      expect(relativePath.safeParse(path).success, path).to.equal(false);
    expect(relativePath.safeParse("evidence/a..b/x").success).to.equal(true);
  });
});
