import { expect } from "chai";
import { findOperator, operators } from "./index.ts";
import { listOperators } from "./list.ts";

describe("the list of operators", () => {
  it("has a line for every operator, with what must not come of it", () => {
    const lines = listOperators().trimEnd().split("\n");
    expect(lines).to.have.length(operators.length);
    expect(lines.find((line) => line.startsWith("init-incomplete "))).to.match(
      /^init-incomplete +structure +Leaves .* \(never established: rfc7296 IKEV2-001\)$/,
    );
  });

  it("gives every name to one operator", () => {
    expect(operators.filter((operator) => findOperator(operator.name) !== operator)).to.deep.equal([]);
  });
});
