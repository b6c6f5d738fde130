import { expect } from "chai";
import { catalogue } from "../../harness/run/catalogue.ts";
import { findOperator, operators } from "./index.ts";

/** Columns of a terminal that `bakeoff fuzz operators` may take. */
const COLUMNS = 120;
const widest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));

describe("the table of operators", () => {
  it("gives every name to one operator", () => {
    expect(operators.filter((operator) => findOperator(operator.name) !== operator)).to.deep.equal([]);
  });

  it("names each in kebab case, and says in one sentence what it does", () => {
    for (const { name, effect } of operators) {
      expect(name).to.match(/^[a-z0-9]+(-[a-z0-9]+)+$/);
      expect(effect, name).to.match(/^[A-Z].*[^.]\.$/);
    }
    const taken =
      widest(operators.map(({ name }) => name)) + 2 + widest(operators.map(({ family }) => family)) + 2;
    expect(operators.filter(({ effect }) => taken + effect.length > COLUMNS)).to.deep.equal([]);
  });

  it("demands what a MUST of the catalogue says", () => {
    for (const { name, demand } of operators) {
      if (!demand) continue;
      const level = catalogue(demand.document)?.requirements[demand.requirement]?.level;
      expect(level, `${name}: ${demand.document} ${demand.requirement}`).to.match(/^MUST/);
    }
  });
});
