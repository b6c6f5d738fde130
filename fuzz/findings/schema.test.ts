import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect } from "chai";
import { z } from "zod";
import { findingJsonSchema } from "./schema.ts";
import { sampleFinding } from "./testing.ts";

describe("the schema of a finding", () => {
  it("is the one that is shipped; run npm run schema", () => {
    const shipped = readFileSync(new URL("../../reports/finding.schema.json", import.meta.url), "utf8");
    expect(shipped).to.equal(findingJsonSchema());
  });

  it("takes a finding, and nothing with more in it", () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const isFinding = ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(findingJsonSchema())));
    expect(isFinding(sampleFinding)).to.equal(true);
    expect(isFinding({ ...sampleFinding, more: 1 })).to.equal(false);
  });
});
