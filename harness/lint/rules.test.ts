import { expect } from "chai";
import { catalogue } from "../run/catalogue.ts";
import { RULES } from "./rules/index.ts";

describe("lint rules", () => {
  it("are of requirements that the catalogue has", () => {
    const unknown = RULES.flatMap(({ document, requirements, name }) =>
      requirements
        .filter((id) => catalogue(document)?.requirements[id] === undefined)
        .map((id) => `${name}: ${document} ${id}`),
    );
    expect(unknown).to.deep.equal([]);
  });

  it("have names that say the breach, each its own", () => {
    const names = RULES.map(({ name }) => name);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)+$/.test(name))).to.deep.equal([]);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).to.deep.equal([]);
  });

  it("name a requirement once", () => {
    const twice = RULES.filter(({ requirements }) => new Set(requirements).size < requirements.length);
    expect(twice.map(({ name }) => name)).to.deep.equal([]);
  });
});
