import { expect } from "chai";
import { findOperator, operators } from "./index.ts";

describe("the table of operators", () => {
  it("gives every name to one operator", () => {
    expect(operators.filter((operator) => findOperator(operator.name) !== operator)).to.deep.equal([]);
  });
});
