import { expect } from "chai";
import { lies } from "../../peers/builtin/lies/index.ts";
import { formatRow, namesMissing, square } from "./square.ts";
import { loadTests, type SuiteTest } from "./suites.ts";

describe("square", () => {
  let nonce: SuiteTest;
  before(async () => {
    const found = (await loadTests()).find(({ id }) => id === "rfc7296/1.2/sends-a-nonce");
    if (!found) throw new Error("the test of this test is gone");
    nonce = found;
  });

  const withLies = (...names: string[]): SuiteTest => ({ ...nonce, facts: { ...nonce.facts, lies: names } });

  it("has no gap where the honest pass and the lie fails", async () => {
    const { rows, gaps } = await square([withLies("omits-nonce")], false);
    expect(gaps).to.deep.equal([]);
    expect(formatRow(rows[0] ?? { test: "", cells: [] })).to.match(
      /^ok {2}.*honest pass.*\n +omits-nonce: fail: /,
    );
  });

  it("finds a lie that the test does not catch, and an honest peer that fails", async () => {
    const blind = { ...withLies("omits-nonce"), body: async () => {} };
    expect((await square([blind], false)).gaps).to.deep.equal([
      `${nonce.id}: lie omits-nonce is not caught: pass: as required`,
    ]);
    const unfair = {
      ...withLies("omits-nonce"),
      body: async () => {
        throw new Error("never content");
      },
    };
    expect((await square([unfair], false)).gaps[0]).to.match(/the honest peer: setup: .*never content/);
  });

  it("finds tests without lies, lies that do not exist, and lies that nobody catches", () => {
    expect(namesMissing([withLies()], false)).to.deep.equal([`${nonce.id}: names no lie`]);
    expect(namesMissing([withLies("omit-nonce")], false)).to.deep.equal([
      `${nonce.id}: there is no lie omit-nonce`,
    ]);
    expect(namesMissing([withLies("omits-nonce")], true)).to.have.length(lies.length - 1);
  });
});
