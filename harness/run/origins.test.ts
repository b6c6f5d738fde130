import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { originsOf } from "./origins.ts";
import { loadTests, suitesFolder } from "./suites.ts";

describe("origins", () => {
  it("have the file and the line of every test", async () => {
    const tests = await loadTests();
    const { places } = originsOf(tests);
    const unknown = tests.filter(({ id }) => places.get(id)?.line === undefined);
    expect(unknown.map(({ id }) => id)).to.deep.equal([]);
    for (const { id } of tests.slice(0, 200)) {
      const { file, line } = places.get(id) ?? { file: "", line: 0 };
      const lines = readFileSync(resolve(suitesFolder, "..", file), "utf8").split("\n");
      expect(lines.slice((line ?? 0) - 2, line).join("\n"), id).to.match(/test\(\s*["`]/);
    }
  });

  it("name the text of each document that has a name of its own", () => {
    const { texts } = originsOf([]);
    expect(texts.get("g-ikev2")).to.equal("rfc9838");
    expect(texts.get("esp-ping@M")).to.equal("draft-ietf-ipsecme-encrypted-esp-ping-04");
    expect(texts.get("anti-replay-subspaces@03")).to.equal("draft-ponchon-ipsecme-anti-replay-subspaces-03");
    expect(texts.has("rfc7296")).to.equal(false);
  });
});
