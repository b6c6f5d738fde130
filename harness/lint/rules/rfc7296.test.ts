import { expect } from "chai";
import { Linter } from "../linter.ts";
import type { LintFinding } from "../types.ts";
import { RFC7296_RULES as OWN } from "./index.ts";
import { whole, withCookie, withEap, withOtherGroup } from "./planted/rfc7296/conversations.ts";
import { PLANTED } from "./planted/rfc7296/index.ts";
import { type Said, seenOf } from "./planted/rfc7296/said.ts";

function findingsIn(said: Said[]): LintFinding[] {
  const linter = new Linter({ rules: OWN });
  return seenOf(said).flatMap((seen) => linter.see(seen));
}

const placeOf = ({ packet, offset, inside, field }: LintFinding): string =>
  [packet, offset === undefined ? "" : `@${inside ? "SK+" : ""}${offset}`, field ?? ""]
    .filter((word) => word !== "")
    .join(" ");

describe("rules of RFC 7296", () => {
  for (const { rule, of, change, at, is, also = [] } of PLANTED) {
    it(`finds ${rule}${is === undefined ? "" : ` (${is})`}: ${at}`, () => {
      const said = of();
      change(said);
      const found = findingsIn(said);
      const requirement = is ?? OWN.find(({ name }) => name === rule)?.requirements[0];
      const [first] = found.filter((finding) => finding.rule === rule && finding.requirement === requirement);
      expect(found.map((finding) => finding.rule)).to.have.members([rule, ...also]);
      expect(first && placeOf(first)).to.equal(at);
    });
  }

  it("have a planted breach each", () => {
    const planted = new Set(PLANTED.map(({ rule }) => rule));
    expect(OWN.filter(({ name }) => !planted.has(name)).map(({ name }) => name)).to.deep.equal([]);
  });

  it("have one for each of their requirements", () => {
    const known = new Set(PLANTED.map(({ rule, is }) => `${rule} ${is ?? ""}`));
    const missing = OWN.flatMap(({ name, requirements: [, ...further] }) =>
      further.filter((id) => !known.has(`${name} ${id}`)).map((id) => `${name} ${id}`),
    );
    expect(missing).to.deep.equal([]);
  });

  for (const [name, make] of Object.entries({ whole, withCookie, withOtherGroup, withEap }))
    it(`find nothing in an honest conversation: ${name}`, () => {
      expect(findingsIn(make())).to.deep.equal([]);
    });
});
